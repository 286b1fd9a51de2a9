//! More than one of everything.

use highstreet::ContextName::{
    self, Booking, Delivery, Inventory, Kitchen, Loyalty, Notification, Ordering, Payment, Seating, Ticketing, Tracking,
};

use crate::harness::{Load, Mesh, Plan};

/// How much a replica did: of calls, and of what others published.
async fn work(mesh: &Mesh, place: usize) -> (f64, f64) {
    let metrics = mesh.replicas[place].metrics().await;
    let sum = |what: &dyn Fn(&str) -> bool| {
        let lines = metrics.lines().filter(|line| what(line));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    };
    let calls = |line: &str| line.starts_with("rpc_server_duration_seconds_count") && line.contains("highstreet.");
    let heard = |line: &str| line.starts_with("highstreet_messages_total") && line.contains("outcome=\"done\"");
    (sum(&calls), sum(&heard))
}

/// Every replica of these heard messages, and of `called` answered calls.
async fn everybody_worked(mesh: &Mesh, heard: &[ContextName], called: &[ContextName]) {
    for context in heard {
        for place in mesh.places(*context) {
            let (calls, messages) = work(mesh, place).await;
            let worked = messages > 0.0 && (calls > 0.0 || !called.contains(context));
            assert!(worked, "{} answered {calls} calls and heard {messages}", mesh.replicas[place].name());
        }
    }
}

/// CAP-4: two replicas of every context share the work, and each effect is there once.
#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_of_everything_share_the_work() {
    let mesh = Mesh::with(Plan::default().replicas(2)).await;
    let load = Load::everywhere(&mesh.calls(), 8);
    load.busy(100).await;
    load.busy_everywhere(20).await;
    let notes = load.stop().await;
    mesh.settle(&notes).await;
    let heard =
        [Ordering, Payment, Kitchen, Delivery, Loyalty, Tracking, Inventory, Booking, Seating, Ticketing, Notification];
    everybody_worked(&mesh, &heard, &[Ordering, Payment, Booking, Seating]).await;
}

/// CAP-4: four replicas, of those that write for each other most.
#[tokio::test(flavor = "multi_thread")]
async fn four_replicas_do_nothing_twice() {
    let four = [Ordering, Payment, Loyalty, Tracking];
    let plan = four.into_iter().fold(Plan::default(), |plan, context| plan.replicas_of(context, 4));
    let mesh = Mesh::with(plan).await;
    let load = Load::start(&mesh.calls(), 12);
    load.busy(150).await;
    let notes = load.stop().await;
    mesh.settle(&notes).await;
    everybody_worked(&mesh, &[Ordering, Payment], &[Ordering, Payment]).await;
}

/// CAP-4, CAP-3: second replicas of all contexts join a busy shop; then the first ones leave, half of them without a word.
#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_join_and_leave_lose_nothing() {
    let mut mesh = Mesh::prepare(Plan::default().replicas(2)).await;
    for place in 0..mesh.replicas.len() {
        if !ContextName::ALL.iter().any(|context| mesh.places(*context)[1] == place) {
            mesh.replicas[place].start();
        }
    }
    for replica in mesh.replicas.iter().filter(|replica| replica.is_running()) {
        replica.ready().await;
    }
    let load = Load::everywhere(&mesh.calls(), 8);
    load.busy(20).await;
    mesh.start_all().await;
    load.busy(20).await;
    for (number, context) in ContextName::ALL.into_iter().enumerate() {
        let first = mesh.of(context);
        if number % 2 == 0 { first.kill() } else { first.stopped().await }
    }
    load.busy(20).await;
    mesh.recovers().await;
    let notes = load.stop().await;
    mesh.settle(&notes).await;
}
