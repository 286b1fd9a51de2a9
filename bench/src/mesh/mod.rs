//! The mesh: contexts in processes of their own, on PostgreSQL and NATS JetStream.

mod floor;

use highstreet_testkit::servers::PostgresServer;
use highstreet_wire::proto::Money;
use highstreet_wire::proto::common::{PaymentMethod, Reference};
use highstreet_wire::proto::payment::RequestPaymentRequest;
use highstreet_wire::proto::payment::payment_service_client::PaymentServiceClient;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::child::Server;
use crate::load::Load;
use crate::report::Report;
use crate::{Outcome, Plan, load};

pub(crate) async fn measure(plan: &Plan, report: &mut Report) -> Outcome<()> {
    let postgres = PostgresServer::start_with(&[]).await;
    let rate = floor::measure(plan, &postgres).await?;
    report.rate("floor: pgbench", rate);
    let data = tempfile::tempdir()?;
    let server = Server::highstreet(plan, data.path(), &["payment", "--store", &postgres.url()]).await?;
    let load = request_payments(plan, &server.channels().await?).await?;
    report.load("RequestPayment", &load);
    report.ratio("RequestPayment ÷ pgbench", load.rate / rate);
    Ok(())
}

pub(crate) async fn request_payments(plan: &Plan, channels: &[Channel]) -> Outcome<Load> {
    let channels = channels.to_vec();
    load::run(plan.callers, plan.time, usize::MAX, move |caller, _| {
        let mut client = PaymentServiceClient::new(channels[caller % channels.len()].clone());
        async move {
            let request = RequestPaymentRequest {
                shop_id: "skanu".into(),
                order: Some(Reference { context: "ordering".into(), id: Uuid::now_v7().to_string() }),
                payer: "010-1234-5678".into(),
                amount: Some(Money { currency_code: "KRW".into(), units: 9000, nanos: 0 }),
                method: PaymentMethod::Card.into(),
                request_id: String::new(),
            };
            client.request_payment(request).await.map(drop)
        }
    })
    .await
}
