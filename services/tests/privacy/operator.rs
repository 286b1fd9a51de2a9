//! The operator, at a terminal and over RPC.

use std::net::SocketAddr;
use std::process::Output;

use highstreet_wire::proto::operations::operations_service_client::OperationsServiceClient;
use highstreet_wire::proto::operations::{EraseCustomerRequest, EraseCustomerResponse, RebuildViewRequest};
use tonic::Status;
use tonic::transport::Channel;

use crate::common::mesh::HIGHSTREET;
use crate::telltale::Customer;

/// The operator of a server.
#[derive(Clone)]
pub(crate) struct Operator {
    pub(crate) address: SocketAddr,
    pub(crate) channel: Channel,
}

/// What asks for a customer to be forgotten.
pub(crate) fn about(who: Customer) -> EraseCustomerRequest {
    EraseCustomerRequest { phone: who.phone.into(), names: vec![who.name.into()], ..Default::default() }
}

/// What a command said, and whether it went well.
pub(crate) fn said(output: &Output) -> (bool, String) {
    let both = [output.stdout.as_slice(), &output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&both).into_owned())
}

// === impl Operator ===

impl Operator {
    pub(crate) async fn asks(&self, request: EraseCustomerRequest) -> Result<EraseCustomerResponse, Status> {
        OperationsServiceClient::new(self.channel.clone())
            .erase_customer(request)
            .await
            .map(tonic::Response::into_inner)
    }

    /// `highstreet ops erase`.
    pub(crate) async fn erases(&self, who: Customer, more: &[&str]) -> (bool, String) {
        let target = format!("http://{}", self.address);
        let mut command = tokio::process::Command::new(HIGHSTREET);
        command.args(["ops", "erase", "--phone", who.phone, "--name", who.name, "--target", &target]).args(more);
        said(&command.output().await.unwrap())
    }

    /// How many rows the traces have, made anew.
    pub(crate) async fn rebuilds_traces(&self) -> i64 {
        let request = RebuildViewRequest { context: "tracking".into(), view: "trace".into() };
        OperationsServiceClient::new(self.channel.clone()).rebuild_view(request).await.unwrap().into_inner().rows
    }
}
