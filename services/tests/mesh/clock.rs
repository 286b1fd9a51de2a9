//! A clock that jumps under a running replica.

use std::fs;
use std::path::Path;

use highstreet::ContextName::{self, Notification, Ordering, Payment};
use highstreet_testkit::servers::{eventually, faketime};

use crate::harness::{Load, Mesh, Plan};

/// Whose second replica has that clock: those that call somebody, and hold leases for it.
const JUMPING: [ContextName; 3] = [Ordering, Payment, Notification];

/// From now on the clock is off by `seconds`.
fn jump(file: &Path, seconds: &str) {
    let new = file.with_extension("new");
    fs::write(&new, format!("{seconds}\n")).unwrap();
    fs::rename(new, file).unwrap();
}

/// CAP-4: one replica of ordering, payment and notification jumps an hour ahead, and then an hour back. It takes leases
/// too early and holds them too long; each effect is there once all the same, because each has its key.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_does_nothing_twice() {
    let plan = JUMPING.into_iter().fold(Plan::default(), |plan, it| plan.replicas_of(it, 2));
    // Orders that nobody has paid yet are not to be an hour too late.
    let plan = plan.all_with(&["--pay-within", "3h", "--provider-latency", "5ms..30ms"]);
    let mut mesh = Mesh::prepare(plan).await;
    let file = mesh.folder.path().join("clock");
    jump(&file, "+0");
    for context in JUMPING {
        let place = mesh.places(context)[1];
        mesh.replicas[place].variables.extend([
            ("LD_PRELOAD".into(), faketime().display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE".into(), file.display().to_string()),
            ("FAKETIME_CACHE_DURATION".into(), "1".into()),
            // Clocks that only count are not set.
            ("FAKETIME_DONT_FAKE_MONOTONIC".into(), "1".into()),
        ]);
    }
    mesh.start_all().await;
    let load = Load::start(&mesh.calls(), 6);
    for (seconds, shown) in
        [("+3600", "e.time > now.time + 1800"), ("-3600", "e.time < now.time - 1800"), ("+0", "true")]
    {
        load.busy(20).await;
        jump(&file, seconds);
        // It looks at the file once a second.
        for context in JUMPING {
            let events =
                "(SELECT time / 1000000 AS time FROM events) e, (SELECT extract(epoch FROM now()) AS time) now";
            let some = format!("SELECT count(*) > 0 FROM {events} WHERE {shown}");
            eventually("the jump shows", || async { (mesh.ask(context, &some) == "t").then_some(()) }).await;
        }
        load.busy(20).await;
    }
    mesh.recovers().await;
    let notes = load.stop().await;
    mesh.settle(&notes).await;
}
