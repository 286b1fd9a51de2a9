//! A PostgreSQL server.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;
use tokio::net::TcpStream;

use super::process::{Proc, eventually, faketime, free_port};

/// Who gets in: everybody, but members of the role `guarded` only with their password.
const GUESTS: &str = "\
local all all trust
host all +guarded 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
";

/// A running PostgreSQL server, with a database called `highstreet` and nobody to keep out.
#[derive(Debug)]
pub struct PostgresServer {
    process: Option<Proc>,
    folder: TempDir,
    port: u16,
    settings: Vec<String>,
    /// How far its clock is off, as libfaketime reads it.
    clock: Option<String>,
}

// === impl PostgresServer ===

impl PostgresServer {
    /// A new server that answers before its disk does: fast, and safe from everything but a loss of power.
    pub async fn start() -> Self {
        Self::start_with(&["fsync=off"]).await
    }

    /// A new server with these settings, each `name=value`.
    pub async fn start_with(settings: &[&str]) -> Self {
        Self::new(settings).up().await
    }

    /// A new server whose clock is off by this, such as `-1h`.
    pub async fn start_at(clock: &str) -> Self {
        let mut server = Self::new(&["fsync=off"]);
        server.clock = Some(clock.to_owned());
        server.up().await
    }

    /// A new server that encrypts. Its certificate comes from the authority in [`Self::authority`].
    pub async fn start_secured() -> Self {
        let mut server = Self::new(&["fsync=off", "ssl=on"]);
        for (setting, file) in [("ssl_cert_file", "server.pem"), ("ssl_key_file", "server.key")] {
            server.settings.push(format!("{setting}={}", server.folder.path().join(file).display()));
        }
        server.certify();
        server.up().await
    }

    /// A new server that is not running yet.
    fn new(settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("no folder for PostgreSQL: {error}"));
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap_or_else(|error| panic!("no folder for PostgreSQL: {error}"));
        if let Some((user, group)) = other_user() {
            for path in [folder.path(), &data] {
                chown(path, Some(user), Some(group))
                    .unwrap_or_else(|error| panic!("chown {}: {error}", path.display()));
            }
        }
        let made = program("initdb")
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-locale", "--no-sync", "--pgdata"])
            .arg(&data)
            .output()
            .unwrap_or_else(|error| panic!("cannot run initdb: {error}; apt-get install postgresql"));
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        fs::write(data.join("pg_hba.conf"), GUESTS).unwrap_or_else(|error| panic!("pg_hba.conf: {error}"));
        let settings = settings.iter().map(|setting| (*setting).to_owned()).collect();
        Self { process: None, folder, port: free_port(), settings, clock: None }
    }

    async fn up(mut self) -> Self {
        self.restart().await;
        self.run("CREATE DATABASE highstreet");
        self
    }

    /// The certificate of the authority that a secured server's certificate comes from, as PEM.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    /// Makes an authority, and a certificate of the server's that comes from it.
    fn certify(&self) {
        let names = "printf 'subjectAltName=IP:127.0.0.1,DNS:localhost' > names";
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        let authority = format!("openssl req -x509 {key} -subj /CN=authority -keyout authority.key -out authority.pem");
        let wanted = format!("openssl req {key} -subj /CN=localhost -keyout server.key -out wanted");
        let server = "openssl x509 -req -in wanted -CA authority.pem -CAkey authority.key -CAcreateserial \
                      -extfile names -out server.pem";
        let script = [names, &authority, &wanted, server, "chmod 600 server.key"].join(" && ");
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).current_dir(self.folder.path());
        if let Some((user, group)) = other_user() {
            shell.uid(user).gid(group);
        }
        let done = shell.output().unwrap_or_else(|error| panic!("cannot run sh: {error}"));
        assert!(done.status.success(), "openssl: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// The address of its database.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/highstreet", self.port)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// One of PostgreSQL's own programs, such as `pgbench`.
    pub fn program(&self, name: &str) -> PathBuf {
        folder_of_programs().join(name)
    }

    /// The process that started all others.
    pub fn id(&self) -> Option<u32> {
        self.process.as_ref().map(Proc::id)
    }

    /// Runs a statement as its owner, in the database `postgres`; returns what it prints.
    pub fn run(&self, sql: &str) -> String {
        self.run_in("postgres", sql)
    }

    /// Runs a statement as its owner; returns what it prints.
    pub fn run_in(&self, database: &str, sql: &str) -> String {
        let port = self.port.to_string();
        let done = program("psql")
            .args(["--host=127.0.0.1", "--username=postgres", "--no-psqlrc", "--tuples-only", "--no-align"])
            .args(["--set=ON_ERROR_STOP=1", "--port", &port, "--dbname", database, "--command", sql])
            .output()
            .unwrap_or_else(|error| panic!("cannot run psql: {error}"));
        assert!(done.status.success(), "{sql}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).trim().to_owned()
    }

    /// Ends it and all its sessions at once, as a loss of power would: `SIGQUIT` to the first process, which takes
    /// the others along. (`SIGKILL` would leave them running.)
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.signal("QUIT");
            while process.ended().is_none() {
                std::thread::yield_now();
            }
        }
    }

    /// Starts it again, on the same port and with what it kept.
    pub async fn restart(&mut self) {
        self.kill();
        let log = fs::File::options().create(true).append(true).open(self.folder.path().join("log"));
        let log = log.unwrap_or_else(|error| panic!("no log for PostgreSQL: {error}"));
        let mut command = program("postgres");
        command.arg("-D").arg(self.folder.path().join("data")).args(["-p", &self.port.to_string()]);
        let socket = format!("unix_socket_directories={}", self.folder.path().display());
        let own = ["listen_addresses=127.0.0.1", &socket, "max_connections=300", "shared_buffers=256MB"];
        for setting in own.into_iter().chain(self.settings.iter().map(String::as_str)) {
            command.args(["-c", setting]);
        }
        if let Some(clock) = &self.clock {
            command.env("LD_PRELOAD", faketime()).env("FAKETIME", clock).env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        }
        command.stdout(Stdio::null()).stderr(log);
        self.process = Some(Proc::start(&mut command));
        let address = ("127.0.0.1", self.port);
        eventually("PostgreSQL listens", || async { TcpStream::connect(address).await.ok() }).await;
        // It listens before it lets anybody in.
        eventually("PostgreSQL is ready", || async { self.is_ready().then_some(()) }).await;
    }

    /// What it wrote to its log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn is_ready(&self) -> bool {
        let port = self.port.to_string();
        let asked = program("pg_isready").args(["--quiet", "--host=127.0.0.1", "--port", &port]).status();
        asked.is_ok_and(|status| status.success())
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// One of PostgreSQL's programs, as somebody it agrees to run as.
fn program(name: &str) -> Command {
    let mut command = Command::new(folder_of_programs().join(name));
    if let Some((user, group)) = other_user() {
        command.uid(user).gid(group).current_dir("/");
    }
    command
}

/// Debian keeps the server's programs off the path, in a folder for each version.
fn folder_of_programs() -> PathBuf {
    if let Some(folder) = std::env::var_os("HIGHSTREET_POSTGRES") {
        return folder.into();
    }
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.map(|entry| entry.path().join("bin")).filter(|bin| bin.join("postgres").exists()).max();
    newest.unwrap_or_else(|| {
        let found = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
            .find(|folder| folder.join("postgres").exists());
        found.unwrap_or_else(|| panic!("PostgreSQL is not installed; apt-get install postgresql, or name the folder of its programs in HIGHSTREET_POSTGRES"))
    })
}

/// PostgreSQL refuses to run as root: whom it runs as instead.
fn other_user() -> Option<(u32, u32)> {
    let me = fs::metadata("/proc/self").map(|metadata| metadata.uid()).unwrap_or_default();
    let users = fs::read_to_string(Path::new("/etc/passwd")).unwrap_or_default();
    let find = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    if me == 0 { find("postgres").or_else(|| find("nobody")) } else { None }
}
