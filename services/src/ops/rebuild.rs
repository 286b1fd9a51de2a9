//! `highstreet ops rebuild`.

use clap::Args;
use highstreet_wire::proto::operations::RebuildViewRequest;

use super::asked::{AskArgs, print_json};
use crate::ContextName;

/// `highstreet ops rebuild`.
#[derive(Args, Clone, Debug)]
pub struct RebuildArgs {
    /// The context.
    context: ContextName,
    /// The view, such as `trace` of tracking.
    view: String,
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) async fn rebuild(args: RebuildArgs) -> Result<(), String> {
    let request = RebuildViewRequest { context: args.context.to_string(), view: args.view.clone() };
    let answer = args.ask.operator().await?.rebuild_view(request).await;
    let answer = answer.map_err(|status| args.ask.said(&status))?.into_inner();
    if args.ask.json {
        return print_json("RebuildViewResponse", &answer);
    }
    println!("{} of {} has {} rows, made anew.", args.view, args.context, answer.rows);
    Ok(())
}
