//! How contexts are.

use async_trait::async_trait;
use highstreet_domain::kernel::Timestamp;
use highstreet_foundation::{Backlog, Queue};
use highstreet_wire::convert::{duration, timestamp};
use highstreet_wire::proto::operations as proto;
use tokio::task::JoinSet;
use tonic::Status;
use tonic::metadata::MetadataMap;

use super::Operations;
use super::lists::{PATIENCE, is_away, passed_on};
use super::offices::Line;
use crate::breaker::{BreakerState, BreakerView};
use crate::status::unavailable;

/// What is seen of one context in this process.
#[async_trait]
pub trait Vitals: Send + Sync {
    /// Its ways to the contexts it calls, in the order of their names.
    fn breakers(&self) -> Vec<BreakerView>;
    /// What its listeners have before them. Empty if the bus does not answer.
    async fn lags(&self) -> Vec<Lag>;
    /// How much of its work waits, if its store answers.
    async fn backlog(&self) -> Option<Backlog>;
}

/// How far a listener is behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lag {
    /// The name it listens under.
    pub consumer: String,
    /// The context it listens to.
    pub source: String,
    /// How many messages it has before it.
    pub messages: u64,
}

impl Operations {
    /// How `only` is, or every context that runs here or is reached from here. All are asked at once.
    pub(super) async fn vitals(
        &self,
        metadata: MetadataMap,
        only: Option<String>,
    ) -> Result<proto::ListContextsResponse, Status> {
        let contexts = only.clone().map_or_else(|| self.offices.contexts(), |only| vec![only]);
        let mut asked = JoinSet::new();
        for context in contexts {
            let (this, metadata) = (self.clone(), metadata.clone());
            asked.spawn(async move {
                let answer = tokio::time::timeout(PATIENCE, this.vitals_of(&context, &metadata)).await;
                let late = || Err(unavailable("CONTEXT_UNAVAILABLE", "it did not answer in time"));
                (context, answer.unwrap_or_else(|_| late()))
            });
        }
        let mut answer = proto::ListContextsResponse::default();
        for (context, told) in asked.join_all().await {
            match told {
                Ok(told) => answer.contexts.extend(told),
                Err(status) if only.is_none() && is_away(&status) => answer.unreachable_contexts.push(context),
                Err(status) => return Err(status),
            }
        }
        answer.contexts.sort_unstable_by(|a, b| a.context.cmp(&b.context));
        answer.unreachable_contexts.sort_unstable();
        Ok(answer)
    }

    async fn vitals_of(&self, context: &str, metadata: &MetadataMap) -> Result<Vec<proto::ContextVitals>, Status> {
        match self.offices.line(context)? {
            Line::Here(office) => {
                let (lags, backlog) = tokio::join!(office.vitals.lags(), office.vitals.backlog());
                let breakers = office.vitals.breakers();
                Ok(vec![shown(context, &breakers, lags, backlog, self.clock.now())])
            }
            Line::Elsewhere(mut office) => {
                let asked = proto::ListContextsRequest { context: context.to_owned() };
                Ok(office.list_contexts(passed_on(metadata, asked)).await?.into_inner().contexts)
            }
        }
    }
}

fn shown(
    context: &str,
    breakers: &[BreakerView],
    lags: Vec<Lag>,
    backlog: Option<Backlog>,
    now: Timestamp,
) -> proto::ContextVitals {
    let mut lags: Vec<_> = lags.into_iter().map(lag).collect();
    lags.sort_unstable_by(|a, b| (&a.source, &a.consumer).cmp(&(&b.source, &b.consumer)));
    proto::ContextVitals {
        context: context.to_owned(),
        breakers: breakers.iter().map(|it| breaker(it, now)).collect(),
        lags,
        outbox: backlog.map(|it| queue(it.outbox)),
        due: backlog.map(|it| queue(it.due)),
        failing: backlog.map(|it| queue(it.failing)),
    }
}

fn breaker(breaker: &BreakerView, now: Timestamp) -> proto::Breaker {
    let (state, lasted) = breaker.state();
    let lasted = i64::try_from(lasted.as_micros()).unwrap_or(i64::MAX);
    let state = match state {
        BreakerState::Closed => proto::BreakerState::Closed,
        BreakerState::HalfOpen => proto::BreakerState::HalfOpen,
        BreakerState::Open => proto::BreakerState::Open,
    };
    proto::Breaker {
        callee: breaker.callee().to_owned(),
        state: state.into(),
        since: Some(timestamp(Timestamp::from_micros(now.as_micros().saturating_sub(lasted)))),
    }
}

fn lag(Lag { consumer, source, messages }: Lag) -> proto::ConsumerLag {
    proto::ConsumerLag { consumer, source, messages: number(messages) }
}

fn queue(Queue { depth, age }: Queue) -> proto::Backlog {
    proto::Backlog { depth: number(depth), age: Some(duration(age)) }
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
