//! Real servers on loopback, each with a folder and a free port of its own, ended when they are dropped.

mod nats;
mod postgres;
mod process;

pub use nats::NatsServer;
pub use postgres::PostgresServer;
pub use process::{Proc, eventually, free_port, within};
