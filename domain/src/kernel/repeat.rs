//! What somebody is told who repeats a request: what the first one led to, once that is known.

use core::time::Duration;

use super::ports::{Claimed, Loaded};
use super::{Aggregate, ClaimKey, Due, Failure, Handler, Standing, Timestamp};

/// How soon somebody who repeats a request looks again whether the first is done; later and later.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
const LOOK_AGAIN_AT_MOST: Duration = Duration::from_millis(200);

// === impl Handler ===

impl<A: Aggregate> Handler<A> {
    /// The answer that the first request under a claim got; waits while it is still at work. `None` if it let go
    /// of the claim, so that this one is now the first.
    pub(super) async fn earlier_answer(
        &self,
        key: ClaimKey,
        claimed: &Claimed<A>,
        deadline: Timestamp,
    ) -> Result<Option<Standing<A>>, Failure<A::Rejection>> {
        let journal = &self.0.ports.journal;
        let mut pause = LOOK_AGAIN;
        loop {
            let loaded = journal.load(claimed.id, &[]).await?;
            let (standing, settled) = first_answer::<A>(&journal.history(claimed.id).await?, claimed.revision);
            if journal.claimed(key).await?.is_none_or(|now| now.id != claimed.id) {
                return Ok(None);
            }
            if settled || loaded.attempts > 0 {
                return Ok(Some(standing));
            }
            if self.now() >= deadline {
                return Err(Failure::Interrupted);
            }
            self.0.ports.clock.until(self.now().after(pause)).await;
            pause = (pause * 2).min(LOOK_AGAIN_AT_MOST);
        }
    }
}

/// Where the first answer to a request stood that led to `revision`, and whether its calls were done by then.
fn first_answer<A: Aggregate>(history: &[(Timestamp, A::Event)], revision: u64) -> (Standing<A>, bool) {
    let mut standing = Loaded::<A>::default().standing;
    for (time, event) in history {
        let calling = matches!(standing.state.due(), Some(Due::Call(_)));
        if standing.revision >= revision && !calling {
            return (standing, true);
        }
        if standing.revision == 0 {
            standing.created = *time;
        }
        standing.updated = *time;
        standing.state = standing.state.evolve(event);
        standing.revision += 1;
    }
    let settled = !matches!(standing.state.due(), Some(Due::Call(_)));
    (standing, settled)
}
