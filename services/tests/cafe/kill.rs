//! `kill -9` at any moment loses nothing that was answered.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use highstreet_wire::proto::ordering::ordering_service_client::OrderingServiceClient;
use highstreet_wire::proto::ordering::{GetOrderRequest, Order, OrderStatus};
use highstreet_wire::proto::payment::payment_service_client::PaymentServiceClient;
use highstreet_wire::proto::payment::{GetPaymentRequest, PayRequest, PaymentStatus, get_payment_request::Target};
use highstreet_wire::proto::tracking::GetTraceRequest;
use highstreet_wire::proto::tracking::tracking_service_client::TrackingServiceClient;
use tempfile::tempdir;
use tokio::task::JoinSet;
use tonic::transport::Channel;
use tonic_types::StatusExt;

use crate::binary::Server;
use crate::shop::{eventually, lattes, reference};

const ROUNDS: usize = 3;
const CALLERS: usize = 8;

/// What was answered: the order, and whether its payment was answered as approved.
pub(crate) type Answered = Arc<Mutex<HashMap<String, (Order, bool)>>>;

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_loses_nothing_that_was_answered() {
    let data = tempdir().unwrap();
    let answered = Answered::default();
    for round in 1..=ROUNDS {
        let server = Server::start(data.path()).await;
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            callers.spawn(order_and_pay(channel(&server).await, answered.clone()));
        }
        eventually("a few hundred answers", || async { (answered.lock().unwrap().len() > round * 100).then_some(()) })
            .await;
        server.kill();
        while callers.join_next().await.is_some() {}
    }
    let server = Server::start(data.path()).await;
    let channel = channel(&server).await;
    let answered = answered.lock().unwrap().clone();
    assert!(answered.len() > ROUNDS * 100);
    for (order, approved) in answered.into_values() {
        check(&channel, &order, approved).await;
    }
}

pub(crate) async fn channel(server: &Server) -> Channel {
    let endpoint = Channel::from_shared(format!("http://{}", server.address)).unwrap();
    eventually("a connection", || async { endpoint.connect().await.ok() }).await
}

/// Orders and pays until the server is gone.
pub(crate) async fn order_and_pay(channel: Channel, answered: Answered) {
    let mut ordering = OrderingServiceClient::new(channel.clone());
    let mut payments = PaymentServiceClient::new(channel);
    loop {
        let placed = match ordering.place_order(lattes(1)).await {
            Ok(placed) => placed,
            // A busy machine: it lives, and says when to come back.
            Err(status) if status.get_details_retry_info().is_some() => continue,
            Err(_) => return,
        };
        let order = placed.into_inner().order.unwrap();
        let payment_id = order.payment_id.clone();
        answered.lock().unwrap().insert(order.order_id.clone(), (order.clone(), false));
        let paid = match payments.pay(PayRequest { payment_id, method: 1, ..Default::default() }).await {
            Ok(paid) => paid,
            Err(status) if status.get_details_retry_info().is_some() => continue,
            Err(_) => return,
        };
        let approved = paid.into_inner().payment.unwrap().status() == PaymentStatus::Approved;
        answered.lock().unwrap().insert(order.order_id.clone(), (order, approved));
    }
}

/// What was answered is there, and what follows from it comes about.
pub(crate) async fn check(channel: &Channel, order: &Order, approved: bool) {
    let order_id = order.order_id.clone();
    let target = Some(Target::Order(reference(order)));
    let request = GetPaymentRequest { target };
    let payment = PaymentServiceClient::new(channel.clone()).get_payment(request).await.unwrap().into_inner();
    let status = payment.payment.unwrap().status();
    if !approved {
        let found = OrderingServiceClient::new(channel.clone()).get_order(GetOrderRequest { order_id }).await;
        assert!(found.is_ok(), "an answered order is gone");
        return;
    }
    assert_eq!(status, PaymentStatus::Approved, "an answered payment is gone");
    eventually("the order is paid, and its trace shows it", || async {
        let request = GetOrderRequest { order_id: order_id.clone() };
        let found = OrderingServiceClient::new(channel.clone()).get_order(request).await.ok()?.into_inner();
        let request = GetTraceRequest { order: Some(reference(order)) };
        let trace = TrackingServiceClient::new(channel.clone()).get_trace(request).await.ok()?.into_inner().trace?;
        (found.order?.status() == OrderStatus::Paid && trace.status == "PAID").then_some(())
    })
    .await;
}
