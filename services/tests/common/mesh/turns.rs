//! Who may run a mesh: a mesh is fifteen processes, and a machine that is busy with three of them shows nothing.

use tokio::sync::{Semaphore, SemaphorePermit};

const AT_ONCE: u32 = 2;
/// What is more than that is as much as two meshes.
const ONE_MESH: usize = 20;

static TURNS: Semaphore = Semaphore::const_new(AT_ONCE as usize);

/// The right to run a mesh of so many processes, until it is dropped.
pub(crate) async fn turn(processes: usize) -> SemaphorePermit<'static> {
    TURNS.acquire_many(if processes > ONE_MESH { AT_ONCE } else { 1 }).await.unwrap()
}
