//! The same with every context in a process of its own.

use crate::common::tell;
use crate::{cinema, my_page, rush, seat_later};

/// CAP-1, CAP-9: the stories of the shops on PostgreSQL and JetStream, in fifteen processes; who is away was killed.
#[tokio::test(flavor = "multi_thread")]
async fn the_stories_of_the_shops_in_fifteen_processes() {
    tell(&[cinema::STORIES, seat_later::STORIES, my_page::STORIES, rush::STORIES].concat()).await;
}
