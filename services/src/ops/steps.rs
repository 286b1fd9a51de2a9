//! `highstreet ops pending`, `retry`, `abandon`.

use clap::Args;
use highstreet_wire::proto::common::Reference;
use highstreet_wire::proto::operations::{
    AbandonStepRequest, ListPendingStepsRequest, ListPendingStepsResponse, PendingStep, RetryStepRequest,
};

use super::asked::{AskArgs, print_json, tell_missing};
use super::table;
use crate::ContextName;

/// So many are asked for at a time.
const PAGE: i32 = 500;

/// `highstreet ops pending`.
#[derive(Args, Clone, Debug)]
pub struct PendingArgs {
    /// Only steps of this context.
    #[arg(long)]
    context: Option<ContextName>,
    /// Only steps that were tried in vain.
    #[arg(long)]
    failing: bool,
    #[command(flatten)]
    ask: AskArgs,
}

/// `highstreet ops retry`, `highstreet ops abandon`.
#[derive(Args, Clone, Debug)]
pub struct StepArgs {
    /// The context.
    context: ContextName,
    /// What the step belongs to, such as the id of an order.
    id: String,
    /// Only this step, by its `step_id` in `highstreet ops pending --json`; nothing is done if another one waits there
    /// by now.
    #[arg(long, value_name = "STEP_ID", default_value = "")]
    step: String,
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) async fn pending(args: PendingArgs) -> Result<(), String> {
    let mut operator = args.ask.operator().await?;
    let mut all = ListPendingStepsResponse::default();
    loop {
        let request = ListPendingStepsRequest {
            context: args.context.map_or_else(String::new, |context| context.to_string()),
            failing_only: args.failing,
            page_size: PAGE,
            page_token: all.next_page_token,
        };
        let page = operator.list_pending_steps(request).await.map_err(|status| args.ask.said(&status))?.into_inner();
        all.steps.extend(page.steps);
        all.unreachable_contexts.extend(page.unreachable_contexts);
        all.next_page_token = page.next_page_token;
        if all.next_page_token.is_empty() {
            break;
        }
    }
    if args.ask.json {
        return print_json("ListPendingStepsResponse", &all);
    }
    tell_missing(&all.unreachable_contexts);
    if all.steps.is_empty() {
        println!("Nothing waits.");
    } else {
        table::print(
            ["CONTEXT", "ID", "WAITS FOR", "AGE", "ATTEMPTS", "NEXT", "LAST ERROR"],
            &all.steps.iter().map(row).collect::<Vec<_>>(),
        );
    }
    Ok(())
}

pub(super) async fn retry(args: StepArgs) -> Result<(), String> {
    let request = RetryStepRequest { subject: Some(args.subject()), step_id: args.step.clone() };
    let answer = args.ask.operator().await?.retry_step(request).await;
    let answer = answer.map_err(|status| args.ask.said(&status))?.into_inner();
    if args.ask.json {
        return print_json("RetryStepResponse", &answer);
    }
    match answer.step {
        None => println!("Done: nothing waits there any more."),
        Some(step) if step.attempts > 0 => {
            println!("Tried {} times in vain: {}", step.attempts, step.last_error);
            println!("The next attempt is made at {}.", table::moment(step.next_attempt.as_ref()));
        }
        Some(step) => println!("Done: it waits for {} now.", waits_for(&step)),
    }
    Ok(())
}

pub(super) async fn abandon(args: StepArgs) -> Result<(), String> {
    let request = AbandonStepRequest { subject: Some(args.subject()), step_id: args.step.clone() };
    let answer = args.ask.operator().await?.abandon_step(request).await;
    let answer = answer.map_err(|status| args.ask.said(&status))?.into_inner();
    if args.ask.json {
        return print_json("AbandonStepResponse", &answer);
    }
    println!("Abandoned.");
    Ok(())
}

fn row(step: &PendingStep) -> [String; 7] {
    let Reference { context, id } = step.subject.clone().unwrap_or_default();
    let next = if step.running { "now".into() } else { table::moment(step.next_attempt.as_ref()) };
    let age = table::length(step.age.as_ref());
    [context, id, waits_for(step), age, step.attempts.to_string(), next, step.last_error.clone()]
}

fn waits_for(step: &PendingStep) -> String {
    match &step.deadline {
        Some(time) => format!("{} at {}", step.step, table::moment(Some(time))),
        None => step.step.clone(),
    }
}

// === impl StepArgs ===

impl StepArgs {
    fn subject(&self) -> Reference {
        Reference { context: self.context.to_string(), id: self.id.clone() }
    }
}
