//! A disk that is full.

use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

use highstreet::ContextName::Payment;
use highstreet_testkit::servers::within;
use tonic::Code;
use tonic_types::StatusExt;

use crate::harness::{Load, Mesh, Plan, RECOVERY, Replica, lattes};

const PHONE: &str = "010-2222-2222";

/// What runs out of room.
trait Room {
    /// From now on there is none.
    fn fill(&self);
    /// There is room again.
    fn clear(&self);
}

/// A small disk, gone when it is dropped.
struct Disk(PathBuf);

/// A process that may not write files beyond their first page.
struct Limited(u32);

// === impl Disk ===

impl Disk {
    /// A disk that belongs to whoever `folder` does.
    fn mount(folder: &Path) -> Self {
        fs::create_dir_all(folder).unwrap();
        let owner = fs::metadata(folder).unwrap();
        let options = format!("size=32m,mode=700,uid={},gid={}", owner.uid(), owner.gid());
        let place = folder.to_str().unwrap();
        let mounted = as_root(&["mount", "-t", "tmpfs", "-o", &options, "tmpfs", place]);
        assert!(
            mounted,
            "a small disk cannot be mounted: run this test as root, or let this user run `sudo -n mount`; or leave it \
             out by name, as in `cargo test … -- --skip full_disk`"
        );
        Self(folder.into())
    }
}

/// Runs a command as root, if that is allowed.
fn as_root(words: &[&str]) -> bool {
    let is_done = |mut command: Command| command.stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    let (mut plain, mut sudo) = (Command::new(words[0]), Command::new("sudo"));
    plain.args(&words[1..]);
    sudo.arg("-n").args(words);
    is_done(plain) || is_done(sudo)
}

impl Room for Disk {
    fn fill(&self) {
        let mut ballast = fs::File::create(self.0.join("ballast")).unwrap();
        let written = io::copy(&mut io::repeat(1), &mut ballast);
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::StorageFull);
    }

    fn clear(&self) {
        fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Still in use where a test failed; gone when that ends.
        let _ = as_root(&["umount", "--lazy", self.0.to_str().unwrap()]);
    }
}

// === impl Limited ===

impl Limited {
    fn set(&self, limit: &str) {
        let limit = format!("--fsize={limit}:unlimited");
        let done = Command::new("prlimit").args(["--pid", &self.0.to_string(), &limit]).status().unwrap();
        assert!(done.success(), "prlimit {limit}");
    }
}

impl Room for Limited {
    fn fill(&self) {
        self.set("4096");
    }

    fn clear(&self) {
        self.set("unlimited");
    }
}

/// CAP-9: payment keeps its payments in files, and may write no more.
#[tokio::test(flavor = "multi_thread")]
async fn files_that_must_not_grow_refuse_and_lose_nothing() {
    // The signal is ignored, so that a write fails; and what is logged goes through a pipe, which has no size.
    const THROUGH: [&str; 4] = ["bash", "-c", "trap '' XFSZ; exec \"$@\" > >(cat) 2>&1", "bash"];
    let mut mesh = Mesh::prepare(Plan::default().with(Payment, &["--store", "payment=sqlite"])).await;
    mesh.of(Payment).through = THROUGH.map(str::to_owned).to_vec();
    mesh.start_all().await;
    let limited = Limited(mesh.of(Payment).id());
    refuses_and_loses_nothing(&mut mesh, &limited).await;
}

/// CAP-9: payment keeps its payments in files, and their disk is full.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_under_files_refuses_and_loses_nothing() {
    let mut mesh = Mesh::prepare(Plan::default().with(Payment, &["--store", "payment=sqlite"])).await;
    let disk = Disk::mount(&mesh.data(mesh.places(Payment)[0]));
    mesh.start_all().await;
    refuses_and_loses_nothing(&mut mesh, &disk).await;
}

/// CAP-9: the disk under PostgreSQL's tables is full.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_under_postgresql_refuses_and_loses_nothing() {
    let mut mesh = Mesh::prepare(Plan::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let owner = fs::metadata(format!("/proc/{}", mesh.postgres.id().unwrap())).unwrap();
    chown(folder.path(), Some(owner.uid()), Some(owner.gid())).unwrap();
    let disk = Disk::mount(folder.path());
    mesh.postgres.run(&format!("CREATE TABLESPACE small LOCATION '{}'", folder.path().display()));
    mesh.postgres.run("ALTER DATABASE highstreet SET TABLESPACE small");
    mesh.start_all().await;
    refuses_and_loses_nothing(&mut mesh, &disk).await;
    mesh.postgres.kill();
}

/// Calls are refused clearly, nothing is lost, and everything works again when there is room.
async fn refuses_and_loses_nothing(mesh: &mut Mesh, disk: &impl Room) {
    let load = Load::start(&mesh.calls(), 4);
    load.busy(20).await;
    let calls = mesh.calls();
    let waiting = within(RECOVERY, "an order", || async { calls.place(lattes(1, PHONE)).await.ok() }).await;

    disk.fill();
    // There is room left in what has been used before.
    let refused = within(RECOVERY, "calls are refused", || async { calls.place(lattes(1, PHONE)).await.err() }).await;
    assert_eq!(refused.code(), Code::Unavailable, "{refused:?}");
    assert!(refused.get_details_retry_info().is_some(), "{refused:?}");
    let found = calls.payment(&waiting).await.unwrap();
    assert_eq!(found.payment_id, waiting.payment_id, "what is there can be read");

    disk.clear();
    mesh.recovers().await;
    calls.pay(&waiting).await.unwrap();
    let notes = load.stop().await;
    mesh.settle(&notes).await;
    // The processes go before their disk.
    mesh.replicas.iter_mut().for_each(Replica::kill);
}
