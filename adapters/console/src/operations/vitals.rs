//! How the contexts are: whether they serve, how far they are behind, whether they call each other.

use std::sync::LazyLock;

use futures_util::future::join_all;
use highstreet_wire::DESCRIPTORS;
use highstreet_wire::proto::operations::{
    Backlog, Breaker, BreakerState, ContextVitals, ListContextsRequest, ListContextsResponse,
};
use maud::{Markup, html};
use prost::Message as _;
use prost_types::FileDescriptorSet;
use tonic::Status;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;

use crate::calls::ask;
use crate::lang::Lang;
use crate::visit::Visit;
use crate::{part, show};

/// Every context that is published, and its service's full name.
static CONTEXTS: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let described = FileDescriptorSet::decode(DESCRIPTORS)
        .expect("the build wrote what it had read, and every server answers reflection from it");
    let services = described.file.iter().flat_map(|file| {
        let context = file.package().split('.').nth(1).unwrap_or_default();
        file.service.iter().map(move |it| (context.to_owned(), format!("{}.{}", file.package(), it.name())))
    });
    services.collect()
});

/// What is known of the contexts.
pub(super) struct Contexts {
    /// How each says it is; `None` where nobody says anything.
    health: Vec<(&'static str, Option<ServingStatus>)>,
    vitals: Result<ListContextsResponse, Status>,
}

// === impl Contexts ===

impl Contexts {
    pub(super) async fn of(visit: &Visit) -> Self {
        let mut operations = visit.calls.operations();
        let vitals = operations.list_contexts(ListContextsRequest::default());
        let (health, vitals) = tokio::join!(health(visit), ask(vitals));
        Self { health, vitals }
    }

    /// One for each context.
    pub(super) fn tiles(&self, l: Lang) -> Markup {
        html! {
            ul.health {
                @for (context, status) in &self.health {
                    @let (tone, word) = match status {
                        Some(ServingStatus::Serving) => ("good", l.serving()),
                        Some(_) => ("bad", l.not_serving()),
                        None => ("bad", l.no_answer()),
                    };
                    li.(tone) id=(format!("context-{context}")) {
                        span.health-dot aria-hidden="true" {}
                        span.health-name { (l.context(context).unwrap_or(context)) }
                        span.health-word { (word) }
                        @if let Some(vitals) = self.vitals_of(context) { (behind(l, vitals)) }
                    }
                }
            }
        }
    }

    /// Who calls whom, and whether that goes well.
    pub(super) fn calls(&self, l: Lang) -> Markup {
        part::asked(l, &self.vitals, |told| {
            let calls = told.contexts.iter().flat_map(|it| it.breakers.iter().map(move |breaker| (it, breaker)));
            html! { ul.health.calls { @for (caller, breaker) in calls { (call(l, &caller.context, breaker)) } } }
        })
    }

    fn vitals_of(&self, context: &str) -> Option<&ContextVitals> {
        self.vitals.as_ref().ok()?.contexts.iter().find(|it| it.context == context)
    }
}

/// How each context says it is.
async fn health(visit: &Visit) -> Vec<(&'static str, Option<ServingStatus>)> {
    join_all(CONTEXTS.iter().map(async |(context, service)| {
        let request = HealthCheckRequest { service: service.clone() };
        let answer = ask(visit.calls.health().check(request)).await;
        (context.as_str(), answer.ok().map(|answer| answer.status()))
    }))
    .await
}

/// What a context has before it, and what waits in it to be told to others.
fn behind(l: Lang, vitals: &ContextVitals) -> Markup {
    let before: i64 = vitals.lags.iter().map(|lag| lag.messages).sum();
    let to_tell = vitals.outbox.as_ref().map_or(0, |it| it.depth);
    let failing = vitals.failing.as_ref().map_or(0, |it| it.depth);
    let oldest = [&vitals.outbox, &vitals.failing].into_iter().flatten().map(seconds).max().unwrap_or(0);
    html! {
        span.health-behind {
            (l.messages_before()) " " b { (show::count(before)) }
            " · " (l.to_be_told()) " " b { (show::count(to_tell)) }
            @if failing > 0 { " · " b.error { (show::count(failing)) " " (l.failing()) } }
            @if oldest > 0 { " · " (show::count(oldest)) (l.seconds()) }
        }
    }
}

fn seconds(backlog: &Backlog) -> i64 {
    backlog.age.map_or(0, |age| age.seconds)
}

fn call(l: Lang, caller: &str, breaker: &Breaker) -> Markup {
    let (tone, word) = match breaker.state() {
        BreakerState::Closed => ("good", l.breaker_closed()),
        BreakerState::HalfOpen => ("busy", l.breaker_half_open()),
        BreakerState::Open => ("bad", l.breaker_open()),
        BreakerState::Unspecified => ("bad", l.no_answer()),
    };
    let name = |context: &str| l.context(context).map_or_else(|| context.to_owned(), str::to_owned);
    html! {
        li.(tone) id=(format!("call-{caller}-{}", breaker.callee)) {
            span.health-dot aria-hidden="true" {}
            span.health-name { (name(caller)) " → " (name(&breaker.callee)) }
            span.health-word { (word) }
            span.health-behind { (l.since()) " " (show::time(breaker.since.as_ref())) }
        }
    }
}
