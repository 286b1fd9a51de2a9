//! A PostgreSQL server.

/// A running PostgreSQL server.
#[derive(Debug)]
pub struct PostgresServer;
