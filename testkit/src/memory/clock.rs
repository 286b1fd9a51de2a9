//! Virtual time: it stands still until nobody has anything left to do.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use highstreet_domain::kernel::Timestamp;
use highstreet_domain::kernel::ports::Clock;

use crate::lock;

/// A clock that whoever runs the tasks puts forward.
#[derive(Debug)]
pub struct SimClock(Mutex<Face>);

#[derive(Debug)]
struct Face {
    now: Timestamp,
    waiting: BTreeMap<(Timestamp, u64), Waker>,
    alarms: u64,
}

/// Waits for a point in time; forgets its alarm when dropped, so that time never runs to one nobody waits for.
struct Until<'a> {
    clock: &'a SimClock,
    at: Timestamp,
    alarm: Option<u64>,
}

// === impl SimClock ===

impl SimClock {
    /// A clock that stands at `now`.
    pub fn starting(now: Timestamp) -> Self {
        Self(Mutex::new(Face { now, waiting: BTreeMap::new(), alarms: 0 }))
    }

    /// Goes on to the next time that somebody waits for; false if nobody does.
    pub fn go_on(&self) -> bool {
        let woken = {
            let mut face = lock(&self.0);
            let Some((&(next, _), _)) = face.waiting.first_key_value() else { return false };
            face.now = face.now.max(next);
            face.due()
        };
        woken.into_iter().for_each(Waker::wake);
        true
    }

    /// The next time that somebody waits for.
    pub fn next(&self) -> Option<Timestamp> {
        lock(&self.0).waiting.first_key_value().map(|(&(at, _), _)| at)
    }

    /// Goes on by `duration`.
    pub fn advance(&self, duration: Duration) {
        let woken = {
            let mut face = lock(&self.0);
            face.now = face.now.after(duration);
            face.due()
        };
        woken.into_iter().for_each(Waker::wake);
    }
}

impl Face {
    fn due(&mut self) -> Vec<Waker> {
        let later = self.waiting.split_off(&(self.now, u64::MAX));
        std::mem::replace(&mut self.waiting, later).into_values().collect()
    }
}

#[async_trait]
impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        lock(&self.0).now
    }

    async fn until(&self, at: Timestamp) {
        Until { clock: self, at, alarm: None }.await;
    }
}

// === impl Until ===

impl Future for Until<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut face = lock(&self.clock.0);
        if face.now >= self.at {
            return Poll::Ready(());
        }
        let alarm = self.alarm.unwrap_or(face.alarms + 1);
        face.alarms = face.alarms.max(alarm);
        face.waiting.insert((self.at, alarm), context.waker().clone());
        drop(face);
        self.alarm = Some(alarm);
        Poll::Pending
    }
}

impl Drop for Until<'_> {
    fn drop(&mut self) {
        if let Some(alarm) = self.alarm {
            lock(&self.clock.0).waiting.remove(&(self.at, alarm));
        }
    }
}
