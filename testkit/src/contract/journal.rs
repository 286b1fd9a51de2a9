//! What every journal promises.

use highstreet_domain::kernel::ports::{AppendError, Journal, Loaded, Lookup};
use highstreet_domain::kernel::{Cause, Id, Timestamp};

use super::Stores;
use super::writing::{Writing, cause, claim, id, store_works};
use crate::counter::{Counter, Event};

/// Holds a journal to its promises.
pub async fn journal(stores: &dyn Stores) {
    let ports = stores.store().await;
    let journal = &*ports.journal;
    what_never_was_is_empty(journal).await;
    what_was_appended_is_there(journal).await;
    a_stream_that_moved_on_is_a_conflict(journal).await;
    causes_are_answered_for_ever(journal).await;
    a_claim_has_one_holder(journal).await;
    a_claim_that_is_let_go_is_free(journal).await;
    a_refused_append_leaves_no_trace(journal).await;
    entries_are_kept_by_key(journal).await;
    an_append_without_events_changes_no_revision(journal).await;
    what_is_due_is_known_by_its_revision(journal).await;
}

async fn what_never_was_is_empty(journal: &dyn Journal<Counter>) {
    let loaded = store_works(journal.load(id(1), &[lookup(cause(1), Some("key"))]).await);
    let nothing = Loaded { answers: vec![None], entries: vec![None], ..Loaded::default() };
    assert_eq!(loaded, nothing, "a stream nobody wrote");
    assert_eq!(store_works(journal.claimed(claim(1).key).await), None, "a claim nobody took");
    assert_eq!(store_works(journal.history(id(1)).await), vec![], "the history of a stream nobody wrote");
}

async fn what_was_appended_is_there(journal: &dyn Journal<Counter>) {
    let (first, second) = (Timestamp::from_micros(1_000_001), Timestamp::from_micros(2_000_002));
    let stream = Writing::new(id(2)).add(1).add(2).at(first).append(journal).await;
    let stream = stream.event(Event::Whispered, None).at(second).append(journal).await;
    let loaded = load(journal, stream.id).await;
    assert_eq!(loaded.standing, stream.standing, "the standing as it was appended, to the microsecond");
    assert_eq!((loaded.standing.created, loaded.standing.updated), (first, second));
    let history = vec![(first, Event::Added(1)), (first, Event::Added(2)), (second, Event::Whispered)];
    assert_eq!(store_works(journal.history(stream.id).await), history, "all events, in order, with their times");
}

async fn a_stream_that_moved_on_is_a_conflict(journal: &dyn Journal<Counter>) {
    let new = Writing::new(id(3));
    let stream = new.clone().add(1).append(journal).await;
    assert_eq!(new.add(10).try_append(journal).await, Err(AppendError::Conflict), "a stream that exists is not new");
    let behind = stream.clone();
    let stream = stream.add(2).append(journal).await;
    assert_eq!(behind.add(20).try_append(journal).await, Err(AppendError::Conflict), "a stream that moved on");
    assert_eq!(load(journal, stream.id).await.standing, stream.standing, "a conflict changes nothing");
    let ahead = Writing::new(id(4)).add(1).append(journal).await.add(1).on(id(5));
    assert_eq!(ahead.try_append(journal).await, Err(AppendError::Conflict), "a stream that never was");
}

async fn causes_are_answered_for_ever(journal: &dyn Journal<Counter>) {
    let stream = Writing::new(id(10)).event(Event::Added(1), Some(cause(11))).append(journal).await;
    let stream = stream
        .event(Event::Added(2), Some(cause(12)))
        .event(Event::Added(3), None)
        .event(Event::Added(4), Some(cause(13)))
        .append(journal)
        .await;
    let stream = stream.event(Event::Added(5), Some(cause(14))).append(journal).await;
    let lookups = [12, 99, 11, 14, 13].map(|number| lookup(cause(number), None));
    let loaded = store_works(journal.load(stream.id, &lookups).await);
    let answers = vec![Some(2), None, Some(1), Some(5), Some(4)];
    assert_eq!(loaded.answers, answers, "each cause with the revision it led to, in the order asked");
    let other = store_works(journal.load(id(15), &[lookup(cause(11), None)]).await);
    assert_eq!(other.answers, vec![None], "another stream did not answer it");
}

async fn a_claim_has_one_holder(journal: &dyn Journal<Counter>) {
    let holder = Writing::new(id(20)).add(1).add(1).claim(claim(21)).append(journal).await;
    let held = store_works(journal.claimed(claim(21).key).await).expect("a claim that was taken");
    let expected = (holder.id, 2, claim(21).fingerprint);
    assert_eq!((held.id, held.revision, held.fingerprint), expected, "who holds it, since when, for what");
    let taken = Err(AppendError::Claimed(claim(21).key));
    let other = Writing::new(id(22)).add(1).claim(claim(23)).claim(claim(21));
    assert_eq!(other.try_append(journal).await, taken, "another stream cannot take it");
    assert_eq!(holder.clone().add(1).claim(claim(21)).try_append(journal).await, taken, "nor its holder again");
    let holder = holder.add(1).claim(claim(24)).append(journal).await;
    for number in [21, 24] {
        let held = store_works(journal.claimed(claim(number).key).await).map(|held| held.id);
        assert_eq!(held, Some(holder.id), "a stream may hold several claims");
    }
}

async fn a_claim_that_is_let_go_is_free(journal: &dyn Journal<Counter>) {
    let first = Writing::new(id(30)).add(1).claim(claim(31)).append(journal).await;
    let first = first.add(1).release().append(journal).await;
    assert_eq!(store_works(journal.claimed(claim(31).key).await), None, "let go of");
    let second = Writing::new(id(32)).add(1).claim(claim(31)).append(journal).await;
    let _first = first.add(1).release().append(journal).await;
    let held = store_works(journal.claimed(claim(31).key).await).map(|held| held.id);
    assert_eq!(held, Some(second.id), "letting go again does not take it from whoever has it now");
    let second = second.add(1).claim(claim(33)).append(journal).await;
    let _second = second.add(1).release().claim(claim(34)).append(journal).await;
    let held = [31, 33, 34].map(|number| claim(number).key);
    let mut free = Vec::new();
    for key in held {
        free.push(store_works(journal.claimed(key).await).is_none());
    }
    assert_eq!(free, [false, true, false], "the one taken last is let go of, and the new one stays");
}

async fn a_refused_append_leaves_no_trace(journal: &dyn Journal<Counter>) {
    let _holder = Writing::new(id(40)).add(1).claim(claim(41)).append(journal).await;
    let stream = Writing::new(id(42)).add(1).entry("tea", 1).append(journal).await;
    let refused = stream.clone().event(Event::Added(9), Some(cause(43))).entry("tea", 9).entry("milk", 9);
    let refused = refused.claim(claim(44)).claim(claim(41));
    assert_eq!(refused.try_append(journal).await, Err(AppendError::Claimed(claim(41).key)));
    let lookups = [lookup(cause(43), Some("tea")), lookup(cause(43), Some("milk"))];
    let loaded = store_works(journal.load(stream.id, &lookups).await);
    assert_eq!(loaded.standing, stream.standing, "no event");
    assert_eq!(loaded.answers, vec![None, None], "no cause");
    assert_eq!(loaded.entries, vec![Some(1), None], "no entry");
    assert_eq!(store_works(journal.claimed(claim(44).key).await), None, "no other claim");
    assert_eq!(store_works(journal.history(stream.id).await).len(), 1, "no history");
}

async fn entries_are_kept_by_key(journal: &dyn Journal<Counter>) {
    let stream = Writing::new(id(50)).add(1).entry("tea", 1).entry("milk", 2).append(journal).await;
    let stream = stream.add(1).entry("tea", 3).append(journal).await;
    let _other = Writing::new(id(51)).add(1).entry("milk", 7).append(journal).await;
    let lookups = [Some("milk"), None, Some("tea"), Some("sugar")].map(|key| lookup(cause(1), key));
    let loaded = store_works(journal.load(stream.id, &lookups).await);
    assert_eq!(loaded.entries, vec![Some(2), None, Some(3), None], "what was kept last, in the order asked");
}

async fn an_append_without_events_changes_no_revision(journal: &dyn Journal<Counter>) {
    let stream = Writing::new(id(60)).add(1).append(journal).await;
    let stream = stream.claim(claim(61)).append(journal).await;
    assert_eq!(load(journal, stream.id).await.standing, stream.standing, "only claimed");
    let stream = stream.release().append(journal).await;
    assert_eq!(store_works(journal.claimed(claim(61).key).await), None, "only let go of");
    let _stream = stream.add(1).append(journal).await;
    let unborn = Writing::new(id(62)).claim(claim(63)).append(journal).await;
    assert_eq!(load(journal, unborn.id).await.standing.revision, 0, "claimed before anything happened to it");
    let _born = unborn.add(1).append(journal).await;
}

async fn what_is_due_is_known_by_its_revision(journal: &dyn Journal<Counter>) {
    let never = Timestamp::from_micros(i64::MAX / 2);
    let stream = Writing::new(id(70)).add(1).event(Event::Asked("?".into()), None).leased(never);
    let stream = stream.append(journal).await;
    assert_eq!(due(journal, stream.id).await, (2, 0), "the revision with which it became due, and no attempt");
    let stream = stream.add(1).append(journal).await;
    assert_eq!(due(journal, stream.id).await, (2, 0), "an unrelated append keeps it");
    let stream = stream.event(Event::Set(never), None).deadline(never).append(journal).await;
    assert_eq!(due(journal, stream.id).await, (4, 0), "something else became due");
}

// === Small things ===

fn lookup(cause: Cause, key: Option<&str>) -> Lookup {
    Lookup { cause: Some(cause), key: key.map(Into::into) }
}

async fn load(journal: &dyn Journal<Counter>, id: Id<Counter>) -> Loaded<Counter> {
    store_works(journal.load(id, &[]).await)
}

async fn due(journal: &dyn Journal<Counter>, id: Id<Counter>) -> (u64, u32) {
    let loaded = load(journal, id).await;
    (loaded.since, loaded.attempts)
}
