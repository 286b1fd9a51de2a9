//! Servers in processes of their own.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tonic::transport::{Channel, Endpoint};

use crate::{Outcome, Plan};

/// How many connections the callers share.
const CONNECTIONS: usize = 4;

/// A server that is ended when this is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From start to the first connection.
    pub(crate) ready: Duration,
}

// === impl Server ===

impl Server {
    /// `highstreet serve` with these contexts (all if none is named) on this folder.
    pub(crate) async fn highstreet(plan: &Plan, data: &Path, contexts: &[&str]) -> Outcome<Self> {
        let (address, admin) = (free_address()?, free_address()?);
        let mut command = Command::new(&plan.server);
        command
            .arg("serve")
            .args(contexts)
            .arg("--listen")
            .arg(address.to_string())
            .arg("--admin")
            .arg(admin.to_string());
        command.arg("--data").arg(data).env("HIGHSTREET_LOG", "error");
        Self::start(command, address).await
    }

    /// The floor on this folder.
    pub(crate) async fn floor(data: &Path) -> Outcome<Self> {
        let address = free_address()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("floor").arg(data).env("FLOOR_LISTEN", address.to_string());
        Self::start(command, address).await
    }

    async fn start(mut command: Command, address: SocketAddr) -> Outcome<Self> {
        let begin = Instant::now();
        let child = command.stdin(Stdio::null()).stderr(Stdio::inherit()).spawn()?;
        let mut server = Self { child, address, ready: Duration::ZERO };
        while TcpStream::connect(address).await.is_err() {
            if begin.elapsed() > Duration::from_mins(1) || server.child.try_wait()?.is_some() {
                return Err(format!("the server on {address} did not start").into());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        server.ready = begin.elapsed();
        Ok(server)
    }

    pub(crate) async fn channels(&self) -> Outcome<Vec<Channel>> {
        connect(self.address).await
    }

    /// What it holds in memory, in MiB.
    pub(crate) fn resident(&self) -> Outcome<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kib / 1024.0)
    }

    /// Processor seconds used so far.
    pub(crate) fn processor(&self) -> Outcome<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let after_name = stat.rsplit(')').next().ok_or("no stat")?;
        let fields: Vec<&str> = after_name.split_whitespace().collect();
        let ticks: f64 =
            fields.get(11).ok_or("no utime")?.parse::<f64>()? + fields.get(12).ok_or("no stime")?.parse::<f64>()?;
        Ok(ticks / 100.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The connections that callers share.
pub(crate) async fn connect(address: SocketAddr) -> Outcome<Vec<Channel>> {
    let mut channels = Vec::new();
    for _ in 0..CONNECTIONS {
        channels.push(Endpoint::from_shared(format!("http://{address}"))?.connect().await?);
    }
    Ok(channels)
}

fn free_address() -> Outcome<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
