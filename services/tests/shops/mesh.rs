//! The same with every context in a process of its own.

use crate::common::{OnlyHere, Story, all_are_told, tell};
use crate::{cinema, library, my_page, rush, seat_later, store};

/// Why a story is told in one process only.
const ONLY_HERE: OnlyHere = &[
    (
        "shops::cinema::a_provider_that_is_away_is_an_outage",
        "it switches the provider off, which is in payment's process",
    ),
    ("shops::cinema::a_provider_that_hangs_costs_nobody_anything", "it switches the provider off"),
    ("shops::mesh", "it tells the others"),
];

fn told() -> Vec<Story> {
    let store = [store::acceptance::STORIES, store::outage::STORIES, store::contract::STORIES];
    let library = [library::acceptance::STORIES, library::outage::STORIES, library::contract::STORIES];
    let cinemas = [cinema::STORIES, seat_later::STORIES, my_page::STORIES, rush::STORIES];
    [store.concat(), library.concat(), cinemas.concat()].concat()
}

/// CAP-1, CAP-9: the stories of the shops on PostgreSQL and JetStream, in fifteen processes; who is away was killed.
#[tokio::test(flavor = "multi_thread")]
async fn the_stories_of_the_shops_in_fifteen_processes() {
    tell(&told()).await;
}

#[test]
fn every_story_is_told_on_the_mesh_or_says_why_not() {
    all_are_told("shops", &told(), ONLY_HERE);
}
