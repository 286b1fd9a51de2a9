//! Servers in processes of their own.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::transport::{Channel, Endpoint};

use crate::{Outcome, Plan};

/// How many connections the callers share.
const CONNECTIONS: usize = 4;

/// A server that is ended when this is dropped.
pub(crate) struct Server {
    command: Command,
    child: Child,
    pub(crate) address: SocketAddr,
    /// Where its metrics are.
    pub(crate) admin: SocketAddr,
    /// From start to the first connection.
    pub(crate) ready: Duration,
}

// === impl Server ===

impl Server {
    /// `highstreet serve` with these contexts (all if none is named) on this folder.
    pub(crate) async fn highstreet(plan: &Plan, data: &Path, contexts: &[&str]) -> Outcome<Self> {
        Self::highstreet_with(plan, data, contexts, &[]).await
    }

    /// The same, with more arguments.
    pub(crate) async fn highstreet_with(plan: &Plan, data: &Path, contexts: &[&str], more: &[String]) -> Outcome<Self> {
        let (address, admin) = (free_address()?, free_address()?);
        let mut command = Command::new(&plan.server);
        command
            .arg("serve")
            .args(contexts)
            .args(more)
            .arg("--listen")
            .arg(address.to_string())
            .arg("--admin")
            .arg(admin.to_string());
        command.arg("--data").arg(data).env("HIGHSTREET_LOG", "error");
        Self::start(command, address, admin).await
    }

    /// The floor on this folder.
    pub(crate) async fn floor(data: &Path, rows: (&str, String)) -> Outcome<Self> {
        let address = free_address()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("floor").arg(data).env("FLOOR_LISTEN", address.to_string()).env(rows.0, rows.1);
        Self::start(command, address, address).await
    }

    async fn start(mut command: Command, address: SocketAddr, admin: SocketAddr) -> Outcome<Self> {
        let begin = Instant::now();
        let child = command.stdin(Stdio::null()).stderr(Stdio::inherit()).spawn()?;
        let mut server = Self { command, child, address, admin, ready: Duration::ZERO };
        server.ready = server.listens(begin).await?;
        Ok(server)
    }

    /// Ends it at once, as a crash would.
    pub(crate) fn kill(&mut self) -> Outcome<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Starts it again, where it was.
    pub(crate) async fn start_again(&mut self) -> Outcome<()> {
        let begin = Instant::now();
        self.child = self.command.spawn()?;
        self.ready = self.listens(begin).await?;
        Ok(())
    }

    async fn listens(&mut self, begin: Instant) -> Outcome<Duration> {
        while TcpStream::connect(self.address).await.is_err() {
            if begin.elapsed() > Duration::from_mins(1) || self.child.try_wait()?.is_some() {
                return Err(format!("the server on {} did not start", self.address).into());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(begin.elapsed())
    }

    pub(crate) async fn channels(&self) -> Outcome<Vec<Channel>> {
        connect(self.address).await
    }

    /// What it holds in memory, in MiB.
    pub(crate) fn resident(&self) -> Outcome<f64> {
        self.mebibytes("status", "VmRSS:")
    }

    /// The same, of what it shares with other processes only its part: of the program itself, for the most.
    pub(crate) fn proportional(&self) -> Outcome<f64> {
        self.mebibytes("smaps_rollup", "Pss:")
    }

    fn mebibytes(&self, file: &str, name: &str) -> Outcome<f64> {
        let told = std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id()))?;
        let line = told.lines().find_map(|line| line.strip_prefix(name)).ok_or_else(|| format!("no {name}"))?;
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

/// A page of plain HTTP.
pub(crate) async fn read_page(address: SocketAddr, path: &str) -> Outcome<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").as_bytes()).await?;
    let mut page = String::new();
    stream.read_to_string(&mut page).await?;
    Ok(page)
}

fn free_address() -> Outcome<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
