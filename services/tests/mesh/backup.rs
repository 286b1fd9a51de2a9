//! A backup of PostgreSQL, taken while people order, and everything made anew from it.

use std::process::{Command, Output};

use crate::harness::{HIGHSTREET, Load, Mesh, Replica};

/// What was answered before a dump is there after everything else was lost: databases, and the broker with its disk. A
/// dump is of one instant for all contexts of a database, and the broker is filled again from it.
#[tokio::test(flavor = "multi_thread")]
async fn everything_is_made_anew_from_a_dump() {
    let mut mesh = Mesh::open().await;
    let early = Load::everywhere(&mesh.calls(), 4);
    early.busy(20).await;
    let notes = early.stop().await;
    let others = Load::start(&mesh.calls(), 4);
    others.busy(10).await;
    let dump = mesh.folder.path().join("highstreet.dump");
    let file = dump.display().to_string();
    succeeds(&program(&mesh, "pg_dump", &["--format=custom", "--file", &file, "--dbname", &mesh.postgres.url()]).await);
    others.busy(10).await;
    drop(others);

    mesh.replicas.iter_mut().for_each(Replica::kill);
    mesh.postgres.run("DROP DATABASE highstreet WITH (FORCE)");
    mesh.postgres.run("CREATE DATABASE highstreet");
    mesh.nats.restart_empty().await;

    succeeds(&program(&mesh, "pg_restore", &["--exit-on-error", "--dbname", &mesh.postgres.url(), &file]).await);
    mesh.start_all().await;
    let republish = ["ops", "republish", "--store", &mesh.postgres.url(), "--bus", &mesh.nats.url()];
    succeeds(&Command::new(HIGHSTREET).args(republish).output().unwrap());
    mesh.recovers().await;
    mesh.settle(&notes).await;
}

/// One of PostgreSQL's programs, while everybody else goes on.
async fn program(mesh: &Mesh, name: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(mesh.postgres.program(name));
    command.args(arguments);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

#[track_caller]
fn succeeds(done: &Output) {
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}
