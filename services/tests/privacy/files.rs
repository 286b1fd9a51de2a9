//! In one process, on SQLite files and the embedded bus.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};

use highstreet_domain::kernel::ports::Bus as _;
use highstreet_domain::kernel::{Message, Origin, Timestamp};
use highstreet_sqlite::EmbeddedBus;
use highstreet_testkit::servers::Proc;
use highstreet_wire::proto::common::EventHeader;
use highstreet_wire::proto::operations::EraseCustomerRequest;
use highstreet_wire::proto::ordering::{Order, OrderLine, OrderPaid};
use highstreet_wire::proto::tracking::Trace;
use prost::Message as _;
use tonic::Code;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::common::mesh::HIGHSTREET;
use crate::common::{count, eventually, reason, won};
use crate::operator::{Operator, about};
use crate::telltale::{JUN, Life, MINA, Shops, Totals};

/// A server on a folder; killed when it is dropped.
struct Server {
    process: Proc,
    operator: Operator,
    shops: Shops,
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

// === impl Server ===

impl Server {
    async fn start(data: &Path) -> Self {
        let (address, admin) = (free_address(), free_address());
        let mut command = Command::new(HIGHSTREET);
        command.args(["serve", "--listen", &address.to_string(), "--admin", &admin.to_string(), "--data"]).arg(data);
        let log = std::fs::File::options().create(true).append(true).open(data.join("server.log")).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).env("HIGHSTREET_LOG", "info");
        let process = Proc::start(&mut command);
        let endpoint = Channel::from_shared(format!("http://{address}")).unwrap();
        let channel = eventually("the server listens", || async { endpoint.connect().await.ok() }).await;
        Self { process, operator: Operator { address, channel: channel.clone() }, shops: Shops(channel) }
    }

    /// SIGTERM, and waits for it to end well.
    async fn stop(mut self) {
        self.process.signal("TERM");
        let ended = eventually("it ends", || {
            let ended = self.process.ended();
            async move { ended }
        });
        assert!(ended.await.success());
    }

    /// SIGKILL: no time for anything.
    fn kill(self) {
        drop(self.process);
    }
}

/// CAP-8, CAP-9: a customer who asks for it is forgotten in every context, though the server is killed in the middle:
/// nothing in any file says who they were, what they did stands and adds up, nobody else is touched, and what comes late
/// does not bring them back. Whoever waits for something is not forgotten by mistake.
#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_forgotten_in_every_file() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let server = Server::start(data).await;
    server.shops.open().await;
    let (mina, jun) = (server.shops.live(MINA).await, server.shops.live(JUN).await);
    let (before, of_jun) = (server.shops.totals(MINA.phone).await, traces(&server.shops, &jun).await);
    assert_eq!((before.stamps, before.points), (3, 100));

    refused_while_something_is_open(&server).await;
    // Killed when some of it is done: what moved there has to be found again.
    let request = about(MINA);
    let loyalty = server.operator.asks(EraseCustomerRequest { context: "loyalty".into(), ..request });
    assert!(loyalty.await.unwrap().contexts[0].streams > 0);
    server.kill();
    assert!(!MINA.found_below(data).is_empty(), "most of it is still to be done");

    let server = Server::start(data).await;
    let (complete, said) = server.operator.erases(MINA, &[]).await;
    assert!(complete && said.contains("complete everywhere"), "{said}");
    everything_adds_up(&server.shops, &mina, before).await;
    assert_eq!(traces(&server.shops, &jun).await, of_jun, "nobody else is touched");
    assert_eq!(server.shops.get(&jun.order.order_id).await, jun.order);
    let of_mina = traces(&server.shops, &mina).await;
    server.operator.rebuilds_traces().await;
    assert_eq!(traces(&server.shops, &mina).await, of_mina, "what was published says the same");
    server.stop().await;
    assert_eq!(MINA.found_below(data), Vec::<String>::new());
    assert!(!JUN.found_below(data).is_empty(), "it would have been found");

    late_news_bring_nobody_back(data, &mina).await;
    they_come_back(&Server::start(data).await.shops).await;
}

async fn traces(shops: &Shops, life: &Life) -> Vec<String> {
    let mut traces = Vec::new();
    for case in &life.cases {
        // When its row was written last says nothing of it.
        let trace = Trace { update_time: None, ..shops.trace(case).await.unwrap() };
        traces.push(format!("{trace:?}"));
    }
    traces
}

async fn refused_while_something_is_open(server: &Server) {
    let order = server.shops.order(MINA).await;
    let refused = server.operator.asks(about(MINA)).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "CUSTOMER_HAS_OPEN_CASES"));
    assert!(refused.message().contains(&order.order_id), "{}", refused.message());
    let (done, said) = server.operator.erases(MINA, &[]).await;
    assert!(!done && said.contains(&order.order_id), "{said}");
    assert_eq!(server.shops.get(&order.order_id).await.customer_phone, MINA.phone, "nothing was erased");
    server.shops.cancel(&order, "").await;
}

async fn everything_adds_up(shops: &Shops, mina: &Life, before: Totals) {
    let order = shops.get(&mina.order.order_id).await;
    let name = order.customer_phone.clone();
    assert!(name.starts_with("erased:"), "{name}");
    let unnamed = |order: &Order| Order { customer_phone: String::new(), ..order.clone() };
    assert_eq!(unnamed(&order), unnamed(&mina.order), "what happened stands");
    assert_eq!(shops.listed(MINA.phone).await, (0, 0));
    assert_eq!(shops.totals(&name).await, before, "what was earned and taken is still counted");
    assert_eq!(shops.totals(MINA.phone).await.stamps, 0);
}

/// As a new customer.
async fn they_come_back(shops: &Shops) {
    let again = shops.order(MINA).await;
    assert_eq!(shops.get(&again.order_id).await.customer_phone, MINA.phone);
    assert_eq!(shops.listed(MINA.phone).await.0, 1);
    shops.cancel(&again, "").await;
}

/// News of an old order, published by somebody who had not heard.
async fn late_news_bring_nobody_back(data: &Path, mina: &Life) {
    let bus = EmbeddedBus::open(&data.join("bus.db")).unwrap();
    bus.publish(vec![order_paid_again(mina)]).await.unwrap();
    drop(bus);
    let server = Server::start(data).await;
    let case = &mina.cases[0];
    eventually("it is heard", || async {
        let trace = server.shops.trace(case).await?;
        (count(&trace, "OrderPaid") == 2).then_some(())
    })
    .await;
    assert_eq!(server.shops.totals(MINA.phone).await.stamps, 0);
    server.stop().await;
    for file in ["loyalty.db", "notification.db", "tracking.db", "kitchen.db"] {
        let bytes = [file.to_owned(), format!("{file}-wal")].map(|it| std::fs::read(data.join(it)).unwrap_or_default());
        assert_eq!(MINA.found_in(&bytes.concat()), Vec::<String>::new(), "{file}");
    }
}

fn order_paid_again(mina: &Life) -> Message {
    let subject = Uuid::parse_str(&mina.order.order_id).unwrap();
    let header = EventHeader {
        root: Some(mina.cases[0].clone()),
        shop_id: "skanu".into(),
        customer: MINA.phone.into(),
        revision: 99,
        actor: "localhost".into(),
    };
    let line =
        OrderLine { product_id: "latte".into(), product_name: "Latte".into(), quantity: 3, unit_price: Some(won(1)) };
    let event = OrderPaid {
        header: Some(header),
        order_id: mina.order.order_id.clone(),
        customer_phone: MINA.phone.into(),
        lines: vec![line],
        ..OrderPaid::default()
    };
    Message {
        id: Message::id_of(subject, 99),
        source: "ordering".into(),
        name: "OrderPaid".into(),
        subject,
        time: Timestamp::from_micros(1_795_000_000_000_000),
        origin: Origin { actor: MINA.phone.into(), ..Origin::default() },
        body: event.encode_to_vec(),
    }
}
