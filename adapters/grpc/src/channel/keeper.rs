//! Keeps the connections of a channel: looks names up, connects, and tells callers what stands.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::uri::Authority;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::link::Link;
use super::{ChannelSettings, Names};
use crate::addresses::{Address, Addresses};

/// The first pause after a failed attempt; each next one is twice as long.
const SHORTEST_REST: Duration = Duration::from_millis(50);
const LONGEST_REST: Duration = Duration::from_secs(1);
/// Names are not looked up more often than this, whatever fails.
const LOOKUPS_APART: Duration = Duration::from_millis(250);
/// Callers may ask for an attempt this long after the last one.
const ATTEMPTS_APART: Duration = Duration::from_millis(5);

/// What callers see.
#[derive(Debug)]
pub(super) struct Board {
    outlook: watch::Sender<Outlook>,
    /// How many callers have asked for a connection because there was none.
    asked: AtomicU64,
    look: Notify,
}

/// The connections that stand, and what is known where there is none.
#[derive(Debug, Default)]
pub(super) struct Outlook {
    links: Vec<Arc<Link>>,
    /// Every caller up to this one was told.
    told: u64,
    /// Why there is no connection.
    why: String,
}

/// The task behind a channel.
pub(super) struct Keeper {
    addresses: Addresses,
    names: Names,
    settings: Arc<ChannelSettings>,
    board: Arc<Board>,
    lines: Vec<Line>,
    lookups: Lookups,
    /// The last caller whose wish was seen.
    heard: u64,
    work: JoinSet<Done>,
}

/// One connection that there should be.
struct Line {
    to: Replica,
    /// Which of several to the same address.
    place: usize,
    state: State,
    failures: u32,
}

#[derive(Clone, PartialEq)]
struct Replica {
    address: SocketAddr,
    authority: Authority,
    encrypted: bool,
}

enum State {
    Up(Arc<Link>),
    Trying { since: Instant },
    Resting { until: Instant, asked_from: Instant, why: String },
}

/// Looking the names up.
struct Lookups {
    under_way: bool,
    next: Instant,
    last: Option<Instant>,
    /// Why the last one found nothing.
    failed: Option<String>,
}

/// Whom the names stand for.
struct Found {
    replicas: Vec<Replica>,
    /// Every name was found.
    complete: bool,
}

enum Done {
    Found(Result<Found, String>),
    Tried(Replica, usize, Result<Arc<Link>, String>),
}

// === impl Board ===

impl Default for Board {
    fn default() -> Self {
        Self { outlook: watch::Sender::default(), asked: AtomicU64::new(0), look: Notify::new() }
    }
}

impl Board {
    /// The less loaded of two connections taken at random.
    pub(super) fn pick(&self) -> Option<Arc<Link>> {
        let outlook = self.outlook.borrow();
        let links = &outlook.links;
        let chosen = match links.len() {
            0 => return None,
            1 => &links[0],
            many => {
                let one = fastrand::usize(..many);
                let other = (one + fastrand::usize(1..many)) % many;
                let (one, other) = (&links[one], &links[other]);
                if other.is_open() && (!one.is_open() || other.load() < one.load()) { other } else { one }
            }
        };
        if chosen.is_open() { Some(chosen.clone()) } else { links.iter().find(|link| link.is_open()).cloned() }
    }

    /// Has the keeper look at its connections.
    pub(super) fn look(&self) {
        self.look.notify_one();
    }

    /// Asks for a connection. What is said of this caller's number was found out after it asked.
    pub(super) fn ask(&self) -> u64 {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        self.look();
        asked
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Outlook> {
        self.outlook.subscribe()
    }
}

// === impl Outlook ===

impl Outlook {
    /// Why there is no connection, if that is known to the caller with this number.
    pub(super) fn away_since(&self, asked: u64) -> Option<String> {
        (self.links.is_empty() && self.told >= asked).then(|| self.why.clone())
    }
}

// === impl Keeper ===

impl Keeper {
    pub(super) fn new(addresses: Addresses, names: Names, settings: ChannelSettings, board: Arc<Board>) -> Self {
        let lookups = Lookups { under_way: false, next: Instant::now(), last: None, failed: None };
        let settings = Arc::new(settings);
        Self { addresses, names, settings, board, lookups, lines: Vec::new(), heard: 0, work: JoinSet::new() }
    }

    pub(super) async fn keep(mut self) {
        loop {
            self.look();
            let (board, next) = (self.board.clone(), self.next());
            tokio::select! {
                () = board.look.notified() => {}
                Some(done) = self.work.join_next() => match done {
                    Ok(Done::Found(found)) => self.found(found),
                    Ok(Done::Tried(to, place, outcome)) => self.tried(&to, place, outcome),
                    // Nothing in them panics, and nobody aborts them.
                    Err(_) => return,
                },
                () = sleep_until(next) => {}
            }
        }
    }

    /// Does what is due, and tells what there is.
    fn look(&mut self) {
        let now = Instant::now();
        let asked = self.board.asked.load(Ordering::SeqCst);
        let urged = asked > self.heard;
        self.heard = asked;
        for place in 0..self.lines.len() {
            let line = &mut self.lines[place];
            if line.is_lost() {
                // It may have been a restart: try at once, and soon ask who is there now.
                line.state = State::Resting { until: now, asked_from: now, why: "the connection closed".into() };
                self.lookups.soon(now);
            }
            if self.lines[place].is_due(now, urged) {
                self.try_line(place, now);
            }
        }
        if self.lookups.is_due(now, urged) {
            self.look_up(now);
        }
        self.tell();
    }

    fn try_line(&mut self, place: usize, now: Instant) {
        let line = &mut self.lines[place];
        line.state = State::Trying { since: now };
        let (to, place, settings, board) = (line.to.clone(), line.place, self.settings.clone(), self.board.clone());
        self.work.spawn(async move {
            let tried =
                Link::connect((to.address, to.authority.clone()), to.encrypted, &settings, move || board.look()).await;
            Done::Tried(to, place, tried)
        });
    }

    fn tried(&mut self, to: &Replica, place: usize, outcome: Result<Arc<Link>, String>) {
        // It may be gone from the name since.
        let Some(line) = self.lines.iter_mut().find(|line| line.to == *to && line.place == place) else { return };
        match outcome {
            Ok(link) => {
                tracing::debug!(address = %to.address, "connected");
                line.failures = 0;
                line.state = State::Up(link);
            }
            Err(why) => {
                let now = Instant::now();
                tracing::debug!(address = %to.address, %why, "not connected");
                line.rest(now, why);
                self.lookups.soon(now);
            }
        }
    }

    fn look_up(&mut self, now: Instant) {
        self.lookups.under_way = true;
        self.lookups.last = Some(now);
        self.lookups.next = now + self.settings.resolve_every;
        let (addresses, names) = (self.addresses.clone(), self.names.clone());
        self.work.spawn(async move { Done::Found(resolve(&addresses, &names).await) });
    }

    /// Keeps the connections to replicas that are still there, lets the others finish, and adds the new ones.
    fn found(&mut self, found: Result<Found, String>) {
        self.lookups.under_way = false;
        let Found { replicas, complete } = match found {
            Ok(found) => found,
            Err(why) => {
                // Those that were there may be there still, whatever the names' server says.
                if self.lookups.failed.as_ref() != Some(&why) {
                    tracing::warn!(addresses = %self.addresses, %why, "no address found");
                }
                self.lookups.failed = Some(why);
                self.lookups.soon(Instant::now() + LONGEST_REST);
                return;
            }
        };
        self.lookups.failed = None;
        self.lines.retain(|line| !complete || replicas.contains(&line.to));
        for replica in replicas {
            if self.lines.iter().all(|line| line.to != replica) {
                let lines = (0..self.settings.connections.max(1)).map(|place| Line::new(replica.clone(), place));
                self.lines.extend(lines);
            }
        }
    }

    fn tell(&self) {
        let deciding = self.lookups.under_way && self.lines.is_empty()
            || self.lines.iter().any(|line| matches!(line.state, State::Trying { .. }));
        let told = (!deciding).then_some(self.heard);
        self.board.outlook.send_if_modified(|outlook| {
            let up = || self.lines.iter().filter_map(Line::up);
            let told = told.unwrap_or(outlook.told);
            let same =
                outlook.links.len() == up().count() && outlook.links.iter().zip(up()).all(|(a, b)| Arc::ptr_eq(a, b));
            if same && outlook.told == told {
                return false;
            }
            *outlook = Outlook { links: up().cloned().collect(), told, why: self.why() };
            true
        });
    }

    /// Why nobody can be reached.
    fn why(&self) -> String {
        let lines = self.lines.iter().filter_map(|line| match &line.state {
            State::Resting { why, .. } => Some(format!("{}: {why}", line.to.address)),
            State::Up(_) | State::Trying { .. } => None,
        });
        let mut reasons: Vec<String> = self.lookups.failed.iter().cloned().chain(lines).collect();
        reasons.dedup();
        reasons.join("; ")
    }

    /// When there is something to do.
    fn next(&self) -> Instant {
        let rests = self.lines.iter().filter_map(|line| match &line.state {
            State::Resting { until, .. } => Some(*until),
            State::Up(_) | State::Trying { .. } => None,
        });
        let lookup = (!self.lookups.under_way).then_some(self.lookups.next);
        rests.chain(lookup).min().unwrap_or_else(|| Instant::now() + self.settings.resolve_every)
    }
}

/// Everyone whom the names stand for, each once.
async fn resolve(addresses: &Addresses, names: &Names) -> Result<Found, String> {
    let mut replicas: Vec<Replica> = Vec::new();
    let mut failed = None;
    for name in addresses.iter() {
        match resolve_one(name, names).await {
            Ok(found) => {
                for replica in found {
                    if replicas.iter().all(|known| known.address != replica.address) {
                        replicas.push(replica);
                    }
                }
            }
            Err(why) => failed = Some(why),
        }
    }
    match failed {
        Some(why) if replicas.is_empty() => Err(why),
        failed => Ok(Found { replicas, complete: failed.is_none() }),
    }
}

async fn resolve_one(name: &Address, names: &Names) -> Result<Vec<Replica>, String> {
    let authority: Authority = name.to_string().parse().map_err(|error| format!("{name}: {error}"))?;
    let found = names(name.host.clone(), name.port).await.map_err(|error| format!("{name}: {error}"))?;
    Ok(found
        .into_iter()
        .map(|address| Replica { address, authority: authority.clone(), encrypted: name.encrypted })
        .collect())
}

// === impl Line ===

impl Line {
    fn new(to: Replica, place: usize) -> Self {
        let now = Instant::now();
        let state = State::Resting { until: now, asked_from: now, why: "not connected yet".into() };
        Self { to, place, state, failures: 0 }
    }

    fn up(&self) -> Option<&Arc<Link>> {
        match &self.state {
            State::Up(link) if link.is_open() => Some(link),
            _ => None,
        }
    }

    fn is_lost(&self) -> bool {
        matches!(&self.state, State::Up(link) if !link.is_open())
    }

    fn is_due(&self, now: Instant, urged: bool) -> bool {
        match &self.state {
            State::Resting { until, asked_from, .. } => *until <= now || urged && *asked_from <= now,
            State::Up(_) | State::Trying { .. } => false,
        }
    }

    /// Waits longer after each failure, and as long as the attempt took, so that one that hangs does not make every
    /// caller hang. One that failed at once may be tried sooner, if callers ask.
    fn rest(&mut self, now: Instant, why: String) {
        let took = match self.state {
            State::Trying { since } => (now - since).min(LONGEST_REST),
            State::Up(_) | State::Resting { .. } => Duration::ZERO,
        };
        let rest = (SHORTEST_REST * 2_u32.pow(self.failures.min(8))).clamp(took, LONGEST_REST);
        self.failures += 1;
        // A little apart, so that many callers do not come back as one.
        let until = now + rest.mul_f64(0.8 + 0.2 * fastrand::f64());
        self.state = State::Resting { until, asked_from: now + took.max(ATTEMPTS_APART), why };
    }
}

// === impl Lookups ===

impl Lookups {
    /// The next one is as soon as may be, but not before `from`.
    fn soon(&mut self, from: Instant) {
        let earliest = self.last.map_or(from, |last| (last + LOOKUPS_APART).max(from));
        self.next = self.next.min(earliest);
    }

    fn is_due(&self, now: Instant, urged: bool) -> bool {
        let soon = self.last.is_none_or(|last| last + LOOKUPS_APART <= now);
        !self.under_way && (self.next <= now || urged && self.failed.is_some() && soon)
    }
}
