//! A nats-server with JetStream.

use super::process::Proc;

/// A running nats-server.
#[derive(Debug)]
pub struct NatsServer {
    #[allow(dead_code, reason = "held so that it runs")]
    process: Proc,
}
