//! Whom operators ask, and how they are answered.

use std::time::Duration;

use clap::Args;
use highstreet_wire::json;
use highstreet_wire::proto::operations::operations_service_client::OperationsServiceClient;
use http::Uri;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

use crate::config::target;

/// How long whoever is at the target may take to answer at all.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where operators ask.
#[derive(Args, Clone, Debug)]
pub struct AskArgs {
    /// The server to ask: a gateway answers for all contexts, any other for those that run there.
    #[arg(long, env = "HIGHSTREET_TARGET", default_value = "http://127.0.0.1:8088", value_parser = target)]
    pub target: Uri,
    /// Answer with JSON, for programs.
    #[arg(long)]
    pub json: bool,
}

pub(super) type Operator = OperationsServiceClient<Channel>;

// === impl AskArgs ===

impl AskArgs {
    pub(super) async fn operator(&self) -> Result<Operator, String> {
        let endpoint = Endpoint::from(self.target.clone()).connect_timeout(PATIENCE);
        let channel = endpoint
            .connect()
            .await
            .map_err(|_| format!("no server answers at {}; name another with --target", self.server()))?;
        Ok(OperationsServiceClient::new(channel))
    }

    /// What an error means to whoever asked.
    pub(super) fn said(&self, status: &Status) -> String {
        match status.code() {
            Code::Unimplemented => format!("{} is no Highstreet, or an old one: it knows no operations", self.server()),
            _ => status.message().to_owned(),
        }
    }

    fn server(&self) -> String {
        self.target.to_string().trim_end_matches('/').to_owned()
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
