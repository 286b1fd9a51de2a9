//! Where each context is looked after.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, PoisonError, RwLock};

use highstreet_domain::kernel::ports::{DeadLetter, DeadLetters, Sought, StoreError};
use highstreet_domain::kernel::{Forgetter, Origin, PendingStep, Rebuilds, Steps, Unmoved, Wanted};
use highstreet_wire::proto::operations::operations_service_client::OperationsServiceClient;
use http::{Request, Response};
use tokio::sync::Mutex;
use tonic::Status;
use tonic::body::Body;
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;
use uuid::Uuid;

use super::vitals::Vitals;
use crate::fields::Fields;
use crate::peer::Reach;
use crate::status::{aborted, not_found, of_store, unavailable};

/// What an operator may see and do of one context in this process.
pub struct Office {
    /// What waits in its aggregates, kind by kind.
    steps: Vec<Arc<dyn Steps>>,
    /// Its views.
    views: Vec<Arc<dyn Rebuilds>>,
    /// The names that its policies and views listen under.
    listeners: Vec<String>,
    /// What they could not handle.
    pub(super) letters: Arc<dyn DeadLetters>,
    /// What forgets people in it.
    pub(super) forgetter: Arc<Forgetter>,
    /// How it is.
    pub(super) vitals: Arc<dyn Vitals>,
    /// Held while a view is rebuilt.
    rebuilding: Arc<Mutex<()>>,
}

/// The offices of all contexts that run here or are reached from here. Cheap to clone; clones see the same.
#[derive(Clone, Default)]
pub struct Offices(Arc<RwLock<BTreeMap<String, Option<Line>>>>);

/// Where an office is.
#[derive(Clone)]
pub(super) enum Line {
    Here(Arc<Office>),
    Elsewhere(OperationsServiceClient<Way>),
}

/// The way to an office elsewhere. Whoever cannot be reached answers that.
type Way = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

// === impl Office ===

impl Office {
    /// For a context with these aggregates and views, which listens under these names; what they could not handle is
    /// among `letters`. `forgetter` forgets people in it, and `vitals` say how it is.
    pub fn new(
        steps: Vec<Arc<dyn Steps>>,
        views: Vec<Arc<dyn Rebuilds>>,
        listeners: Vec<String>,
        letters: Arc<dyn DeadLetters>,
        forgetter: Forgetter,
        vitals: Arc<dyn Vitals>,
    ) -> Self {
        let forgetter = Arc::new(forgetter);
        Self { steps, views, listeners, letters, forgetter, vitals, rebuilding: Arc::default() }
    }

    /// Rebuilds a view, to its end even if nobody waits for it; how many rows it has then.
    pub(super) async fn rebuild(&self, view: &str) -> Result<u64, Status> {
        let wanted = self.views.iter().find(|known| known.view() == view).cloned();
        let wanted = wanted.ok_or_else(|| not_found("view", view))?;
        let turn = self.rebuilding.clone().try_lock_owned();
        let turn = turn.map_err(|_| aborted("REBUILD_RUNNING", "a view of this context is being rebuilt just now"))?;
        let work = tokio::spawn(async move {
            let rows = wanted.rebuild(Uuid::now_v7()).await;
            drop(turn);
            rows
        });
        let rows = work.await.unwrap_or_else(|error| Err(StoreError::Unavailable(error.to_string())));
        rows.map_err(|error| of_store(&error))
    }

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

    /// Makes the call that waits there now; what waits in that stream then, and its kind of aggregate.
    pub(super) async fn retry(&self, wanted: Wanted) -> Result<Option<(&'static str, PendingStep)>, Unmoved> {
        for steps in &self.steps {
            match steps.retry(wanted).await {
                // Another kind of aggregate may have it.
                Err(Unmoved::NothingWaits) => {}
                left => return Ok(left?.map(|step| (steps.aggregate(), step))),
            }
        }
        Err(Unmoved::NothingWaits)
    }

    pub(super) async fn abandon(&self, wanted: Wanted, origin: Arc<Origin>) -> Result<(), Unmoved> {
        for steps in &self.steps {
            match steps.abandon(wanted, origin.clone()).await {
                // Another kind of aggregate may have it.
                Err(Unmoved::NothingWaits) => {}
                done => return done,
            }
        }
        Err(Unmoved::NothingWaits)
    }

    /// A page of what could not be handled, listener by listener, and where to go on; empty at the end.
    pub(super) async fn letters_behind(&self, after: &str, room: usize) -> Result<(Vec<DeadLetter>, String), Status> {
        let (mut at, mut after) = letter_place_of(after)?;
        let mut found = Vec::new();
        while let Some(listener) = self.listeners.get(at) {
            let more = self.letters.behind(listener, after, room + 1 - found.len()).await;
            found.extend(more.map_err(|error| of_store(&error))?.into_iter().map(|letter| (at, letter)));
            if found.len() > room {
                found.truncate(room);
                break;
            }
            (at, after) = (at + 1, 0);
        }
        let next = match found.last() {
            Some((last, letter)) if found.len() == room && at < self.listeners.len() => {
                format!("{last}.{}", letter.place)
            }
            _ => String::new(),
        };
        Ok((found.into_iter().map(|(_, letter)| letter).collect(), next))
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

fn letter_place_of(after: &str) -> Result<(usize, u64), Status> {
    if after.is_empty() {
        return Ok((0, 0));
    }
    let (at, place) = after.split_once('.').ok_or_else(bad_token)?;
    at.parse().ok().zip(place.parse().ok()).ok_or_else(bad_token)
}

pub(super) fn bad_token() -> Status {
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
        let way = tower::service_fn(move |request| {
            let reach = reach.clone();
            async move {
                Ok(reach.oneshot(request).await.unwrap_or_else(|why| {
                    tracing::debug!(%why, "an office cannot be reached");
                    unavailable("CONTEXT_UNAVAILABLE", "this context cannot be reached; try again").into_http()
                }))
            }
        });
        self.set(context, Some(Line::Elsewhere(OperationsServiceClient::new(Way::new(way)))));
    }

    /// The office of a context.
    pub(super) fn line(&self, context: &str) -> Result<Line, Status> {
        let offices = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let line = offices.get(context).ok_or_else(|| not_found("context", context))?;
        line.clone().ok_or_else(|| unavailable("CONTEXT_STOPPED", "this context is stopped; try again"))
    }

    pub(super) fn contexts(&self) -> Vec<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    fn set(&self, context: &str, line: Option<Line>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(context.to_owned(), line);
    }
}
