//! Lists that go through all contexts.

use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use highstreet_domain::kernel::Timestamp;
use highstreet_wire::proto::operations as proto;
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Status};

use super::offices::{Line, Offices};
use super::show::{dead_letter, pending_step};
use crate::fields::Fields;
use crate::page::size_of;
use crate::status::unavailable;

/// A context elsewhere that does not answer by then is left out of a list of all.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// A page of a list that goes through contexts.
pub(super) struct Walk {
    /// The list and its filters: a token belongs to them.
    list: String,
    only: Option<String>,
    size: usize,
    /// The context to go on with, and where in it.
    from: (String, String),
}

/// What is asked of each context: a page of it.
#[async_trait]
pub(super) trait Ask<T>: Sync {
    /// At most `room` of what is in `context`, behind `after`; and where to go on, empty at the end.
    async fn ask(&self, context: &str, line: Line, after: String, room: usize) -> Result<(Vec<T>, String), Status>;
}

/// The steps that wait.
pub(super) struct PendingSteps {
    /// What the caller brought along.
    pub(super) metadata: MetadataMap,
    pub(super) failing_only: bool,
    pub(super) now: Timestamp,
}

/// The dead letters.
pub(super) struct Letters {
    /// What the caller brought along.
    pub(super) metadata: MetadataMap,
    pub(super) now: Timestamp,
}

#[async_trait]
impl Ask<proto::PendingStep> for PendingSteps {
    async fn ask(
        &self,
        context: &str,
        line: Line,
        after: String,
        room: usize,
    ) -> Result<(Vec<proto::PendingStep>, String), Status> {
        match line {
            Line::Here(office) => {
                let (found, next) = office.pending(self.failing_only, &after, room).await?;
                let shown = found.iter().map(|(aggregate, step)| pending_step(context, aggregate, step, self.now));
                Ok((shown.collect(), next))
            }
            Line::Elsewhere(mut office) => {
                let asked = proto::ListPendingStepsRequest {
                    context: context.to_owned(),
                    failing_only: self.failing_only,
                    page_size: i32::try_from(room).unwrap_or(i32::MAX),
                    page_token: after,
                };
                let answer = office.list_pending_steps(passed_on(&self.metadata, asked)).await?.into_inner();
                Ok((answer.steps, answer.next_page_token))
            }
        }
    }
}

#[async_trait]
impl Ask<proto::DeadLetter> for Letters {
    async fn ask(
        &self,
        context: &str,
        line: Line,
        after: String,
        room: usize,
    ) -> Result<(Vec<proto::DeadLetter>, String), Status> {
        match line {
            Line::Here(office) => {
                let (found, next) = office.letters_behind(&after, room).await?;
                Ok((found.iter().map(|letter| dead_letter(context, letter, self.now)).collect(), next))
            }
            Line::Elsewhere(mut office) => {
                let page_size = i32::try_from(room).unwrap_or(i32::MAX);
                let asked = proto::ListDeadLettersRequest { context: context.to_owned(), page_size, page_token: after };
                let answer = office.list_dead_letters(passed_on(&self.metadata, asked)).await?.into_inner();
                Ok((answer.dead_letters, answer.next_page_token))
            }
        }
    }
}

/// The same caller asks for something else.
pub(super) fn passed_on<T>(metadata: &MetadataMap, message: T) -> Request<T> {
    let mut request = Request::new(message);
    metadata.clone_into(request.metadata_mut());
    request
}

// === impl Offices ===

impl Offices {
    /// Asks the contexts, one after the other, until the page is full.
    pub(super) async fn walk<T>(&self, walk: Walk, ask: &impl Ask<T>) -> Result<(Vec<T>, String, Vec<String>), Status> {
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
            let asked = async { ask.ask(&context, self.line(&context)?, after, room).await };
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
}

pub(super) fn is_away(status: &Status) -> bool {
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
