//! The mesh: its servers, its processes, and the ways between them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use highstreet::ContextName;
use highstreet::config::Role;
use highstreet_grpc::{Channel, ChannelSettings};
use highstreet_nats::{JetStreamBus, Settings};
use highstreet_testkit::servers::{NatsServer, PostgresServer};
use tempfile::TempDir;
use tokio::sync::SemaphorePermit;

use super::plan::{Plan, Way};
use super::proxy::{Proxy, Weather};
use super::replica::{Replica, name_of};
use super::turns::turn;

/// After a fault everything is as it should be again within this time, by itself.
pub(crate) const RECOVERY: Duration = Duration::from_secs(10);
/// Of each log, so many lines are shown when a test fails.
const SHOWN: usize = 15;

/// A mesh, ended when it is dropped.
pub(crate) struct Mesh {
    pub(crate) replicas: Vec<Replica>,
    pub(crate) postgres: PostgresServer,
    pub(crate) nats: NatsServer,
    plan: Plan,
    proxies: BTreeMap<Way, Vec<Proxy>>,
    pub(crate) folder: TempDir,
    _turn: SemaphorePermit<'static>,
}

/// Where `callee` is, as `--peer` is told.
fn at(callee: ContextName, addresses: &[SocketAddr]) -> String {
    let urls: Vec<_> = addresses.iter().map(|address| format!("http://{address}")).collect();
    format!("{callee}={}", urls.join(","))
}

// === impl Mesh ===

impl Mesh {
    /// Starts one of every kind.
    pub(crate) async fn open() -> Self {
        Self::with(Plan::default()).await
    }

    /// Starts everything, and waits until it is ready.
    pub(crate) async fn with(plan: Plan) -> Self {
        let mut mesh = Self::prepare(plan).await;
        mesh.start_all().await;
        mesh
    }

    /// The servers run; the processes can be changed before they are started.
    pub(crate) async fn prepare(plan: Plan) -> Self {
        let turn = turn(plan.parts().iter().map(|(_, count)| count).sum()).await;
        let folder = tempfile::tempdir().unwrap();
        let (postgres, nats) = tokio::join!(PostgresServer::start(), NatsServer::start());
        let replicas = plan.parts().into_iter().flat_map(|(role, count)| {
            let folder = folder.path();
            (0..count).map(move |number| Replica::new(role, number, folder))
        });
        let replicas = replicas.collect();
        let mut mesh = Self { replicas, postgres, nats, plan, proxies: BTreeMap::new(), folder, _turn: turn };
        mesh.lay_ways().await;
        for place in 0..mesh.replicas.len() {
            mesh.replicas[place].arguments = mesh.arguments(mesh.replicas[place].role, place);
        }
        mesh
    }

    /// Starts what does not run, and waits until all of it is ready.
    pub(crate) async fn start_all(&mut self) {
        self.replicas.iter_mut().filter(|replica| !replica.is_running()).for_each(Replica::start);
        for replica in &self.replicas {
            replica.ready().await;
        }
    }

    async fn lay_ways(&mut self) {
        for way in self.plan.proxied.clone() {
            let targets = match way {
                Way::Call(_, callee) => self.addresses(Role::Context(callee)),
                Way::Store(_) => vec![([127, 0, 0, 1], self.postgres.port()).into()],
                Way::Bus(_) => vec![([127, 0, 0, 1], self.nats.port()).into()],
            };
            let mut proxies = Vec::new();
            for target in targets {
                proxies.push(Proxy::to(target).await);
            }
            self.proxies.insert(way, proxies);
        }
    }

    fn arguments(&self, role: Role, place: usize) -> Vec<String> {
        let data = self.data(place);
        let mut arguments: Vec<String> =
            ["--trust-peers", "--store-connections", "8", "--store-writers", "2", "--data"].map(Into::into).into();
        arguments.push(data.display().to_string());
        if let Role::Context(context) = role {
            let store = format!("postgres://postgres@{}/highstreet", self.port_by(Way::Store(context)));
            arguments.extend(["--store".into(), store, "--bus".into(), self.bus_of(context)]);
        } else {
            arguments.extend(["--bus".into(), self.nats.url()]);
        }
        for callee in ContextName::ALL {
            arguments.extend(["--peer".into(), self.peer(role, callee)]);
        }
        for (context, more) in &self.plan.arguments {
            if context.is_none_or(|context| role == Role::Context(context)) {
                arguments.extend(more.clone());
            }
        }
        arguments
    }

    /// Where `caller` finds `callee`.
    fn peer(&self, caller: Role, callee: ContextName) -> String {
        let proxied = match caller {
            Role::Context(caller) => self.proxies.get(&Way::Call(caller, callee)),
            Role::Gateway => None,
        };
        let addresses = proxied.map_or_else(
            || self.addresses(Role::Context(callee)),
            |proxies| proxies.iter().map(|proxy| proxy.address).collect(),
        );
        at(callee, &addresses)
    }

    fn bus_of(&self, context: ContextName) -> String {
        format!("nats://{}", self.port_by(Way::Bus(context)))
    }

    fn port_by(&self, way: Way) -> SocketAddr {
        let port = match way {
            Way::Bus(_) => self.nats.port(),
            Way::Store(_) | Way::Call(..) => self.postgres.port(),
        };
        self.proxies.get(&way).map_or(([127, 0, 0, 1], port).into(), |proxies| proxies[0].address)
    }

    /// From now on this is the weather on `way`.
    pub(crate) fn weather(&self, way: Way, weather: Weather) {
        self.proxies[&way].iter().for_each(|proxy| proxy.set(weather));
    }

    // === The processes ===

    /// Where the process at `place` keeps its files.
    pub(crate) fn data(&self, place: usize) -> PathBuf {
        self.folder.path().join(format!("data-{place}"))
    }

    /// From its next start the process at `place` finds `callee` at these addresses.
    pub(crate) fn find(&mut self, place: usize, callee: ContextName, addresses: &[SocketAddr]) {
        let of = format!("{callee}=http");
        let known = self.replicas[place].arguments.iter_mut().find(|argument| argument.starts_with(&of));
        *known.unwrap() = at(callee, addresses);
    }

    /// Where the replicas of `role` are.
    pub(crate) fn addresses(&self, role: Role) -> Vec<SocketAddr> {
        self.replicas.iter().filter(|replica| replica.role == role).map(|replica| replica.listen).collect()
    }

    /// The places of the replicas of a context.
    pub(crate) fn places(&self, context: ContextName) -> Vec<usize> {
        let of = |place: &usize| self.replicas[*place].role == Role::Context(context);
        (0..self.replicas.len()).filter(of).collect()
    }

    /// The first replica of a context.
    pub(crate) fn of(&mut self, context: ContextName) -> &mut Replica {
        let place = self.places(context)[0];
        &mut self.replicas[place]
    }

    /// A way to all replicas of `role`.
    pub(crate) fn channel(&self, role: Role) -> Channel {
        let urls: Vec<_> = self.addresses(role).iter().map(|address| format!("http://{address}")).collect();
        Channel::new(urls.join(",").parse().unwrap(), ChannelSettings::default())
    }

    /// The broker, as the mesh uses it.
    pub(crate) async fn bus(&self) -> JetStreamBus {
        JetStreamBus::connect(Settings::at(&self.nats.url())).await.unwrap()
    }

    /// What a statement says in the schema of a context.
    pub(crate) fn ask(&self, context: ContextName, sql: &str) -> String {
        self.postgres.run_in("highstreet", &format!("SET search_path = {context}; {sql}")).replace("SET\n", "")
    }

    /// Whether this context is kept in PostgreSQL.
    pub(crate) fn has_schema(&self, context: ContextName) -> bool {
        !self
            .plan
            .arguments
            .iter()
            .any(|(of, more)| *of == Some(context) && more.iter().any(|it| it.ends_with("sqlite")))
    }

    /// Shows the ends of all logs, without what went well.
    fn tell(&self) {
        for replica in &self.replicas {
            let log = replica.log();
            let lines: Vec<_> = log.lines().filter(|line| !line.contains("\"INFO\"")).collect();
            eprintln!("--- {} ({})", replica.name(), name_of(replica.role));
            lines[lines.len().saturating_sub(SHOWN)..].iter().for_each(|line| eprintln!("{line}"));
        }
    }
}

impl Drop for Mesh {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.tell();
            self.folder.disable_cleanup(true);
            eprintln!("all logs are in {}", self.folder.path().display());
        }
    }
}
