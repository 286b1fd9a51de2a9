//! Kills nodes, and brings them back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use highstreet_domain::kernel::ports::Clock;

use super::shop::Shop;

/// A storm under way.
pub(super) struct Storm(Arc<AtomicUsize>);

/// Starts every context, and then makes their lives hard until the weather calms down.
pub(super) fn begin(shop: &Arc<Shop>) -> Storm {
    let deaths = Arc::new(AtomicUsize::new(0));
    let tasks = shop.sim.node().tasks();
    for number in 0..shop.hosts().len() {
        tasks.spawn(Box::pin(look_after(shop.clone(), number, deaths.clone())));
    }
    tasks.spawn(Box::pin(rage(shop.clone())));
    Storm(deaths)
}

/// Boots a context, and boots it again some time after it fell.
async fn look_after(shop: Arc<Shop>, number: usize, deaths: Arc<AtomicUsize>) {
    let host = shop.hosts()[number];
    let mut heard = host.fallen.rings();
    loop {
        wait(&shop, Duration::from_secs(4)).await;
        shop.chronicle.note(|| format!("{} starts", host.name));
        shop.boot(host.name);
        host.fallen.after(heard).await;
        heard = host.fallen.rings();
        deaths.fetch_add(1, Ordering::SeqCst);
        shop.chronicle.note(|| format!("{} is dead", host.name));
    }
}

async fn rage(shop: Arc<Shop>) {
    while !shop.weather.is_calm() {
        wait(&shop, Duration::from_secs(8)).await;
        if shop.weather.strikes(100)
            && let Some(host) = shop.sim.dice().pick(&shop.hosts())
            && host.node.is_alive()
        {
            host.kill();
        }
    }
}

async fn wait(shop: &Shop, most: Duration) {
    let time = shop.clock.now().after(shop.sim.dice().up_to(most));
    shop.clock.until(time).await;
}

// === impl Storm ===

impl Storm {
    /// How many nodes died.
    pub(super) fn deaths(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}
