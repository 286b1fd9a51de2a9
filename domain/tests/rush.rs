//! Two replicas of seating, and two customers who want one seat.

mod bench;
mod samples;

use std::time::Duration;

use bench::{Bench, request};
use futures_util::future::join;
use highstreet_domain::kernel::Failure;
use highstreet_domain::seating::{Command, Rejection, Screening};
use highstreet_testkit::memory::{Flaws, Store, Streams};
use samples::cinema::{change, screening_name, seats};

const SEEDS: u64 = 64;

fn hold(booking: &str) -> Command {
    Command::Hold { change: change(booking, 1), seats: seats(&["1A"]), hold_for: Duration::from_mins(5) }
}

/// How many of two customers, each at a replica of their own, are told that the seat is theirs.
fn granted(seed: u64, flaws: Flaws) -> usize {
    let sound = Bench::<Screening>::seeded(seed, []);
    let streams = Streams::flawed(&Store::new("seating", sound.sim.clock()), |_| None, flaws);
    let bench = Bench { streams, ..sound };
    let (here, there) = (bench.handler(), bench.handler());
    let id = screening_name().id();
    let (one, other) = bench.sim.block_on(async move {
        let (one, other) = (here.handle(id, request(1, hold("a"))), there.handle(id, request(2, hold("b"))));
        join(one, other).await
    });
    let refusals = [one, other].into_iter().filter_map(Result::err);
    let refused = refusals.inspect(|failure| {
        assert_eq!(*failure, Failure::Rejected(Rejection::SeatTaken(seats(&["1A"]))), "seed {seed}");
    });
    2 - refused.count()
}

/// CINEMA-X6, CINEMA-A7: whoever comes when, one has the seat.
#[test]
fn cinema_x6_one_seat_has_one_holder_across_replicas() {
    for seed in 0..SEEDS {
        assert_eq!(granted(seed, Flaws::None), 1, "seed {seed}");
    }
}

/// The negative control of CINEMA-X6: with a store that does not notice that a stream has moved on, two people have one
/// seat.
#[test]
fn a_store_that_ignores_conflicts_gives_one_seat_to_two() {
    assert!((0..SEEDS).any(|seed| granted(seed, Flaws::ConflictsIgnored) == 2));
}
