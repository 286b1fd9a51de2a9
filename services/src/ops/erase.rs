//! `highstreet ops erase`.

use std::time::Duration;

use clap::Args;
use highstreet_wire::proto::operations::{EraseCustomerRequest, EraseCustomerResponse, ErasedContext};
use tokio::time::{Instant, sleep};

use super::asked::{AskArgs, print_json};
use super::table;

/// A context that is away, or a server that is, is asked again after so long.
const AGAIN: Duration = Duration::from_secs(2);

/// `highstreet ops erase`.
#[derive(Args, Clone, Debug)]
pub struct EraseArgs {
    /// The customer's phone number, however it is written.
    #[arg(long, default_value = "", required_unless_present = "names")]
    phone: String,
    /// A name that the customer is known by, exactly as it is kept; or the subject of their token. Several, if there
    /// are.
    #[arg(long = "name", value_name = "NAME")]
    names: Vec<String>,
    /// Go on with an erasure that was begun.
    #[arg(long, value_name = "ERASURE_ID", default_value = "")]
    erasure: String,
    /// Forget the customer although they wait for something: it goes on, and belongs to nobody.
    #[arg(long)]
    even_if_open: bool,
    /// How long to go on until it is complete everywhere.
    #[arg(long, default_value = "10m", value_parser = humantime::parse_duration)]
    wait: Duration,
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) async fn erase(args: EraseArgs) -> Result<(), String> {
    let mut request = EraseCustomerRequest {
        phone: args.phone.clone(),
        names: args.names.clone(),
        erasure_id: args.erasure.clone(),
        even_if_open: args.even_if_open,
        ..EraseCustomerRequest::default()
    };
    let until = Instant::now() + args.wait;
    let mut all = EraseCustomerResponse::default();
    loop {
        let answer = args.ask.operator().await?.erase_customer(request.clone()).await;
        let answer = answer.map_err(|status| args.ask.said(&status))?.into_inner();
        if request.erasure_id.is_empty() {
            eprintln!("highstreet: erasure {}; should this be cut off, go on with --erasure", answer.erasure_id);
        }
        request.erasure_id.clone_from(&answer.erasure_id);
        // Those that were gone through before what moved was known may refer to it.
        request.moved = answer.contexts.iter().flat_map(|of| of.moved.clone()).collect();
        // What is open now was open when it began.
        request.even_if_open = true;
        let wait = answer.wait.and_then(|wait| Duration::try_from(wait).ok()).unwrap_or(AGAIN);
        all = added(all, answer);
        if all.complete || Instant::now() + wait > until {
            break;
        }
        sleep(wait.max(AGAIN)).await;
    }
    tell(&args, &all)
}

fn tell(args: &EraseArgs, all: &EraseCustomerResponse) -> Result<(), String> {
    if args.ask.json {
        print_json("EraseCustomerResponse", all)?;
    } else {
        table::print(
            ["CONTEXT", "STREAMS", "EVENTS", "ENTRIES", "ROWS", "MESSAGES", "DEAD LETTERS"],
            &all.contexts.iter().map(row).collect::<Vec<_>>(),
        );
    }
    if all.complete {
        eprintln!("highstreet: complete everywhere");
        return Ok(());
    }
    let away = match all.unreachable_contexts.as_slice() {
        [] => "something was found within the last seconds".to_owned(),
        away => format!("{} did not answer", away.join(", ")),
    };
    Err(format!("not complete yet: {away}; go on with --erasure {}", all.erasure_id))
}

/// What was redacted so far, and how it stands now.
fn added(mut all: EraseCustomerResponse, answer: EraseCustomerResponse) -> EraseCustomerResponse {
    for more in &answer.contexts {
        match all.contexts.iter_mut().find(|known| known.context == more.context) {
            Some(known) => {
                known.streams += more.streams;
                known.events += more.events;
                known.entries += more.entries;
                known.rows += more.rows;
                known.messages += more.messages;
                known.dead_letters += more.dead_letters;
                known.wait = more.wait;
            }
            None => all.contexts.push(more.clone()),
        }
    }
    EraseCustomerResponse { contexts: all.contexts, ..answer }
}

fn row(of: &ErasedContext) -> [String; 7] {
    [
        of.context.clone(),
        of.streams.to_string(),
        of.events.to_string(),
        of.entries.to_string(),
        of.rows.to_string(),
        of.messages.to_string(),
        of.dead_letters.to_string(),
    ]
}
