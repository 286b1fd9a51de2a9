//! The whole street under thousands of seeds; and, for each guard, a world without it that must break.

use std::env;
use std::ops::Range;

use highstreet_testkit::world::{Flaw, live, live_all};

/// `HIGHSTREET_SEED=n` lives one world, `HIGHSTREET_SEEDS=n` that many, from 0.
fn seeds() -> Range<u64> {
    let number = |name| env::var(name).ok().map(|text| text.parse().expect("a seed is a number"));
    match number("HIGHSTREET_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("HIGHSTREET_SEEDS").unwrap_or(5000),
    }
}

#[test]
fn the_street_settles_whatever_happens_to_it() {
    match live_all(seeds(), Flaw::None) {
        Ok(tally) => println!("{tally:#?}"),
        Err(violation) => panic!("{violation}"),
    }
}

#[test]
fn a_seed_tells_the_same_story_every_time() {
    for seed in 0..20 {
        let once = live(seed, Flaw::None).expect("a world that settles");
        assert_eq!(once, live(seed, Flaw::None).expect("the same world"), "seed {seed}, to the last step");
    }
}

/// With a guard switched off the world must break; if it does not, it does not look.
#[track_caller]
fn breaks(flaw: Flaw) {
    match live_all(0..3000, flaw) {
        Ok(_) => panic!("3000 worlds with {flaw:?} and none broke"),
        Err(violation) => println!("seed {}: {:?}", violation.seed, violation.broken),
    }
}

#[test]
fn the_world_notices_when_causes_are_forgotten() {
    breaks(Flaw::CausesForgotten);
}

#[test]
fn the_world_notices_when_a_steps_key_follows_the_revision() {
    breaks(Flaw::KeysFollowRevision);
}

#[test]
fn the_world_notices_when_request_ids_are_not_claimed() {
    breaks(Flaw::ClaimsIgnored);
}

/// LIBRARY-A6, STORE-X3: a return gives back what was taken under its reference, and nothing else.
#[test]
fn the_world_notices_when_movements_of_stock_are_forgotten() {
    breaks(Flaw::MovementsForgotten);
}

/// CINEMA-X6: a late call takes no seat that its booking has let go of since.
#[test]
fn the_world_notices_when_seating_forgets_what_bookings_asked_for() {
    breaks(Flaw::SeatingForgotten);
}

/// Every node that dies loses what its views saved and did not flush.
#[test]
fn the_world_notices_when_views_are_settled_before_they_are_flushed() {
    breaks(Flaw::FlushesSkipped);
}
