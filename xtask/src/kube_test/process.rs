//! A process of the cluster, with its log.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::servers::on_path;
use crate::shell::root;

/// A process that is ended when this is dropped.
pub(super) struct Process {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

// === impl Process ===

impl Process {
    /// Starts `program`; what it says goes to `folder`/`name`.log.
    pub(super) fn start(
        name: &'static str,
        program: &Path,
        arguments: &[String],
        folder: &Path,
    ) -> Result<Self, String> {
        let log = folder.join(format!("{name}.log"));
        let wrong = |error: std::io::Error| format!("{}: {error}", log.display());
        let out = File::create(&log).map_err(wrong)?;
        let error = out.try_clone().map_err(wrong)?;
        let mut command = bound(program);
        command.args(arguments).current_dir(folder).stdin(Stdio::null()).stdout(out).stderr(error);
        let child = command.spawn().map_err(|error| format!("cannot start {name}: {error}"))?;
        Ok(Self { name, child, log })
    }

    /// Fails if it has ended by itself.
    pub(super) fn runs(&mut self) -> Result<(), String> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(format!("{} ended ({status}); see {}", self.name, self.log.display())),
            Err(error) => Err(format!("{}: {error}", self.name)),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing of it is kept: there is nothing to end gracefully.
        let ended = self.child.kill().and_then(|()| self.child.wait());
        if let Err(error) = ended {
            eprintln!("{} (process {}) cannot be ended: {error}", self.name, self.child.id());
        }
    }
}

/// A command that ends with this process, even if that is killed, where there is the program for it (Debian always has
/// it).
fn bound(program: &Path) -> Command {
    let Some(setpriv) = on_path("setpriv") else { return Command::new(program) };
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", "KILL"]).arg(program);
    command
}

/// A loopback port that nobody listens on.
pub(super) fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    listener.map(|address| address.port()).map_err(|error| format!("there is no free port on 127.0.0.1: {error}"))
}

/// `path`, from the repository's root.
pub(super) fn ours(path: &str) -> PathBuf {
    root().join(path)
}
