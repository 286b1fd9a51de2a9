//! A mesh on this machine: a process for each context and a gateway, on a PostgreSQL and a nats-server.

mod plan;
mod proxy;
mod replica;
mod street;
mod turns;

pub(crate) use plan::{Plan, Way};
pub(crate) use proxy::Weather;
pub(crate) use replica::{HIGHSTREET, Replica};
pub(crate) use street::{Mesh, RECOVERY};
