//! Where each context is looked after, and lists that go through all of them.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use highstreet_domain::kernel::ports::{DeadLetter, DeadLetters, Sought};
use highstreet_domain::kernel::{Origin, PendingStep, Steps, Unmoved};
use highstreet_wire::proto::operations::operations_service_client::OperationsServiceClient;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::fields::Fields;
use crate::page::size_of;
use crate::peer::Reach;
use crate::status::{not_found, of_store, unavailable};

/// A context elsewhere that does not answer by then is left out of a list of all.
const PATIENCE: Duration = Duration::from_secs(3);

/// What an operator may see and do of one context in this process.
pub struct Office {
    /// What waits in its aggregates, kind by kind.
    pub steps: Vec<Arc<dyn Steps>>,
    /// What it could not handle.
    pub letters: Arc<dyn DeadLetters>,
}

/// The offices of all contexts that run here or are reached from here. Cheap to clone; clones see the same.
#[derive(Clone, Default)]
pub struct Offices(Arc<RwLock<BTreeMap<String, Option<Line>>>>);

/// Where an office is.
#[derive(Clone)]
pub(super) enum Line {
    Here(Arc<Office>),
    Elsewhere(OperationsServiceClient<Reach>),
}

/// A page of a list that goes through contexts.
pub(super) struct Walk {
    /// The list and its filters: a token belongs to them.
    list: String,
    only: Option<String>,
    size: usize,
    /// The context to go on with, and where in it.
    from: (String, String),
}

// === impl Office ===

impl Office {
    /// A page of what waits, each with its kind of aggregate, and where to go on; empty at the end.
    pub(super) async fn pending(
        &self,
        tried: bool,
        after: &str,
        room: usize,
    ) -> Result<(Vec<(&'static str, PendingStep)>, String), Status> {
        let (mut kind, mut after) = place_of(after)?;
        let mut found = Vec::new();
        while let Some(steps) = self.steps.get(kind) {
            let sought = Sought { tried, after, limit: room + 1 - found.len(), ..Sought::default() };
            let more = steps.pending(&sought).await.map_err(|error| of_store(&error))?;
            found.extend(more.into_iter().map(|step| (kind, steps.aggregate(), step)));
            if found.len() > room {
                found.truncate(room);
                break;
            }
            (kind, after) = (kind + 1, None);
        }
        let next = match found.last() {
            Some((at, _, step)) if found.len() == room && kind < self.steps.len() => format!("{at}.{}", step.id),
            _ => String::new(),
        };
        Ok((found.into_iter().map(|(_, aggregate, step)| (aggregate, step)).collect(), next))
    }

    /// Makes the call that waits in `id` now; what waits there then, and its kind of aggregate.
    pub(super) async fn retry(&self, id: Uuid) -> Result<Option<(&'static str, PendingStep)>, Unmoved> {
        for steps in &self.steps {
            match steps.retry(id).await {
                // Another kind of aggregate may have it.
                Err(Unmoved::NothingWaits) => {}
                left => return Ok(left?.map(|step| (steps.aggregate(), step))),
            }
        }
        Err(Unmoved::NothingWaits)
    }

    pub(super) async fn abandon(&self, id: Uuid, origin: Arc<Origin>) -> Result<(), Unmoved> {
        for steps in &self.steps {
            match steps.abandon(id, origin.clone()).await {
                // Another kind of aggregate may have it.
                Err(Unmoved::NothingWaits) => {}
                done => return done,
            }
        }
        Err(Unmoved::NothingWaits)
    }

    /// A page of what `listener` could not handle, and where to go on; empty at the end.
    pub(super) async fn letters_behind(
        &self,
        listener: &str,
        after: &str,
        room: usize,
    ) -> Result<(Vec<DeadLetter>, String), Status> {
        let after = if after.is_empty() { 0 } else { after.parse().map_err(|_| bad_token())? };
        let found = self.letters.behind(listener, after, room + 1).await;
        let mut found = found.map_err(|error| of_store(&error))?;
        let more = found.len() > room;
        found.truncate(room);
        let next = found.last().filter(|_| more).map_or_else(String::new, |letter| letter.place.to_string());
        Ok((found, next))
    }
}

fn place_of(after: &str) -> Result<(usize, Option<Uuid>), Status> {
    if after.is_empty() {
        return Ok((0, None));
    }
    let parts = after.split_once('.').ok_or_else(bad_token)?;
    let kind = parts.0.parse().map_err(|_| bad_token())?;
    Ok((kind, Some(Uuid::parse_str(parts.1).map_err(|_| bad_token())?)))
}

fn bad_token() -> Status {
    let mut fields = Fields::default();
    fields.wrong("page_token", "must be the next_page_token of a list with the same filters");
    fields.finish().err().unwrap_or_else(|| Status::internal("a field is wrong"))
}

// === impl Offices ===

impl Offices {
    /// A context runs here.
    pub fn open(&self, context: &str, office: Office) {
        self.set(context, Some(Line::Here(Arc::new(office))));
    }

    /// A context that runs here is stopped.
    pub fn close(&self, context: &str) {
        self.set(context, None);
    }

    /// A context is looked after elsewhere.
    pub fn reach(&self, context: &str, reach: Reach) {
        self.set(context, Some(Line::Elsewhere(OperationsServiceClient::new(reach))));
    }

    /// The office of a context.
    pub(super) fn line(&self, context: &str) -> Result<Line, Status> {
        let offices = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let line = offices.get(context).ok_or_else(|| not_found("context", context))?;
        line.clone().ok_or_else(|| unavailable("CONTEXT_STOPPED", "this context is stopped; try again"))
    }

    /// Asks the contexts, one after the other, until the page is full. `ask` is given a context, its office, where to
    /// go on there, and how much is wanted.
    pub(super) async fn walk<T>(
        &self,
        walk: Walk,
        ask: impl AsyncFn(&str, Line, String, usize) -> Result<(Vec<T>, String), Status>,
    ) -> Result<(Vec<T>, String, Vec<String>), Status> {
        let contexts = match &walk.only {
            Some(only) => vec![only.clone()],
            None => self.contexts(),
        };
        let (mut found, mut unreachable) = (Vec::new(), Vec::new());
        for context in contexts.into_iter().filter(|context| *context >= walk.from.0) {
            let room = walk.size - found.len();
            if room == 0 {
                return Ok((found, walk.token(&context, ""), unreachable));
            }
            let after = if context == walk.from.0 { walk.from.1.clone() } else { String::new() };
            let asked = async { ask(&context, self.line(&context)?, after, room).await };
            let asked = tokio::time::timeout(PATIENCE, asked).await;
            let asked = asked.unwrap_or_else(|_| Err(unavailable("CONTEXT_UNAVAILABLE", "it did not answer in time")));
            match asked {
                Ok((more, next)) => {
                    found.extend(more);
                    if !next.is_empty() {
                        return Ok((found, walk.token(&context, &next), unreachable));
                    }
                }
                Err(status) if walk.only.is_none() && is_away(&status) => unreachable.push(context),
                Err(status) => return Err(status),
            }
        }
        Ok((found, String::new(), unreachable))
    }

    fn contexts(&self) -> Vec<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    fn set(&self, context: &str, line: Option<Line>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(context.to_owned(), line);
    }
}

fn is_away(status: &Status) -> bool {
    // What does not know this service is of an earlier version.
    matches!(status.code(), Code::Unavailable | Code::DeadlineExceeded | Code::Unimplemented | Code::Unknown)
}

// === impl Walk ===

impl Walk {
    pub(super) fn new(fields: &mut Fields, kind: &str, only: &str, page_size: i32, page_token: &str) -> Self {
        let size = size_of(fields, page_size);
        let only = (!only.is_empty()).then(|| only.to_owned());
        let list = format!("{kind}/{}", only.as_deref().unwrap_or_default());
        let from = if page_token.is_empty() { Some(Default::default()) } else { read_token(page_token, &list) };
        if from.is_none() {
            fields.wrong("page_token", "must be the next_page_token of a list with the same filters");
        }
        Self { list, only, size, from: from.unwrap_or_default() }
    }

    fn token(&self, context: &str, after: &str) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}\n{context}\n{after}", self.list))
    }
}

fn read_token(token: &str, list: &str) -> Option<(String, String)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let mut parts = text.splitn(3, '\n');
    let (of, context, after) = (parts.next()?, parts.next()?, parts.next()?);
    (of == list).then(|| (context.to_owned(), after.to_owned()))
}
