//! Runs what is in the image: unpacked from its layers, with nothing of this machine around it.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::layout;
use crate::servers::is_root;
use crate::shell::{command, read, run, succeeds};

/// How long it may take to be ready, and to end.
const PATIENCE: Duration = Duration::from_mins(1);

/// The image's file system and how it is run.
struct Unpacked<'a> {
    root: &'a Path,
    config: Value,
}

/// A process that is ended when this is dropped.
struct Running(Child);

/// Serves from it, asks for its health, plays every shop's story against it, and stops it.
pub(super) fn test(folder: &Path) -> Result<(), String> {
    let root = folder.join("unpacked");
    let wrong = |error: std::io::Error| format!("{}: {error}", root.display());
    if root.exists() {
        fs::remove_dir_all(&root).map_err(wrong)?;
    }
    fs::create_dir_all(&root).map_err(wrong)?;
    let config = layout::unpack(folder, &root)?["config"].clone();
    let image = Unpacked { root: &root, config };
    image.is_static()?;
    let (listen, admin) = (free_address()?, free_address()?);
    let log = folder.join("serve.log");
    let serve = ["--listen", &listen, "--admin", &admin];
    let mut server = image.start(&serve, &log)?;
    let health = ["healthcheck", "--admin", &admin];
    server.wait("it is ready", &log, || succeeds(&mut image.program(&health)))?;
    read(&mut image.program(&["demo", "all", "--target", &format!("http://{listen}")]))?;
    if !root.join("data/ordering.db").exists() {
        return Err(format!("it keeps nothing in {}/data, where the image says it does", root.display()));
    }
    run(command("kill").args(["-TERM", &server.0.id().to_string()]))?;
    server.ends(&log)?;
    if succeeds(&mut image.program(&health)) {
        return Err("its health check succeeds without a server".into());
    }
    fs::remove_dir_all(&root).map_err(wrong)
}

fn free_address() -> Result<String, String> {
    let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    address.map(|address| address.to_string()).map_err(|error| format!("there is no free port on 127.0.0.1: {error}"))
}

// === impl Unpacked ===

impl Unpacked<'_> {
    /// Whether the program needs nothing of a system: no loader is named in it.
    fn is_static(&self) -> Result<(), String> {
        let program = self.root.join(super::files::PROGRAM);
        let said = read(command("readelf").args(["--program-headers", "--wide"]).arg(&program))
            .map_err(|why| format!("{why}: install binutils, which reads programs"))?;
        if said.contains("INTERP") { Err(format!("{} is not static", program.display())) } else { Ok(()) }
    }

    /// The image's entry point with `arguments`, as the image's user. Only root may change its root folder: for others
    /// the program runs from where it was unpacked, and keeps its data there.
    fn program(&self, arguments: &[&str]) -> Command {
        let entry = self.config["Entrypoint"][0].as_str().unwrap_or_default();
        let mut command = if is_root() {
            let mut chroot = Command::new("chroot");
            let user = self.config["User"].as_str().unwrap_or_default();
            chroot.arg(format!("--userspec={user}")).arg(self.root).arg(entry);
            chroot
        } else {
            Command::new(self.root.join(entry.trim_start_matches('/')))
        };
        command.args(arguments).env_clear();
        // chroot itself has to be found; the image has no other program.
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        for (name, value) in self.config["Env"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .filter_map(|pair| pair.split_once('='))
        {
            let inside = is_root() || !value.starts_with('/');
            match name {
                "PATH" => {}
                _ if inside => drop(command.env(name, value)),
                _ => drop(command.env(name, self.root.join(value.trim_start_matches('/')))),
            }
        }
        command
    }

    fn start(&self, arguments: &[&str], log: &Path) -> Result<Running, String> {
        let wrong = |error: std::io::Error| format!("{}: {error}", log.display());
        let out = File::create(log).map_err(wrong)?;
        let also = out.try_clone().map_err(wrong)?;
        let default = self.config["Cmd"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let all: Vec<&str> = default.chain(arguments.iter().copied()).collect();
        let mut command = self.program(&all);
        let child = command.stdin(Stdio::null()).stdout(out).stderr(also).spawn();
        child.map(Running).map_err(|error| format!("the image's program does not start: {error}"))
    }
}

// === impl Running ===

impl Running {
    /// Returns once `done` says so.
    fn wait(&mut self, what: &str, log: &Path, mut done: impl FnMut() -> bool) -> Result<(), String> {
        let begin = now();
        while !done() {
            if let Ok(Some(status)) = self.0.try_wait() {
                return Err(format!("the image's program ended ({status}); see {}", log.display()));
            }
            if begin.elapsed() > PATIENCE {
                return Err(format!("not within {PATIENCE:?}: {what}; see {}", log.display()));
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Returns once it has ended well.
    fn ends(&mut self, log: &Path) -> Result<(), String> {
        let begin = now();
        loop {
            match self.0.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => {
                    return Err(format!("it was told to end, and did so with {status}; see {}", log.display()));
                }
                Ok(None) if begin.elapsed() > PATIENCE => {
                    return Err(format!("it does not end; see {}", log.display()));
                }
                Ok(None) => std::thread::park_timeout(Duration::from_millis(50)),
                Err(error) => return Err(format!("{}: {error}", log.display())),
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[allow(clippy::disallowed_methods, reason = "how long it takes is not decided by a clock that tests move")]
fn now() -> Instant {
    Instant::now()
}
