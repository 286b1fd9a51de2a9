//! The same with every context in a process of its own.

use crate::common::tell;
use crate::{acceptance, outage, watch};

/// CAP-1, CAP-9: the stories of the coffee shop on PostgreSQL and JetStream, in fifteen processes; who is away was
/// killed.
#[tokio::test(flavor = "multi_thread")]
async fn the_stories_of_the_coffee_shop_in_fifteen_processes() {
    tell(&[acceptance::STORIES, outage::STORIES, watch::STORIES].concat()).await;
}
