//! `highstreet ops dead-letters`, `dead-letter`, `replay`, `discard`.

use clap::Args;
use highstreet_wire::proto::operations::{
    DeadLetter, DiscardDeadLetterRequest, GetDeadLetterRequest, ListDeadLettersRequest, ListDeadLettersResponse,
    ReplayDeadLetterRequest,
};

use super::asked::{AskArgs, print_json, tell_missing};
use super::table;
use crate::ContextName;

/// So many are asked for at a time.
const PAGE: i32 = 500;

/// `highstreet ops dead-letters`.
#[derive(Args, Clone, Debug)]
pub struct LettersArgs {
    /// Only what this context could not handle.
    #[arg(long)]
    context: Option<ContextName>,
    #[command(flatten)]
    ask: AskArgs,
}

/// `highstreet ops dead-letter`, `highstreet ops replay`, `highstreet ops discard`.
#[derive(Args, Clone, Debug)]
pub struct LetterArgs {
    /// The context that could not handle it.
    context: ContextName,
    /// Its id, as `highstreet ops dead-letters` shows it.
    id: String,
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) async fn list(args: LettersArgs) -> Result<(), String> {
    let mut operator = args.ask.operator().await?;
    let mut all = ListDeadLettersResponse::default();
    loop {
        let request = ListDeadLettersRequest {
            context: args.context.map_or_else(String::new, |context| context.to_string()),
            page_size: PAGE,
            page_token: all.next_page_token,
        };
        let page = operator.list_dead_letters(request).await.map_err(|status| args.ask.said(&status))?.into_inner();
        all.dead_letters.extend(page.dead_letters);
        all.unreachable_contexts.extend(page.unreachable_contexts);
        all.next_page_token = page.next_page_token;
        if all.next_page_token.is_empty() {
            break;
        }
    }
    if args.ask.json {
        return print_json("ListDeadLettersResponse", &all);
    }
    tell_missing(&all.unreachable_contexts);
    if all.dead_letters.is_empty() {
        println!("No dead letters.");
    } else {
        table::print(
            ["CONTEXT", "ID", "FROM", "EVENT", "AGE", "FAILURES", "LAST ERROR"],
            &all.dead_letters.iter().map(row).collect::<Vec<_>>(),
        );
    }
    Ok(())
}

pub(super) async fn show(args: LetterArgs) -> Result<(), String> {
    let request = GetDeadLetterRequest { context: args.context.to_string(), dead_letter_id: args.id.clone() };
    let answer = args.ask.operator().await?.get_dead_letter(request).await;
    let answer = answer.map_err(|status| args.ask.said(&status))?.into_inner();
    if args.ask.json {
        return print_json("GetDeadLetterResponse", &answer);
    }
    let letter = answer.dead_letter.unwrap_or_default();
    for (name, value) in [
        ("context", &letter.context),
        ("id", &letter.dead_letter_id),
        ("event", &format!("{}.{}", letter.source, letter.event)),
        ("message", &letter.message_id),
        ("subject", &letter.subject),
        ("happened", &table::moment(letter.event_time.as_ref())),
        ("failed", &format!("{} times, last at {}", letter.failures, table::moment(letter.failure_time.as_ref()))),
        ("error", &letter.last_error),
        ("actor", &letter.actor),
        ("correlation", &letter.correlation_id),
    ] {
        println!("{name:12}{value}");
    }
    if letter.payload_error.is_empty() {
        println!("payload     {}", letter.payload_json);
    } else {
        println!("payload     {} bytes; {}", letter.payload.len(), letter.payload_error);
    }
    Ok(())
}

pub(super) async fn replay(args: LetterArgs) -> Result<(), String> {
    let request = ReplayDeadLetterRequest { context: args.context.to_string(), dead_letter_id: args.id.clone() };
    let answer = args.ask.operator().await?.replay_dead_letter(request).await;
    let answer = answer.map_err(|status| args.ask.said(&status))?.into_inner();
    if args.ask.json {
        return print_json("ReplayDeadLetterResponse", &answer);
    }
    println!("Given to {} once more.", args.context);
    Ok(())
}

pub(super) async fn discard(args: LetterArgs) -> Result<(), String> {
    let request = DiscardDeadLetterRequest { context: args.context.to_string(), dead_letter_id: args.id.clone() };
    let answer = args.ask.operator().await?.discard_dead_letter(request).await;
    let answer = answer.map_err(|status| args.ask.said(&status))?.into_inner();
    if args.ask.json {
        return print_json("DiscardDeadLetterResponse", &answer);
    }
    println!("Discarded.");
    Ok(())
}

fn row(letter: &DeadLetter) -> [String; 7] {
    [
        letter.context.clone(),
        letter.dead_letter_id.clone(),
        letter.source.clone(),
        letter.event.clone(),
        table::length(letter.age.as_ref()),
        letter.failures.to_string(),
        letter.last_error.clone(),
    ]
}
