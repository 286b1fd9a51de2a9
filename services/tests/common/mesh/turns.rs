//! Who may run a mesh: a mesh is a dozen processes, and a machine that is busy with three of them shows nothing.

use tokio::sync::{Semaphore, SemaphorePermit};

const AT_ONCE: usize = 2;

static TURNS: Semaphore = Semaphore::const_new(AT_ONCE);

/// The right to run a mesh, until it is dropped.
pub(crate) async fn turn() -> SemaphorePermit<'static> {
    TURNS.acquire().await.unwrap()
}
