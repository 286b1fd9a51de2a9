//! What every store and every bus promises of forgetting people.

use std::sync::Arc;
use std::time::Duration;

use highstreet_domain::kernel::ports::{
    AppendError, Delivery, Erased, ErasedKind, Filter, Forgets, Forgetting, Loaded, Lookup, Page, Save, Subscription,
    Verdict,
};
use highstreet_domain::kernel::{
    Aggregate, Erasure, Fingerprint, Forgotten, Id, Message, Origin, Phone, Redact, Timestamp, View, pseudonym,
};
use uuid::Uuid;

use super::writing::{Writing, cause, claim, id, store_works};
use super::{BusPorts, ForgetfulBuses, ForgetfulStores, StorePorts, soon};
use crate::counter::{Counter, Event, Tally};

const ID: Uuid = Uuid::from_u128(0x0195_0000_0000_7000_8000_0000_0000_0009);
const MINA: &str = "010-7777-0001";
const KEY: &str = "+821077770001";
const JUN: &str = "010-7777-0002";
const CONTEXT: &str = "counting";
const KINDS: &[ErasedKind] = &[ErasedKind {
    aggregate: Counter::NAME,
    open: &["OPEN"],
    named: |state| serde_json::from_slice::<Counter>(state).ok()?.named().map(Id::uuid),
}];

/// A store's ports, and what forgets people in it.
struct Ports {
    store: StorePorts,
    forgets: Arc<dyn Forgets>,
}

impl Ports {
    async fn of(stores: &dyn ForgetfulStores) -> Self {
        let (store, forgets) = stores.forgetful_store().await;
        Self { store, forgets }
    }
}

impl std::ops::Deref for Ports {
    type Target = StorePorts;

    fn deref(&self) -> &StorePorts {
        &self.store
    }
}

fn mina() -> Erasure {
    let phone = Phone::parse(MINA).unwrap_or_default();
    Erasure::new(ID, Some(&phone), &[])
}

fn forgetting(erasure: &Erasure) -> Forgetting<'_> {
    Forgetting { context: CONTEXT, erasure, retell, kinds: KINDS }
}

/// Counters publish themselves as JSON.
fn retell(redact: &dyn Redact, _source: &str, _name: &str, body: &[u8]) -> Option<Vec<u8>> {
    if !redact.may_be_in(body) {
        return None;
    }
    let told = match serde_json::from_slice(body) {
        Ok(Event::Labelled(shop, owner, status)) => {
            let owner = redact.redact("customer", &owner)?;
            serde_json::to_vec(&Event::Labelled(shop, owner, status)).ok()
        }
        Ok(Event::Asked(question)) => serde_json::to_vec(&Event::Asked(redact.redact("note", &question)?)).ok(),
        _ => None,
    };
    Some(told.unwrap_or_default())
}

fn labelled(owner: &str, status: &str) -> Event {
    Event::Labelled("skanu".into(), owner.into(), status.into())
}

/// Holds a store to its promises.
pub async fn forgetting_streams(stores: &dyn ForgetfulStores) {
    let ports = Ports::of(stores).await;
    what_is_theirs_is_redacted(&ports).await;
    what_was_loaded_before_is_not_appended_to(&ports).await;
    a_second_time_finds_nothing(&ports).await;
    rows_of_views_are_redacted(&ports).await;
    let ports = Ports::of(stores).await;
    a_stream_that_is_named_by_somebody_moves(&ports).await;
    what_is_open_is_found(&ports).await;
    what_comes_late_is_recognised(&ports).await;
}

async fn sweep(ports: &Ports) -> Erased {
    store_works(ports.forgets.sweep(&forgetting(&mina())).await)
}

async fn load(ports: &Ports, number: u128) -> Loaded<Counter> {
    store_works(ports.journal.load(id(number), &[]).await)
}

async fn what_is_theirs_is_redacted(ports: &Ports) {
    let theirs = Writing::new(id(1))
        .event(labelled(MINA, "DONE"), Some(cause(1)))
        .event(Event::Asked(format!("is {MINA} there?")), Some(cause(2)))
        .entry(MINA, 7)
        .claim(claim(1));
    theirs.try_append(&*ports.journal).await.expect("it is committed");
    Writing::new(id(2))
        .event(labelled(JUN, "DONE"), Some(cause(3)))
        .try_append(&*ports.journal)
        .await
        .expect("committed");
    let others = load(ports, 2).await;

    let erased = sweep(ports).await;
    assert_eq!((erased.streams, erased.events, erased.entries), (1, 2, 1), "{erased:?}");
    let (loaded, name) = (load(ports, 1).await, pseudonym(ID));
    assert_eq!(loaded.standing.revision, 2, "as many events happened as before");
    assert_eq!(loaded.standing.state.labels, Some(("skanu".into(), name.clone(), "DONE".into())));
    let history = store_works(ports.journal.history(id(1)).await);
    let folded = history.iter().fold(Counter::default(), |state, (_, event)| state.evolve(event));
    assert_eq!(folded, loaded.standing.state, "what happened leads where it stands");
    assert_eq!(folded.asking.as_deref(), Some("is … there?"));
    assert_eq!(load(ports, 2).await, others, "nobody else is touched");

    let listed = async |owner: &str| {
        let filter = Filter { shop: Some("skanu".into()), owner: Some(owner.into()), ..Filter::default() };
        store_works(ports.listing.page(&filter, &Page { size: 10, after: None }).await).len()
    };
    assert_eq!((listed(KEY).await, listed(MINA).await, listed(&name).await, listed(JUN).await), (0, 0, 1, 1));
    let kept = store_works(ports.listing.entries(id(1), &Page { size: 10, after: None }).await);
    assert_eq!(kept.iter().map(|kept| kept.key.as_str()).collect::<Vec<_>>(), [name.as_str()]);
    let outgoing = store_works(soon(&*ports.clock, "it is to be published", ports.outbox.next(10)).await);
    assert_eq!(outgoing.len(), 3);
    assert!(outgoing.iter().all(|it| !mina().may_be_in(&it.message.body)), "what is still to be published, too");

    let claimed = store_works(ports.journal.claimed(claim(1).key).await).expect("it is held as before");
    assert_eq!((claimed.id, claimed.revision), (id(1), 2));
    assert_ne!(claimed.fingerprint, claim(1).fingerprint, "what was asked for says nothing any more");
    assert_eq!(claimed.fingerprint, Fingerprint::stored(Uuid::nil()));
    let lookup = Lookup { cause: Some(cause(1)), key: None };
    let answered = store_works(ports.journal.load(id(1), &[lookup]).await);
    assert_eq!(answered.answers, [Some(1)], "and what was done is known to be done");
}

async fn what_was_loaded_before_is_not_appended_to(ports: &Ports) {
    Writing::new(id(3)).event(labelled(MINA, "DONE"), None).try_append(&*ports.journal).await.expect("committed");
    let before = load(ports, 3).await;
    assert_eq!(sweep(ports).await.streams, 1);
    let late = Writing::go_on(id(3), &before).event(Event::Added(1), None).try_append(&*ports.journal).await;
    assert_eq!(late, Err(AppendError::Conflict), "it would bring everything back");
    let now = load(ports, 3).await;
    Writing::go_on(id(3), &now).event(Event::Added(1), None).try_append(&*ports.journal).await.expect("it goes on");
    assert_eq!(load(ports, 3).await.standing.state.total, 1);
}

async fn a_second_time_finds_nothing(ports: &Ports) {
    assert!(!sweep(ports).await.is_anything());
}

async fn rows_of_views_are_redacted(ports: &Ports) {
    let tally = |source: &str| Tally { numbers: [(source.to_owned(), (1, 5))].into() };
    let save = |version, view: Tally| {
        let index = highstreet_domain::kernel::Index { owner: KEY.into(), ..view.index() };
        vec![Save { key: "theirs".into(), version, view, index, time: Timestamp::default() }]
    };
    assert_eq!(store_works(ports.views.save(save(0, tally(MINA))).await), [true]);
    let before = store_works(ports.views.load(&["theirs".into()]).await).pop().flatten().expect("a row");
    let latest = store_works(ports.views.latest().await);
    let erased = sweep(ports).await;
    assert_eq!((erased.streams, erased.rows), (0, 1), "{erased:?}");
    let after = store_works(ports.views.load(&["theirs".into()]).await).pop().flatten().expect("it is still there");
    assert_eq!(after.view, tally(&pseudonym(ID)));
    assert_eq!(store_works(ports.views.save(save(before.version, tally(MINA))).await), [false], "it was changed since");
    let changed = store_works(ports.views.changes(&Filter::default(), latest, 10).await);
    assert_eq!(changed, [after], "and whoever watches is told");
    let filter = |owner: &str| Filter { shop: Some("skanu".into()), owner: Some(owner.into()), ..Filter::default() };
    let page = Page { size: 10, after: None };
    assert_eq!(store_works(ports.views.page(&filter(KEY), &page).await), []);
    assert_eq!(store_works(ports.views.page(&filter(&pseudonym(ID)), &page).await).len(), 1);
}

async fn a_stream_that_is_named_by_somebody_moves(ports: &Ports) {
    let named = |owner: &str| Id::<Counter>::named(&["skanu", owner]);
    let (from, to) = (named(KEY), named(&pseudonym(ID)));
    let events = Writing::new(from).event(labelled(MINA, "NAMED"), Some(cause(9))).event(Event::Added(5), None);
    events.try_append(&*ports.journal).await.expect("committed");
    let erased = sweep(ports).await;
    assert_eq!(erased.moved, [(from.uuid(), to.uuid())]);
    assert_eq!(store_works(ports.journal.load(from, &[]).await).standing.revision, 0, "its old name leads nowhere");
    let loaded = store_works(ports.journal.load(to, &[]).await);
    assert_eq!((loaded.standing.revision, loaded.standing.state.total), (2, 5), "all of it is kept");
    assert_eq!(sweep(ports).await.moved, [(from.uuid(), to.uuid())], "and whoever asks again is told where it went");
}

async fn what_is_open_is_found(ports: &Ports) {
    Writing::new(id(11)).event(labelled(KEY, "OPEN"), None).try_append(&*ports.journal).await.expect("committed");
    Writing::new(id(12)).event(labelled(JUN, "OPEN"), None).try_append(&*ports.journal).await.expect("committed");
    Writing::new(id(13)).event(labelled(KEY, "DONE"), None).try_append(&*ports.journal).await.expect("committed");
    let open = store_works(ports.forgets.open(&mina(), KINDS).await);
    assert_eq!(open.iter().map(|case| (case.id, case.status.as_str())).collect::<Vec<_>>(), [(id(11).uuid(), "OPEN")]);
}

async fn what_comes_late_is_recognised(ports: &Ports) {
    let now = ports.clock.now();
    let of = |since: Timestamp, phone: &str| Erasure::new(timed(since), Phone::parse(phone).ok().as_ref(), &[]);
    let mina = of(now, MINA);
    store_works(ports.forgets.remember(&mina, now).await);
    store_works(ports.forgets.remember(&mina, now).await);
    let forgotten = store_works(ports.forgets.forgotten().await);
    assert_eq!(forgotten, mina.forgotten(), "once, and by nothing that says who it is");
    assert_eq!(forgotten[0].digest, Forgotten::digest(mina.id(), KEY));
    let close = async |found, at| store_works(ports.forgets.close(mina.id(), found, at).await);
    let later = now.after(Duration::from_secs(9));
    assert_eq!(close(false, later).await, now, "since it began");
    assert_eq!(close(true, later).await, later);
    assert_eq!(close(false, later.after(Duration::from_secs(9))).await, later, "since something was found");
    let long_ago = Timestamp::from_micros(now.as_micros() - 40 * 86_400 * 1_000_000);
    store_works(ports.forgets.remember(&of(long_ago, JUN), long_ago).await);
    assert_eq!(store_works(ports.forgets.forgotten().await), mina.forgotten(), "not for ever");
}

/// An id of version 7 that was made at `time`.
fn timed(time: Timestamp) -> Uuid {
    let millis = u128::try_from(time.as_micros() / 1000).unwrap_or_default();
    Uuid::from_u128((millis << 80) | 0x7000_8000_0000_0000_0001)
}

// === The bus ===

/// Holds a bus to its promises.
pub async fn forgetting_messages(buses: &dyn ForgetfulBuses) {
    let (ports, forgets) = buses.forgetful_bus().await;
    let messages: Vec<_> = (1..=3).map(|number| message(number, if number == 2 { JUN } else { MINA })).collect();
    let mut early = subscribe(&ports, "early").await;
    store_works(ports.bus.publish(messages.clone()).await);
    let heard = hear(&ports, &mut early, 3).await;
    assert!(heard.iter().any(|delivery| mina().may_be_in(&delivery.message.body)), "as it was published");
    lay_aside(&ports, &messages[0]).await;

    let moved = (messages[2].subject, Uuid::from_u128(99));
    let erasure = mina().with_moved([moved]);
    let erased = store_works(forgets.sweep_messages(&forgetting(&erasure)).await);
    assert_eq!((erased.messages, erased.letters > 0), (2, true), "{erased:?}");
    let mut late = subscribe(&ports, "late").await;
    let mut heard = hear(&ports, &mut late, 3).await;
    heard.sort_by_key(|delivery| delivery.message.time);
    let said: Vec<Event> = heard.iter().map(|it| serde_json::from_slice(&it.message.body).expect("an event")).collect();
    let name = pseudonym(ID);
    assert_eq!(said, [labelled(&name, "DONE"), labelled(JUN, "DONE"), labelled(&name, "DONE")], "whoever comes late");
    let ids: Vec<_> = heard.iter().map(|delivery| delivery.message.id).collect();
    assert_eq!(ids[..2], [messages[0].id, messages[1].id], "each is the message that it was");
    assert_eq!(heard[2].message.subject, moved.1, "but for what moved");
    assert_ne!(ids[2], messages[2].id);
    assert_eq!(heard[0].message.origin.actor, name);
    let letters = store_works(ports.letters.behind("counting", 0, 10).await);
    assert_eq!(letters.len(), 1);
    let letter = letters[0].message.as_ref().expect("an event");
    assert!(!erasure.may_be_in(&letter.body) && !letters[0].error.contains("7777"), "{letters:?}");
    let again = store_works(forgets.sweep_messages(&forgetting(&erasure)).await);
    assert!(!again.is_anything(), "a second time finds nothing: {again:?}");
}

fn message(number: u8, owner: &str) -> Message {
    Message {
        id: Uuid::from_u128(u128::from(number)),
        source: CONTEXT.into(),
        name: "Labelled".into(),
        subject: Uuid::from_u128(u128::from(number) + 10),
        time: Timestamp::from_micros(i64::from(number)),
        origin: Origin { actor: owner.into(), ..Origin::default() },
        body: serde_json::to_vec(&labelled(owner, "DONE")).unwrap_or_default(),
    }
}

type Deliveries = Box<dyn highstreet_domain::kernel::ports::Deliveries>;

async fn subscribe(ports: &BusPorts, consumer: &str) -> Deliveries {
    let subscription =
        Subscription { consumer: consumer.into(), source: CONTEXT.into(), names: vec!["Labelled".into()] };
    store_works(ports.bus.subscribe(&subscription).await)
}

async fn hear(ports: &BusPorts, deliveries: &mut Deliveries, count: usize) -> Vec<Delivery> {
    let mut heard = Vec::new();
    while heard.len() < count {
        let more = store_works(soon(&*ports.clock, "messages come", deliveries.next(10)).await);
        store_works(deliveries.settle(more.iter().map(|it| (it.tag, Verdict::Done)).collect()).await);
        heard.extend(more);
    }
    heard
}

/// The listener called like the context cannot handle `spoilt`, and says whose it is.
async fn lay_aside(ports: &BusPorts, spoilt: &Message) {
    let mut listener = subscribe(ports, CONTEXT).await;
    while store_works(ports.letters.behind(CONTEXT, 0, 1).await).is_empty() {
        let batch = store_works(soon(&*ports.clock, "it comes again", listener.next(10)).await);
        let verdict = |message: &Arc<Message>| {
            if message.id == spoilt.id { Verdict::Failed(format!("nobody knows {MINA}")) } else { Verdict::Done }
        };
        let verdicts = batch.iter().map(|delivery| (delivery.tag, verdict(&delivery.message))).collect();
        store_works(listener.settle(verdicts).await);
    }
}
