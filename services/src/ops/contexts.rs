//! `highstreet ops contexts`.

use clap::Args;
use highstreet_wire::proto::operations::{Backlog, Breaker, BreakerState, ContextVitals, ListContextsRequest};

use super::asked::{AskArgs, print_json, tell_missing};
use super::table;
use crate::ContextName;

/// `highstreet ops contexts`.
#[derive(Args, Clone, Debug)]
pub struct ContextsArgs {
    /// Only this context.
    #[arg(long)]
    context: Option<ContextName>,
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) async fn contexts(args: ContextsArgs) -> Result<(), String> {
    let request = ListContextsRequest { context: args.context.map_or_else(String::new, |context| context.to_string()) };
    let answer = args.ask.operator().await?.list_contexts(request).await;
    let answer = answer.map_err(|status| args.ask.said(&status))?.into_inner();
    if args.ask.json {
        return print_json("ListContextsResponse", &answer);
    }
    tell_missing(&answer.unreachable_contexts);
    table::print(
        ["CONTEXT", "UNPUBLISHED", "DUE", "FAILING", "BEHIND", "CALLS"],
        &answer.contexts.iter().map(row).collect::<Vec<_>>(),
    );
    Ok(())
}

fn row(vitals: &ContextVitals) -> [String; 6] {
    let behind = vitals.lags.iter().filter(|lag| lag.messages > 0);
    let behind = behind.map(|lag| format!("{} by {} of {}", lag.consumer, lag.messages, lag.source));
    let calls = vitals.breakers.iter().map(breaker);
    [
        vitals.context.clone(),
        backlog(vitals.outbox.as_ref()),
        backlog(vitals.due.as_ref()),
        backlog(vitals.failing.as_ref()),
        behind.collect::<Vec<_>>().join(", "),
        calls.collect::<Vec<_>>().join(", "),
    ]
}

fn backlog(backlog: Option<&Backlog>) -> String {
    match backlog {
        None => "?".into(),
        Some(Backlog { depth: 0, .. }) => "0".into(),
        Some(Backlog { depth, age }) => format!("{depth}, for {}", table::length(age.as_ref())),
    }
}

fn breaker(breaker: &Breaker) -> String {
    let callee = &breaker.callee;
    match breaker.state() {
        BreakerState::Closed => format!("{callee} ok"),
        BreakerState::HalfOpen => format!("{callee} tried"),
        BreakerState::Open => format!("{callee} OPEN since {}", table::moment(breaker.since.as_ref())),
        BreakerState::Unspecified => format!("{callee} ?"),
    }
}
