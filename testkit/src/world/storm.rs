//! Kills nodes, and brings them back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use highstreet_domain::kernel::ports::Clock;

use super::street::Street;

/// A storm under way.
pub(super) struct Storm(Arc<AtomicUsize>);

/// Starts every context, and then makes their lives hard until the weather calms down.
pub(super) fn begin(street: &Arc<Street>) -> Storm {
    let deaths = Arc::new(AtomicUsize::new(0));
    let tasks = street.sim.node().tasks();
    for number in 0..street.hosts().len() {
        tasks.spawn(Box::pin(look_after(street.clone(), number, deaths.clone())));
    }
    tasks.spawn(Box::pin(rage(street.clone())));
    Storm(deaths)
}

/// Boots a context, and boots it again some time after it fell.
async fn look_after(street: Arc<Street>, number: usize, deaths: Arc<AtomicUsize>) {
    let host = street.hosts()[number];
    let mut heard = host.fallen.rings();
    loop {
        wait(&street, Duration::from_secs(4)).await;
        street.chronicle.note(|| format!("{} starts", host.name));
        street.boot(host.name);
        host.fallen.after(heard).await;
        heard = host.fallen.rings();
        deaths.fetch_add(1, Ordering::SeqCst);
        street.chronicle.note(|| format!("{} is dead", host.name));
        street.lose_power(host.name);
    }
}

async fn rage(street: Arc<Street>) {
    while !street.weather.is_calm() {
        wait(&street, Duration::from_secs(8)).await;
        if street.weather.strikes(100)
            && let Some(host) = street.sim.dice().pick(&street.hosts())
            && host.node.is_alive()
        {
            host.kill();
        }
    }
}

async fn wait(street: &Street, most: Duration) {
    let time = street.clock.now().after(street.sim.dice().up_to(most));
    street.clock.until(time).await;
}

// === impl Storm ===

impl Storm {
    /// How many nodes died.
    pub(super) fn deaths(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}
