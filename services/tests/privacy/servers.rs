//! In fifteen processes, on PostgreSQL and JetStream.

use std::process::Command;
use std::sync::Arc;

use highstreet::ContextName;
use highstreet::config::Role;
use highstreet_domain::kernel::Message;
use highstreet_domain::kernel::ports::Bus as _;
use highstreet_testkit::servers::eventually;
use highstreet_wire::proto::operations::operations_service_client::OperationsServiceClient;
use highstreet_wire::proto::tracking::Trace;
use tonic::transport::Channel;

use crate::common::mesh::Mesh;
use crate::common::order_paid;
use crate::operator::{Operator, about};
use crate::telltale::{JUN, MINA, Shops};

/// CAP-8, CAP-9: a customer is forgotten in every schema, on the broker and among dead letters; a context that is away
/// is done when it is back, and nothing is complete before that.
#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_forgotten_on_every_server() {
    let mut mesh = Mesh::open().await;
    let operator = operator(&mesh).await;
    let shops = Shops(operator.channel.clone());
    shops.open().await;
    let (mina, jun) = (shops.live(MINA).await, shops.live(JUN).await);
    let before = shops.totals(MINA.phone).await;
    lay_something_aside(&mesh, &operator).await;
    assert!(!MINA.found_in(dump(&mesh).as_bytes()).is_empty(), "it would be found");
    assert!(!MINA.found_below(mesh.nats.folder()).is_empty(), "on the broker, too");

    mesh.of(ContextName::Kitchen).kill();
    let (complete, said) = operator.erases(MINA, &["--wait", "1s"]).await;
    assert!(!complete && said.contains("kitchen did not answer"), "{said}");
    let erasure = said.rsplit("--erasure ").next().unwrap().trim().to_owned();
    mesh.of(ContextName::Kitchen).started().await;
    let (complete, said) = operator.erases(MINA, &["--erasure", &erasure, "--wait", "2m"]).await;
    assert!(complete && said.contains("complete everywhere"), "{said}");

    assert_eq!(MINA.found_in(dump(&mesh).as_bytes()), Vec::<String>::new(), "nor what planners remember");
    assert!(!JUN.found_in(dump(&mesh).as_bytes()).is_empty(), "nobody else is touched");
    assert_eq!(MINA.found_in(&laid_aside(&mesh).await), Vec::<String>::new(), "nor dead letters");
    assert_eq!(MINA.found_below(mesh.nats.folder()), Vec::<String>::new(), "nor the broker's files");
    for replica in &mesh.replicas {
        assert_eq!(MINA.found_in(replica.log().as_bytes()), Vec::<String>::new(), "{}", replica.name());
    }
    let name = shops.get(&mina.order.order_id).await.customer_phone;
    assert!(name.starts_with("erased:"), "{name}");
    assert_eq!(shops.totals(&name).await, before);
    assert_eq!(shops.get(&jun.order.order_id).await, jun.order);
    // When its row was written last says nothing of it.
    let trace = async || Trace { update_time: None, ..shops.trace(&mina.cases[0]).await.unwrap() };
    let before = trace().await;
    operator.rebuilds_traces().await;
    assert_eq!(trace().await, before, "what was published says the same");
    let again = shops.order(MINA).await;
    assert_eq!(shops.listed(MINA.phone).await.0, 1, "a new customer");
    shops.cancel(&again, "").await;
}

async fn operator(mesh: &Mesh) -> Operator {
    let address = mesh.addresses(Role::Gateway)[0];
    let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
    Operator { address, channel }
}

/// Four listeners cannot read it, and one says so while it is looked for.
async fn lay_something_aside(mesh: &Mesh, operator: &Operator) {
    let body = [&[0xff; 8], MINA.phone.as_bytes()].concat();
    let bus = mesh.bus().await;
    bus.publish(vec![order_paid(body)]).await.unwrap();
    eventually("it is laid aside", || async { (bus.dead_letters().await.ok()?.len() == 4).then_some(()) }).await;
    let mut asked = OperationsServiceClient::new(operator.channel.clone());
    let request = highstreet_wire::proto::operations::EraseCustomerRequest { look_only: true, ..about(MINA) };
    let looked = asked.erase_customer(request).await.unwrap().into_inner();
    assert_eq!((looked.open_cases.len(), looked.contexts.len()), (0, 0), "to look changes nothing");
}

/// Everything in the database, and what its planner knows of it.
fn dump(mesh: &Mesh) -> String {
    let postgres = &mesh.postgres;
    let mut dump = Command::new(postgres.program("pg_dump"));
    dump.args(["-h", "127.0.0.1", "-p", &postgres.port().to_string(), "-U", "postgres", "highstreet"]);
    let output = dump.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // What is published is dumped as hexadecimal digits.
    let bodies = ContextName::ALL.map(|context| mesh.ask(context, "SELECT encode(body, 'escape') FROM events"));
    let planner = "SELECT tablename, attname, most_common_vals::text, histogram_bounds::text FROM pg_stats";
    [String::from_utf8_lossy(&output.stdout).into_owned(), postgres.run_in("highstreet", planner), bodies.concat()]
        .concat()
}

/// The dead letters, as operators see them.
async fn laid_aside(mesh: &Mesh) -> Vec<u8> {
    let mut seen = Vec::new();
    for letter in mesh.bus().await.dead_letters().await.unwrap() {
        seen.extend(format!("{letter:?}").into_bytes());
        seen.extend(letter.message.map_or_else(Vec::new, |message: Arc<Message>| message.body.clone()));
    }
    assert!(!seen.is_empty(), "they are still there");
    seen
}
