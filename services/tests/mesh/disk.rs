//! A disk that is full.

use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use highstreet::ContextName::Payment;
use highstreet_testkit::servers::within;
use tonic::Code;
use tonic_types::StatusExt;

use crate::harness::{Load, Mesh, Plan, RECOVERY, Replica, lattes};

const PHONE: &str = "010-2222-2222";

/// A small disk, gone when it is dropped.
struct Disk(PathBuf);

// === impl Disk ===

impl Disk {
    /// A disk that belongs to whoever `folder` does; `None` where that is not allowed.
    fn mount(folder: &Path) -> Option<Self> {
        fs::create_dir_all(folder).unwrap();
        let owner = fs::metadata(folder).unwrap();
        let options = format!("size=32m,mode=700,uid={},gid={}", owner.uid(), owner.gid());
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder).status();
        mounted.is_ok_and(|status| status.success()).then(|| Self(folder.into()))
    }

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
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// CAP-9: payment keeps its payments in files, and their disk is full.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_under_files_refuses_and_loses_nothing() {
    let mut mesh = Mesh::prepare(Plan::default().with(Payment, &["--store", "payment=sqlite"])).await;
    let Some(disk) = Disk::mount(&mesh.data(mesh.places(Payment)[0])) else { return not_tested() };
    refuses_and_loses_nothing(&mut mesh, &disk).await;
}

/// CAP-9: the disk under PostgreSQL's tables is full.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_under_postgresql_refuses_and_loses_nothing() {
    let mut mesh = Mesh::prepare(Plan::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let owner = fs::metadata(format!("/proc/{}", mesh.postgres.id().unwrap())).unwrap();
    chown(folder.path(), Some(owner.uid()), Some(owner.gid())).unwrap();
    let Some(disk) = Disk::mount(folder.path()) else { return not_tested() };
    mesh.postgres.run(&format!("CREATE TABLESPACE small LOCATION '{}'", folder.path().display()));
    mesh.postgres.run("ALTER DATABASE highstreet SET TABLESPACE small");
    refuses_and_loses_nothing(&mut mesh, &disk).await;
    mesh.postgres.kill();
}

fn not_tested() {
    eprintln!("not tested: mounting a small disk needs root");
}

/// Calls are refused clearly, nothing is lost, and everything works again when there is room.
async fn refuses_and_loses_nothing(mesh: &mut Mesh, disk: &Disk) {
    mesh.start_all().await;
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
