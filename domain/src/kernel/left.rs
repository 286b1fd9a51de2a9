//! What to tell a caller whose step another run brought to its end.

use alloc::string::String;

use super::ports::Loaded;
use super::{Aggregate, Due, Failure, Handler, Id, Outage, Standing, Timestamp, Unanswered};

// === impl Handler ===

impl<A: Aggregate> Handler<A> {
    /// Where the other run's outcome left the stream; or that it gave up, though the stream may look as if nothing had
    /// happened. `since` is when the step became due.
    pub(super) async fn left_by_another(
        &self,
        id: Id<A>,
        step: &A::Step,
        since: u64,
        loaded: Loaded<A>,
    ) -> Result<Standing<A>, Failure<A::Rejection>> {
        let gave_up = |outage| Err(Failure::GaveUp { callee: A::callee(step), outage });
        let state = &loaded.standing.state;
        // Not there for others: that run gave it up, or is still at it.
        if state.index().is_none() && state.refusal().is_none() {
            return gave_up(Outage::Unknown);
        }
        let history = self.0.ports.journal.history(id).await?;
        given_up::<A>(&history, since).map_or_else(|| standing_of(loaded), gave_up)
    }
}

/// What a caller hears of where the stream stands.
pub(super) fn standing_of<A: Aggregate>(loaded: Loaded<A>) -> Result<Standing<A>, Failure<A::Rejection>> {
    match loaded.standing.state.refusal() {
        Some(rejection) => Err(Failure::Rejected(rejection)),
        None => Ok(loaded.standing),
    }
}

/// Whether the step that became due with `since` was given up: then what happened is what giving up makes happen.
fn given_up<A: Aggregate>(history: &[(Timestamp, A::Event)], since: u64) -> Option<Outage> {
    let (before, later) = history.split_at_checked(usize::try_from(since).ok()?)?;
    let mut state = before.iter().fold(A::default(), |state, (_, event)| state.evolve(event));
    let Some(Due::Call(step)) = state.due() else { return None };
    for (place, (time, event)) in later.iter().enumerate() {
        let happened = |outage: &Outage| {
            let unanswered = Unanswered { outage: *outage, why: String::new() };
            let events = state.give_up(&step, &unanswered).and_then(|command| state.decide(&command, *time).ok());
            events.is_some_and(|events| {
                let told = later[place..].iter().map(|(_, event)| event).take(events.len());
                !events.is_empty() && told.eq(events.iter())
            })
        };
        // Where both come to the same, the caller hears the one that promises less.
        if let Some(outage) = [Outage::Unknown, Outage::NotSent].into_iter().find(happened) {
            return Some(outage);
        }
        let next = state.clone().evolve(event);
        if next.due() != state.due() {
            return None;
        }
        state = next;
    }
    None
}
