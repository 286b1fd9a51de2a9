//! A small aggregate with everything an aggregate can have, for the contracts and for tests of the kernel.

use std::collections::BTreeMap;
use std::fmt;

use highstreet_domain::kernel::{
    Aggregate, Due, Happened, Id, Index, Kind, OnOutage, Outage, Phone, Published, Rejection, Timestamp, Unanswered,
    View,
};
use serde::{Deserialize, Serialize};

/// Counts, asks, and wakes up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    /// The sum of what was added.
    pub total: i64,
    /// Shop, owner and status; not listed before it has them.
    pub labels: Option<(String, String, String)>,
    /// The question it waits to have answered.
    pub asking: Option<String>,
    /// When it wants to be woken.
    pub alarm: Option<Timestamp>,
    /// The entry that was opened or written last.
    #[serde(skip)]
    entry: Option<i64>,
}

/// What a counter may be asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Add; the total stays above −1.
    Add(i64),
    /// Be listed under shop, owner and status.
    Label(String, String, String),
    /// Add to the entry under a key.
    Keep(String, i64),
    /// Ask a question.
    Ask(String),
    /// The answer.
    Answer,
    /// Nobody answered.
    GiveUp(Outage),
    /// Wake up at a time.
    Set(Timestamp),
    /// The time has come.
    Ring,
    /// Something others are not told of.
    Whisper,
    /// Nothing at all.
    Rest,
    /// A bug.
    Panic,
}

/// What can happen to a counter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// Something was added.
    Added(i64),
    /// It is listed under shop, owner and status.
    Labelled(String, String, String),
    /// An entry changed to this.
    Kept(i64),
    /// A question was asked.
    Asked(String),
    /// It was answered.
    Answered,
    /// It was not.
    GivenUp,
    /// It wants to be woken.
    Set(Timestamp),
    /// It was.
    Rang,
    /// Others are not told of this.
    Whispered,
}

/// What a counter asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask(pub String);

/// The total would be negative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooLow;

/// What a view counts: the last number told by each source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// The number of each source, and the revision it came with.
    pub numbers: BTreeMap<String, (u64, i64)>,
}

/// A number told by a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Which row it belongs to.
    pub row: String,
    /// Who told it.
    pub source: String,
    /// How late in that source's life.
    pub revision: u64,
    /// The number.
    pub number: i64,
}

/// Publishes everything but whispers: the event's name, and the event as JSON.
pub fn publish(happened: &Happened<'_, Counter>) -> Option<Published> {
    let name = match happened.event {
        Event::Added(_) => "Added",
        Event::Labelled(..) => "Labelled",
        Event::Kept(_) => "Kept",
        Event::Asked(_) => "Asked",
        Event::Answered => "Answered",
        Event::GivenUp => "GivenUp",
        Event::Set(_) => "Set",
        Event::Rang => "Rang",
        Event::Whispered => return None,
    };
    Some(Published { name, body: serde_json::to_vec(happened.event).ok()? })
}

// === impl Counter ===

impl Aggregate for Counter {
    const NAME: &'static str = "counter";
    const VERSION: u32 = 1;

    type Command = Command;
    type Event = Event;
    type Rejection = TooLow;
    type Step = Ask;
    type Entry = i64;

    fn decide(&self, command: &Command, _now: Timestamp) -> Result<Vec<Event>, TooLow> {
        Ok(vec![match command {
            Command::Add(number) if self.total + number < 0 => return Err(TooLow),
            Command::Add(number) => Event::Added(*number),
            Command::Label(shop, owner, status) => Event::Labelled(shop.clone(), owner.clone(), status.clone()),
            Command::Keep(_, number) => Event::Kept(self.entry.unwrap_or(0) + number),
            Command::Ask(question) => Event::Asked(question.clone()),
            Command::Answer if self.asking.is_some() => Event::Answered,
            Command::GiveUp(_) if self.asking.is_some() => Event::GivenUp,
            // Answered before.
            Command::Answer | Command::GiveUp(_) | Command::Rest => return Ok(vec![]),
            Command::Set(at) => Event::Set(*at),
            Command::Ring => Event::Rang,
            Command::Whisper => Event::Whispered,
            Command::Panic => panic!("a bug, on purpose"),
        }])
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::Added(number) => self.total += number,
            Event::Labelled(shop, owner, status) => {
                self.labels = Some((shop.clone(), owner.clone(), status.clone()));
            }
            Event::Kept(number) => self.entry = Some(*number),
            Event::Asked(question) => self.asking = Some(question.clone()),
            Event::Answered | Event::GivenUp => self.asking = None,
            Event::Set(at) => self.alarm = Some(*at),
            Event::Rang => self.alarm = None,
            Event::Whispered => {}
        }
        self
    }

    fn due(&self) -> Option<Due<Self>> {
        let alarm = self.alarm.map(|at| Due::Deadline { at, command: Command::Ring });
        self.asking.clone().map(|question| Due::Call(Ask(question))).or(alarm)
    }

    fn give_up(&self, Ask(question): &Ask, unanswered: &Unanswered) -> Option<Command> {
        (!question.contains("vital")).then_some(Command::GiveUp(unanswered.outage))
    }

    fn on_outage(&self, step: &Ask, unanswered: &Unanswered, _attempts: u32) -> OnOutage<Command> {
        match self.give_up(step, unanswered) {
            Some(command) if step.0.contains("urgent") => OnOutage::GiveUp(command),
            _ => OnOutage::Retry,
        }
    }

    fn index(&self) -> Option<Index> {
        let (shop, owner, status) = self.labels.clone()?;
        Some(Index { shop, owner, reference: "counting/1".into(), status })
    }

    fn named(&self) -> Option<Id<Self>> {
        let (shop, owner, _) = self.labels.as_ref().filter(|(_, _, status)| status == "NAMED")?;
        Some(Id::named(&[shop, &Phone::key_of(owner)]))
    }

    fn entry_key(command: &Command) -> Option<String> {
        match command {
            Command::Keep(key, _) => Some(key.clone()),
            _ => None,
        }
    }

    fn open(self, _key: &str, entry: Option<i64>) -> Self {
        Self { entry, ..self }
    }

    fn entry(&self) -> Option<&i64> {
        self.entry.as_ref()
    }
}

// === impl TooLow ===

impl fmt::Display for TooLow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the total would be negative")
    }
}

impl Rejection for TooLow {
    fn kind(&self) -> Kind {
        Kind::Precondition
    }

    fn reason(&self) -> &'static str {
        "TOO_LOW"
    }
}

// === impl Tally ===

impl View for Tally {
    const NAME: &'static str = "tally";

    type Fact = Told;

    fn key(fact: &Told) -> String {
        fact.row.clone()
    }

    fn apply(mut self, fact: &Told) -> Self {
        let told = (fact.revision, fact.number);
        let kept = self.numbers.entry(fact.source.clone()).or_insert(told);
        *kept = told.max(*kept);
        self
    }

    fn index(&self) -> Index {
        let largest = self.numbers.values().map(|(_, number)| *number).max().unwrap_or(0);
        let status = if largest > 100 { "LARGE" } else { "SMALL" };
        Index { shop: "skanu".into(), owner: "mina".into(), reference: String::new(), status: status.into() }
    }
}
