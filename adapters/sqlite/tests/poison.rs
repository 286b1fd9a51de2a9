//! One row that cannot be read stops nobody: its facts become dead letters, the others are folded.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::sync::Arc;
use std::time::Duration;

use highstreet_domain::kernel::ports::{Bus, Clock, DeadLetters, Save, Subscription, Views};
use highstreet_domain::kernel::{Message, Origin, Projector, View};
use highstreet_foundation::SystemClock;
use highstreet_sqlite::{EmbeddedBus, SqliteViews, Store};
use highstreet_testkit::counter::{Tally, Told};
use rusqlite::Connection;
use uuid::Uuid;

fn message(number: u8) -> Message {
    Message {
        id: Uuid::from_u128(u128::from(number)),
        source: "counting".into(),
        name: "Told".into(),
        subject: Uuid::from_u128(1),
        time: SystemClock.now(),
        origin: Origin::default(),
        body: vec![number],
    }
}

/// Each message belongs to a row of its own.
fn told(message: &Message) -> Told {
    let number = message.body[0];
    Told { row: format!("row {number}"), source: "one".into(), revision: 1, number: number.into() }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_unreadable_row_stops_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tallies.db");
    let bus = EmbeddedBus::open(&folder.path().join("bus.db")).unwrap();
    let views = || Arc::new(SqliteViews::<Tally>::new(Arc::new(Store::open_context(&path).unwrap())));
    let view = Tally::default();
    let save = Save { key: "row 2".into(), version: 0, index: view.index(), view, time: SystemClock.now() };
    views().save(vec![save]).await.unwrap();
    Connection::open(&path).unwrap().execute("UPDATE views SET state = x'00'", []).unwrap();

    bus.publish((1..=3).map(message).collect()).await.unwrap();
    let names = vec!["Told".into()];
    let subscription = Subscription { consumer: "tallies".into(), source: "counting".into(), names };
    let views: Arc<dyn Views<Tally>> = views();
    let projector = Projector {
        seeing: Arc::new(|message: &Message| Ok(Some(told(message)))),
        views: views.clone(),
        clock: Arc::new(SystemClock),
    };
    let running = tokio::spawn(projector.run(bus.subscribe(&subscription).await.unwrap()));
    let keys = ["row 1".to_owned(), "row 3".to_owned()];
    let done = async {
        loop {
            let folded = views.load(&keys).await.unwrap().iter().all(Option::is_some);
            let dead: Vec<_> = bus
                .behind("tallies", 0, 10)
                .await
                .unwrap()
                .into_iter()
                .filter_map(|letter| letter.message.map(|it| it.id))
                .collect();
            if folded && dead == [Uuid::from_u128(2)] {
                return;
            }
            SystemClock.until(SystemClock.now().after(Duration::from_millis(10))).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), done).await.unwrap();
    running.abort();
}
