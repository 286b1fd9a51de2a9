//! The whole street in one thread: every context on its own node and store, on one bus, over a bad network.
//!
//! A seed decides who orders what and who changes their mind, in which order everything that is ready goes on, what
//! arrives once, twice, late or never, which calls of a store fail, and when a node dies, which may be between any
//! two steps of anything. After a while the storm ends, everybody comes back, and the world settles. Then the
//! invariants must hold: the money is where the orders say, the stamps are the drinks, and what anybody was
//! answered is true.

mod cafe;
mod chronicle;
mod cinema;
mod host;
mod idle;
mod invariants;
mod library;
mod neighbours;
mod network;
mod partners;
mod store;
mod storm;
mod street;
mod visitor;
mod weather;
mod witness;

use std::fmt;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use highstreet_domain::kernel::ports::Clock;

use self::chronicle::Chronicle;
use self::street::Street;
use self::visitor::Visitor;
use self::witness::Witness;
use crate::lock;
use crate::sim::{Ended, Sim};

/// More steps than any world needs to settle.
const MOST_STEPS: u64 = 2_000_000;
/// How many lines of its chronicle a broken world shows.
const LINES: usize = 400;

/// A guard that is switched off, to show that the world notices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flaw {
    /// All guards are on.
    #[default]
    None,
    /// Streams forget which causes they answered.
    CausesForgotten,
    /// A step is named after the current revision instead of the one with which it became due.
    KeysFollowRevision,
    /// Nobody holds a `request_id`.
    ClaimsIgnored,
    /// Inventory forgets what it took from a stock, and for whom.
    MovementsForgotten,
    /// Seating forgets what the bookings asked for last.
    SeatingForgotten,
    /// What a view was made of is settled before its rows are flushed.
    FlushesSkipped,
}

/// What a settled world did, so that a test can tell that it did something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Orders that were placed.
    pub orders: usize,
    /// Orders that ended as completed.
    pub completed: usize,
    /// Orders that ended as cancelled.
    pub cancelled: usize,
    /// Purchases that were recorded.
    pub purchases: usize,
    /// Reservations that were taken.
    pub reservations: usize,
    /// Bookings that had seats.
    pub seated: usize,
    /// Guests who have points for tickets they collected.
    pub tickets_collected: usize,
    /// Orders that came to nothing because payment did not answer.
    pub given_up: usize,
    /// Charges.
    pub charges: usize,
    /// Refunds.
    pub refunds: usize,
    /// Nodes that died.
    pub deaths: usize,
    /// Steps of the scheduler.
    pub steps: u64,
}

/// A world that broke.
#[derive(Clone, Debug)]
pub struct Violation {
    /// Its seed.
    pub seed: u64,
    /// What does not hold.
    pub broken: Vec<String>,
    /// The end of its story.
    pub story: Vec<String>,
}

/// Lives the world of `seed`.
pub fn live(seed: u64, flaw: Flaw) -> Result<Tally, Violation> {
    match live_once(seed, flaw, false) {
        Ok(tally) => Ok(tally),
        // The same again, with somebody writing it down.
        Err(silent) => Err(live_once(seed, flaw, true).err().unwrap_or(silent)),
    }
}

/// Lives the worlds of all `seeds`, on two threads, until one breaks.
pub fn live_all(seeds: Range<u64>, flaw: Flaw) -> Result<Tally, Box<Violation>> {
    let next = AtomicU64::new(seeds.start);
    let outcome = Mutex::new(Ok(Tally::default()));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= seeds.end || lock(&outcome).is_err() {
                        return;
                    }
                    let lived = live(seed, flaw);
                    let mut outcome = lock(&outcome);
                    *outcome = match (std::mem::replace(&mut *outcome, Ok(Tally::default())), lived) {
                        (Ok(before), Ok(tally)) => Ok(before.and(tally)),
                        (Err(first), _) => Err(first),
                        (Ok(_), Err(violation)) => Err(Box::new(violation)),
                    };
                }
            });
        }
    });
    outcome.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn live_once(seed: u64, flaw: Flaw, written: bool) -> Result<Tally, Violation> {
    let sim = Sim::new(seed);
    let chronicle = if written { Chronicle::kept(sim.clock()) } else { Chronicle::blank(sim.clock()) };
    let street = Street::new(&sim, flaw, chronicle.clone());
    let witness = Witness::default();
    let raging = storm::begin(&street);
    let people = sim.node();
    let (name, dice) = (String::new(), sim.dice());
    let visitor = Visitor { street: street.clone(), witness: witness.clone(), name, dice };
    people.tasks().spawn(Box::pin(cafe::visits(visitor.clone())));
    people.tasks().spawn(Box::pin(store::visits(visitor.clone())));
    people.tasks().spawn(Box::pin(library::visits(visitor.clone())));
    people.tasks().spawn(Box::pin(cinema::visits(visitor)));
    sim.run_until(sim.clock().now().after(Duration::from_mins(1)));
    street.weather.calm_down();
    let mut wrong = match sim.run(MOST_STEPS) {
        Ended::Quiet => invariants::broken(&street, &witness),
        Ended::Exhausted => vec!["the world never settles".into()],
    };
    if sim.panics() > 0 {
        wrong.push(format!("{} tasks panicked", sim.panics()));
    }
    let lived = invariants::tally(&street, raging.deaths());
    let story = if wrong.is_empty() { vec![] } else { invariants::story(&street, &chronicle.last(LINES)) };
    street.close();
    sim.end();
    if wrong.is_empty() { Ok(lived) } else { Err(Violation { seed, broken: wrong, story }) }
}

// === impl Tally ===

impl Tally {
    fn and(self, other: Self) -> Self {
        Self {
            orders: self.orders + other.orders,
            completed: self.completed + other.completed,
            cancelled: self.cancelled + other.cancelled,
            purchases: self.purchases + other.purchases,
            reservations: self.reservations + other.reservations,
            seated: self.seated + other.seated,
            tickets_collected: self.tickets_collected + other.tickets_collected,
            given_up: self.given_up + other.given_up,
            charges: self.charges + other.charges,
            refunds: self.refunds + other.refunds,
            deaths: self.deaths + other.deaths,
            steps: self.steps + other.steps,
        }
    }
}

// === impl Violation ===

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the world of seed {} broke; live it again with HIGHSTREET_SEED={}", self.seed, self.seed)?;
        for line in &self.story {
            writeln!(f, "  {line}")?;
        }
        for broken in &self.broken {
            writeln!(f, "broken: {broken}")?;
        }
        Ok(())
    }
}
