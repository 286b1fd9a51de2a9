//! The ports on PostgreSQL: journals, agenda, outbox and views, shared by replicas.
