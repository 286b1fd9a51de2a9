//! A next release, with another schema and other stored states.

use std::path::{Path, PathBuf};

use highstreet::ContextName::{self, Ordering, Payment};

use crate::harness::{HIGHSTREET, Load, Mesh, Plan};

/// CAP-16: process after process is upgraded while customers order; old and new work side by side on one schema, and not
/// one call fails. Nor when two contexts are taken back.
#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_upgrade_fails_no_call_and_can_be_taken_back() {
    let plan = Plan::default().replicas(2).gateways(2).all_with(&["--drain", "300ms"]);
    let mut mesh = Mesh::with(plan).await;
    let load = Load::everywhere(&mesh.calls(), 6).with_onlookers(6);
    load.busy(10).await;
    assert!(ContextName::ALL.iter().all(|context| !is_migrated(&mesh, *context)), "this release knows the next one");
    // The first of each, then the second: both work side by side for as long as can be.
    for turn in 0..2 {
        for place in (0..mesh.replicas.len()).skip(turn).step_by(2) {
            run(&mut mesh, place, &next_release()).await;
        }
        load.busy(10).await;
    }
    assert!(ContextName::ALL.iter().all(|context| is_migrated(&mesh, *context)), "the next release migrates");
    for place in [mesh.places(Ordering), mesh.places(Payment)].concat() {
        run(&mut mesh, place, Path::new(HIGHSTREET)).await;
    }
    load.busy(10).await;
    let calls = load.calls.clone();
    let notes = load.stop().await;
    assert_eq!(calls.counted().failed, [""; 0]);
    mesh.settle(&notes).await;
}

/// CAP-9: files, too, are brought up to date by the next release, and read on.
#[tokio::test(flavor = "multi_thread")]
async fn files_are_read_by_the_next_release() {
    const IN_FILES: [ContextName; 2] = [Ordering, Payment];
    let sqlite = |plan: Plan, context: ContextName| plan.with(context, &["--store", &format!("{context}=sqlite")]);
    let mut mesh = Mesh::with(IN_FILES.into_iter().fold(Plan::default(), sqlite)).await;
    let load = Load::start(&mesh.calls(), 4);
    load.busy(10).await;
    for context in IN_FILES {
        let place = mesh.places(context)[0];
        let file = mesh.data(place).join(format!("{context}.db"));
        let before = version(&file);
        run(&mut mesh, place, &next_release()).await;
        assert_eq!(version(&file), before + 1, "{context}");
    }
    load.busy(10).await;
    let notes = load.stop().await;
    mesh.settle(&notes).await;
}

fn next_release() -> PathBuf {
    let program = Path::new(HIGHSTREET).with_file_name("highstreet-next");
    assert!(program.exists(), "{} is not built: cargo xtask next-release builds it", program.display());
    program
}

fn version(file: &Path) -> i64 {
    let file = rusqlite::Connection::open(file).unwrap();
    file.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

async fn run(mesh: &mut Mesh, place: usize, program: &Path) {
    let replica = &mut mesh.replicas[place];
    replica.stopped().await;
    replica.program = program.into();
    replica.started().await;
}

fn is_migrated(mesh: &Mesh, context: ContextName) -> bool {
    let column = "SELECT count(*) FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = \
                  'streams' AND column_name = 'next'";
    mesh.ask(context, column).trim() == "1"
}
