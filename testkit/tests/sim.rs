//! The scheduler: a seed is a story, time waits for everybody, and a killed node is gone.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use highstreet_domain::kernel::ports::Clock;
use highstreet_testkit::memory::step_aside;
use highstreet_testkit::sim::{Ended, Node, Sim};

type Log = Arc<Mutex<Vec<u32>>>;

/// Writes `number` three times, stepping aside between.
fn write(node: &Node, log: &Log, number: u32) {
    let log = log.clone();
    node.tasks().spawn(Box::pin(async move {
        for _ in 0..3 {
            log.lock().expect("nobody panicked").push(number);
            step_aside().await;
        }
    }));
}

fn written(log: &Log) -> Vec<u32> {
    log.lock().expect("nobody panicked").clone()
}

fn story(seed: u64) -> Vec<u32> {
    let (sim, log) = (Sim::new(seed), Log::default());
    for number in 0..3 {
        write(&sim.node(), &log, number);
    }
    assert_eq!(sim.run(1000), Ended::Quiet);
    written(&log)
}

#[test]
fn a_seed_is_a_story_and_another_seed_another() {
    assert_eq!(story(1), story(1));
    assert!((2..20).any(|seed| story(seed) != story(1)), "always the same order");
}

#[test]
fn time_goes_on_when_nobody_has_anything_to_do() {
    let sim = Sim::new(1);
    let clock = sim.clock();
    let began = clock.now();
    sim.block_on(async move { clock.until(began.after(Duration::from_hours(24))).await });
    assert_eq!(sim.clock().now(), began.after(Duration::from_hours(24)), "a day, at once");
    assert!(sim.clock().next().is_none(), "and nobody waits any more");
}

#[test]
fn a_killed_node_is_gone_wherever_it_stood() {
    let (sim, log) = (Sim::new(1), Log::default());
    let (victim, witness) = (sim.node(), sim.node());
    let old = victim.tasks();
    write(&victim, &log, 1);
    while written(&log).is_empty() {
        assert!(sim.step());
    }
    victim.kill();
    write(&witness, &log, 2);
    let late = log.clone();
    old.spawn(Box::pin(async move { late.lock().expect("nobody panicked").push(3) }));
    assert_eq!(sim.run(1000), Ended::Quiet);
    assert_eq!(written(&log), [1, 2, 2, 2], "neither it nor what it left behind goes on");
    victim.revive();
    write(&victim, &log, 4);
    assert_eq!(sim.run(1000), Ended::Quiet);
    assert_eq!(written(&log)[4..], [4, 4, 4], "its next life does");
}

#[test]
fn what_never_ends_is_given_up() {
    let sim = Sim::new(1);
    sim.node().tasks().spawn(Box::pin(async {
        loop {
            step_aside().await;
        }
    }));
    assert_eq!(sim.run(1000), Ended::Exhausted);
}
