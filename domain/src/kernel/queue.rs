//! The queue of each stream: callers of one stream wait for their turn in the process instead of colliding in the
//! store, and whoever gets the turn takes everybody who waits along in one commit.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::Future;

use async_lock::Mutex;
use futures_channel::oneshot;
use futures_util::future::{Either, select};

use super::turn::Answer;
use super::{Aggregate, Failure, Id, Request};

const SHARDS: usize = 64;
/// The most requests decided in one commit: enough to make the commit's cost vanish, few enough to keep it short.
const MOST_AT_ONCE: usize = 256;

/// The queues of all streams of one kind; a queue exists while somebody waits in it.
pub(super) struct Queues<A: Aggregate> {
    shards: Vec<Shard<A>>,
}

type Shard<A> = Mutex<BTreeMap<Id<A>, Arc<Queue<A>>>>;

struct Queue<A: Aggregate> {
    waiting: Mutex<Vec<Waiting<A>>>,
    turn: Mutex<()>,
}

/// A request and whoever waits for its answer.
pub(super) struct Waiting<A: Aggregate> {
    /// Boxed: it is large, and passed through many hands.
    pub(super) request: Box<Request<A>>,
    pub(super) answer: oneshot::Sender<Answer<A>>,
}

// === impl Queues ===

impl<A: Aggregate> Queues<A> {
    pub(super) fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::new(BTreeMap::new())).collect() }
    }

    /// Waits for an answer to `request`: from whoever has the turn, or by taking it with `lead`.
    pub(super) async fn wait<F, Fut>(&self, id: Id<A>, request: Box<Request<A>>, lead: F) -> Answer<A>
    where
        F: Fn(Vec<Waiting<A>>) -> Fut,
        Fut: Future<Output = ()>,
    {
        let queue = self.enter(id).await;
        let (answer, answered) = oneshot::channel();
        queue.waiting.lock().await.push(Waiting { request, answer });
        let answer = Self::answer(&queue, answered, lead).await;
        self.leave(id, queue).await;
        answer
    }

    async fn answer<F, Fut>(queue: &Queue<A>, mut answered: oneshot::Receiver<Answer<A>>, lead: F) -> Answer<A>
    where
        F: Fn(Vec<Waiting<A>>) -> Fut,
        Fut: Future<Output = ()>,
    {
        loop {
            let turn = core::pin::pin!(queue.turn.lock());
            let turn = match select(answered, turn).await {
                Either::Left((answer, _)) => return answer.unwrap_or(Err(Failure::Interrupted)),
                Either::Right((turn, unanswered)) => {
                    answered = unanswered;
                    turn
                }
            };
            match answered.try_recv() {
                Ok(Some(answer)) => return answer,
                Ok(None) => {}
                Err(oneshot::Canceled) => return Err(Failure::Interrupted),
            }
            let batch = {
                let mut waiting = queue.waiting.lock().await;
                let most = waiting.len().min(MOST_AT_ONCE);
                waiting.drain(..most).collect()
            };
            lead(batch).await;
            drop(turn);
        }
    }

    async fn enter(&self, id: Id<A>) -> Arc<Queue<A>> {
        let mut queues = self.shard(id).lock().await;
        let new = || Arc::new(Queue { waiting: Mutex::new(Vec::new()), turn: Mutex::new(()) });
        queues.entry(id).or_insert_with(new).clone()
    }

    async fn leave(&self, id: Id<A>, queue: Arc<Queue<A>>) {
        let mut queues = self.shard(id).lock().await;
        drop(queue);
        if queues.get(&id).is_some_and(|queue| Arc::strong_count(queue) == 1) {
            queues.remove(&id);
        }
    }

    fn shard(&self, id: Id<A>) -> &Shard<A> {
        // The last bytes of a UUID are random in version 7 and hashed in version 5.
        &self.shards[usize::from(id.uuid().as_bytes()[15]) % SHARDS]
    }
}
