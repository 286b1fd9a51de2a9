//! Whom operators ask, and how they are answered.

use std::time::Duration;

use clap::Args;
use highstreet_wire::json;
use highstreet_wire::proto::operations::operations_service_client::OperationsServiceClient;
use tonic::{Code, Status};

use crate::client::{Channel, ServerArgs};

/// How long whoever is at the target may take to answer at all.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where operators ask.
#[derive(Args, Clone, Debug)]
pub struct AskArgs {
    /// The server to ask, and as whom.
    #[command(flatten)]
    pub server: ServerArgs,
    /// Answer with JSON, for programs.
    #[arg(long)]
    pub json: bool,
}

pub(super) type Operator = OperationsServiceClient<Channel>;

// === impl AskArgs ===

impl AskArgs {
    pub(super) async fn operator(&self) -> Result<Operator, String> {
        let channel = self.server.connect(PATIENCE).await;
        let channel = channel
            .map_err(|_| format!("no server answers at {}; name another with --target", self.server.server()))?;
        Ok(OperationsServiceClient::new(channel))
    }

    /// What an error means to whoever asked.
    pub(super) fn said(&self, status: &Status) -> String {
        match status.code() {
            Code::Unimplemented => {
                format!("{} is no Highstreet, or an old one: it knows no operations", self.server.server())
            }
            Code::Unauthenticated => {
                format!("{}; show a token of an operator with --token (see highstreet token)", status.message())
            }
            _ => status.message().to_owned(),
        }
    }
}

/// Prints an answer of the operations service as JSON.
pub(super) fn print_json(name: &str, answer: &impl prost::Message) -> Result<(), String> {
    println!("{}", json::message(&format!("highstreet.operations.v1.{name}"), answer)?);
    Ok(())
}

/// Says which contexts are missing in a list. Not where a program reads.
pub(super) fn tell_missing(contexts: &[String]) {
    for context in contexts {
        eprintln!("highstreet: {context} did not answer: what it has is missing here");
    }
}
