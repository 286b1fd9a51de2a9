//! The street as processes: PostgreSQL, nats-server, and whichever contexts are measured.

use std::path::Path;

use highstreet_testkit::servers::{NatsServer, PostgresServer};

use crate::child::Server;
use crate::{Outcome, Plan};

/// The servers that everything else stands on.
pub(crate) struct Ground {
    pub(crate) postgres: PostgresServer,
    pub(crate) nats: NatsServer,
}

/// Contexts in processes of their own, and a gateway before them.
pub(crate) struct Mesh {
    pub(crate) contexts: Vec<(&'static str, Server)>,
    pub(crate) gateway: Server,
}

// === impl Ground ===

impl Ground {
    /// New servers, as durable as they are by default.
    pub(crate) async fn new() -> Self {
        Self { postgres: PostgresServer::start_with(&["max_wal_size=4GB"]).await, nats: NatsServer::start().await }
    }

    /// One process that runs these contexts, told where the others are.
    pub(crate) async fn serve(&self, plan: &Plan, roles: &[&str], more: &[String]) -> Outcome<Server> {
        let mut arguments: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        arguments.extend(["--store".into(), self.postgres.url(), "--bus".into(), self.nats.url()]);
        arguments.extend_from_slice(more);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Server::highstreet(plan, Path::new("unused"), &arguments).await
    }

    /// A process for each of these contexts, each with `more` arguments if it is the one named.
    pub(crate) async fn mesh(
        &self,
        plan: &Plan,
        names: &[&'static str],
        (special, more): (&str, &[String]),
    ) -> Outcome<Mesh> {
        let mut contexts: Vec<(&'static str, Server)> = Vec::new();
        let mut peers: Vec<String> = Vec::new();
        for name in names {
            let mut arguments = peers.clone();
            arguments.push("--trust-peers".into());
            if *name == special {
                arguments.extend_from_slice(more);
            }
            let server = self.serve(plan, &[name], &arguments).await?;
            peers.extend(["--peer".into(), format!("{name}=http://{}", server.address)]);
            contexts.push((name, server));
        }
        // Those that are not measured are nowhere.
        peers.splice(0..0, ["--peer".to_owned(), "http://{context}.invalid:1".to_owned()]);
        let gateway = self.serve(plan, &["gateway"], &peers).await?;
        Ok(Mesh { contexts, gateway })
    }
}

// === impl Mesh ===

impl Mesh {
    /// The process of a context.
    pub(crate) fn context(&self, name: &str) -> Outcome<&Server> {
        let found = self.contexts.iter().find(|(context, _)| *context == name).map(|(_, server)| server);
        found.ok_or_else(|| format!("{name} does not run").into())
    }

    /// The same, to be killed and started again.
    pub(crate) fn context_mut(&mut self, name: &str) -> Outcome<&mut Server> {
        let found = self.contexts.iter_mut().find(|(context, _)| *context == name).map(|(_, server)| server);
        found.ok_or_else(|| format!("{name} does not run").into())
    }
}
