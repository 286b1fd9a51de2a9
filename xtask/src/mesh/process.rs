//! One process of the mesh: started, found again by whoever runs next, ended.

use std::fs::{self, File};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::wait;
use crate::shell::{command, run};

/// One process of the mesh.
#[derive(Clone)]
pub(super) struct Process {
    pub(super) name: String,
    pub(super) port: u16,
    /// Where it says whether it lives, if it is one of ours.
    pub(super) admin: Option<u16>,
    /// The signal that ends it gracefully.
    pub(super) end: &'static str,
    /// What its program's name begins with, to the kernel.
    pub(super) program: &'static str,
}

// === impl Process ===

impl Process {
    /// Who looks after the others.
    pub(super) fn supervisor() -> Self {
        Self { name: "supervisor".into(), port: 0, admin: None, end: "TERM", program: "xtask" }
    }

    /// Starts it in a group of its own, so that whoever stops this program does not stop it too.
    pub(super) fn start(&self, folder: &Path, mut command: Command) -> Result<Child, String> {
        let path = folder.join(format!("{}.log", self.name));
        let log = File::options().create(true).append(true).open(&path);
        let log = log.map_err(|error| format!("{}: {error}", path.display()))?;
        let also = log.try_clone().map_err(|error| format!("{}: {error}", path.display()))?;
        command.stdin(Stdio::null()).stdout(log).stderr(also).process_group(0);
        let child = command.spawn().map_err(|error| format!("cannot start {}: {error}", self.name))?;
        fs::write(folder.join(format!("{}.pid", self.name)), child.id().to_string())
            .map_err(|error| format!("{}: {error}", self.name))?;
        Ok(child)
    }

    /// Returns once it listens; an error if it ends instead.
    pub(super) fn listens(&self, child: &mut Child, folder: &Path) -> Result<(), String> {
        let mut ended = false;
        wait(&format!("{} listens on port {}", self.name, self.port), || {
            ended = child.try_wait().is_ok_and(|status| status.is_some());
            ended || TcpStream::connect(("127.0.0.1", self.port)).is_ok()
        })?;
        let log = folder.join(format!("{}.log", self.name));
        if ended { Err(format!("{} ended at once; see {}", self.name, log.display())) } else { Ok(()) }
    }

    /// Asks it to end; it may take its time.
    pub(super) fn signal(&self, signal: &str, folder: &Path) -> Result<(), String> {
        let Some(id) = self.id(folder) else { return Ok(()) };
        run(command("kill").arg(format!("-{signal}")).arg(id.to_string()))
    }

    pub(super) fn id(&self, folder: &Path) -> Option<u32> {
        fs::read_to_string(folder.join(format!("{}.pid", self.name))).ok()?.parse().ok()
    }

    /// Whether the process that was started still runs, and its number is not somebody else's by now.
    pub(super) fn is_running(&self, folder: &Path) -> bool {
        let Some(id) = self.id(folder) else { return false };
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let ended = status.contains("\nState:\tZ");
        let named = status.lines().next().is_some_and(|line| line.contains(self.program));
        named && !ended
    }
}
