//! Real servers on loopback, each with a folder and a free port of its own, ended when they are dropped.

mod mail;
mod nats;
mod postgres;
mod process;
mod prometheus;
mod receiver;

pub use mail::{Mail, MailServer, Manner};
pub use nats::NatsServer;
pub use postgres::PostgresServer;
pub use process::{Proc, eventually, faketime, free_port, within};
pub use prometheus::{Alert, PrometheusServer, promtool};
pub use receiver::{Received, Receiver};
