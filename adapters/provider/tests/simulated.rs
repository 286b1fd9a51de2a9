//! The simulated provider, on a clock that jumps.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use highstreet_domain::kernel::{Currency, Id, Money, Outage, Payer, PaymentMethod, StepKey};
use highstreet_domain::payment::{Authorisation, Charge, Payment, PaymentProvider};
use highstreet_provider::{DECLINED, InvalidSimulation, Refunded, Simulated, SimulatedOutage, Simulation};
use tokio::time::Instant;
use uuid::Uuid;

const MANY: u64 = 2_000;

fn key(since: u64) -> StepKey {
    StepKey::new(Id::<Payment>::new(Uuid::nil()), since)
}

fn coffee() -> Charge {
    Charge {
        payment: "p1".into(),
        payer: Payer::parse("010-1234-5678").unwrap(),
        amount: Money::new(Currency::KRW, 4500, 0).unwrap(),
        method: PaymentMethod::Card,
    }
}

fn sometimes_declining() -> Simulated {
    Simulated::new(Simulation { decline_rate: 0.25, ..Simulation::default() }).unwrap()
}

async fn authorise(provider: &Simulated, since: u64) -> Authorisation {
    provider.authorise(&coffee(), key(since)).await.unwrap()
}

#[tokio::test]
async fn by_default_everything_is_approved_at_once() {
    let provider = Simulated::new(Simulation::default()).unwrap();
    let reference = format!("sim-{}", key(1).uuid());
    assert_eq!(authorise(&provider, 1).await, Authorisation::Approved { reference });
    assert_eq!(provider.ledger(), None);
}

#[tokio::test]
async fn the_same_key_gets_the_same_answer_from_any_instance() {
    let (before, after_restart) = (sometimes_declining(), sometimes_declining());
    for since in 0..MANY {
        assert_eq!(authorise(&before, since).await, authorise(&after_restart, since).await);
    }
}

#[tokio::test]
async fn the_decline_rate_holds_over_many_keys() {
    let provider = sometimes_declining();
    let mut declined = 0;
    for since in 0..MANY {
        declined += u64::from(authorise(&provider, since).await == Authorisation::Declined { reason: DECLINED.into() });
    }
    assert!((MANY / 5..MANY * 3 / 10).contains(&declined), "{declined} of {MANY}");
}

#[tokio::test]
async fn all_or_nothing_is_exact() {
    let strict = Simulated::new(Simulation { decline_rate: 1.0, ..Simulation::default() }).unwrap();
    for since in 0..MANY {
        assert_eq!(authorise(&strict, since).await, Authorisation::Declined { reason: DECLINED.into() });
    }
}

#[tokio::test(start_paused = true)]
async fn latency_stays_in_its_range_and_belongs_to_the_key() {
    let range = Duration::from_millis(20)..=Duration::from_millis(80);
    let provider = Simulated::new(Simulation { latency: range.clone(), ..Simulation::default() }).unwrap();
    for since in 0..100 {
        let begun = Instant::now();
        authorise(&provider, since).await;
        let first = begun.elapsed();
        authorise(&provider, since).await;
        assert_eq!(begun.elapsed(), first * 2);
        // Timers tick in milliseconds.
        assert!(range.contains(&first) || first <= *range.end() + Duration::from_millis(1), "{first:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_refuses_takes_nothing() {
    let provider = Simulated::recording(Simulation::default()).unwrap();
    provider.set_outage(SimulatedOutage::Refuses);
    assert_eq!(provider.authorise(&coffee(), key(1)).await.unwrap_err().outage, Outage::NotSent);
    assert!(provider.ledger().unwrap().charges.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_hangs_takes_the_money_once_and_says_so_later() {
    let provider =
        Simulated::recording(Simulation { outage: SimulatedOutage::Hangs, ..Simulation::default() }).unwrap();
    let begun = Instant::now();
    assert_eq!(provider.authorise(&coffee(), key(1)).await.unwrap_err().outage, Outage::Unknown);
    assert_eq!(begun.elapsed(), Duration::from_secs(5));
    assert_eq!(provider.ledger().unwrap().charges.get(&key(1)), Some(&coffee()));

    provider.set_outage(SimulatedOutage::None);
    assert!(matches!(authorise(&provider, 1).await, Authorisation::Approved { .. }));
    assert_eq!(provider.ledger().unwrap().charges.len(), 1);
}

#[tokio::test]
async fn refunds_are_recorded_once_per_key() {
    let provider = Simulated::recording(Simulation::default()).unwrap();
    for since in [1, 1, 2] {
        provider.refund("sim-1", coffee().amount, key(since)).await.unwrap();
    }
    let refunds = provider.ledger().unwrap().refunds;
    assert_eq!(refunds.len(), 2);
    assert_eq!(refunds[&key(1)], Refunded { reference: "sim-1".into(), amount: coffee().amount });
}

#[tokio::test(start_paused = true)]
async fn a_busy_provider_makes_callers_wait_but_not_for_ever() {
    let latency = Duration::from_millis(80)..=Duration::from_millis(80);
    let simulation = Simulation { latency, concurrency: Some(1), ..Simulation::default() };
    let provider = Simulated::recording(simulation).unwrap();
    let charge = coffee();
    let (first, second, third) = tokio::join!(
        provider.authorise(&charge, key(1)),
        provider.authorise(&charge, key(2)),
        provider.authorise(&charge, key(3)),
    );
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(third.unwrap_err().outage, Outage::NotSent);
    assert_eq!(provider.ledger().unwrap().charges.len(), 2);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let refusal = |simulation| Simulated::new(simulation).unwrap_err();
    for rate in [-0.1, 1.1] {
        let simulation = Simulation { decline_rate: rate, ..Simulation::default() };
        assert_eq!(refusal(simulation), InvalidSimulation::DeclineRate(rate));
    }
    let not_a_number = refusal(Simulation { decline_rate: f64::NAN, ..Simulation::default() });
    assert!(matches!(not_a_number, InvalidSimulation::DeclineRate(_)));
    let backwards = Duration::from_secs(2)..=Duration::from_secs(1);
    assert_eq!(refusal(Simulation { latency: backwards, ..Simulation::default() }), InvalidSimulation::Latency);
    let nobody = Simulation { concurrency: Some(0), ..Simulation::default() };
    assert_eq!(refusal(nobody), InvalidSimulation::Concurrency(0));
    assert_eq!("hangs".parse(), Ok(SimulatedOutage::Hangs));
    assert!("HANGS".parse::<SimulatedOutage>().is_err());
}
