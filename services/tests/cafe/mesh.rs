//! The same with every context in a process of its own.

use crate::common::{OnlyHere, Story, all_are_told, tell};
use crate::{acceptance, contract, outage, watch};

/// Why a story is told in one process only.
const ONLY_HERE: OnlyHere = &[
    ("cafe::backup", "it copies files; databases are dumped in tests/mesh"),
    ("cafe::binary", "it is about the program"),
    ("cafe::breaker", "it reads the metrics of this process"),
    ("cafe::carriers", "notification's own process is tried with the notifiers where they are"),
    ("cafe::kill", "it kills one process; those of the mesh are killed in tests/mesh"),
    ("cafe::limits", "it is about the limits of one process"),
    ("cafe::mesh", "it tells the others"),
    ("cafe::metrics", "it is about what one process counts"),
    ("cafe::operations", "it looks into files; what operators see of a mesh is in tests/mesh"),
    (
        "cafe::outage::a_provider_that_is_away_takes_nothing",
        "it switches the provider off, which is in payment's process",
    ),
    ("cafe::outage::cafe_n2_a_refund_outlives_an_outage_of_the_provider", "it switches the provider off"),
];

fn told() -> Vec<Story> {
    [acceptance::STORIES, contract::STORIES, outage::STORIES, watch::STORIES].concat()
}

/// CAP-1, CAP-9: the stories of the coffee shop on PostgreSQL and JetStream, in fifteen processes; who is away was
/// killed.
#[tokio::test(flavor = "multi_thread")]
async fn the_stories_of_the_coffee_shop_in_fifteen_processes() {
    tell(&told()).await;
}

#[test]
fn every_story_is_told_on_the_mesh_or_says_why_not() {
    all_are_told("cafe", &told(), ONLY_HERE);
}
