//! What holds of every context; and the pictures of them all, drawn from what they are.

mod language;
mod map;
mod storming;

use highstreet_domain::kernel::ports::Subscription;
use tonic_health::pb::health_check_response::ServingStatus;

use crate::config::{GroundArgs, ShopArgs};
use crate::context::Mount;
use crate::{ContextName, Door, Platform, Street};

/// What a context offers and hears.
struct Mounted {
    name: ContextName,
    services: Vec<String>,
    subscriptions: Vec<Subscription>,
}

/// Puts every context together, without starting any.
async fn mounted() -> Vec<Mounted> {
    let data = tempfile::tempdir().expect("a folder for a moment");
    let platform = Platform::open(GroundArgs::embedded(data.path()), ShopArgs::standard()).await;
    let platform = platform.expect("a platform on an empty folder");
    let mut all = Vec::new();
    for name in ContextName::ALL {
        let mut mount = Mount::new(&platform, name).await.expect("a context on an empty folder");
        name.mount(&mut mount);
        let (services, subscriptions) = mount.offers_and_hears();
        all.push(Mounted { name, services, subscriptions });
    }
    all
}

#[tokio::test]
async fn every_context_offers_its_own_service_and_listens_under_its_own_names() {
    let mut listeners = std::collections::BTreeSet::new();
    for Mounted { name, services, subscriptions } in mounted().await {
        let package = format!("highstreet.{name}.v1.");
        assert!(services.len() == 1 && services[0].starts_with(&package), "{name} offers {services:?}");
        for Subscription { consumer, source, .. } in subscriptions {
            assert!(consumer.starts_with(name.as_str()), "{name} listens as {consumer}");
            assert!(listeners.insert((consumer.clone(), source.clone())), "two listen to {source} as {consumer}");
        }
    }
}

#[tokio::test]
async fn every_context_serves_health() {
    let data = tempfile::tempdir().expect("a folder for a moment");
    let platform = Platform::open(GroundArgs::embedded(data.path()), ShopArgs::standard()).await;
    let street = Street::open(platform.expect("a platform on an empty folder"), &ContextName::ALL).await;
    let street = street.expect("all contexts");
    let door = Door::bind(([127, 0, 0, 1], 0).into()).expect("a free port");
    let (listening, serving) = door.open(&street, std::future::pending()).expect("an open door");
    tokio::spawn(serving);
    listening.report(tonic_health::ServingStatus::Serving).await;
    let channel = tonic::transport::Channel::from_shared(format!("http://{}", listening.address));
    let channel = channel.expect("an address").connect().await.expect("a server that answers");
    let mut health = tonic_health::pb::health_client::HealthClient::new(channel);
    for service in mounted().await.into_iter().flat_map(|it| it.services) {
        let question = tonic_health::pb::HealthCheckRequest { service: service.clone() };
        let health = health.check(question).await.unwrap_or_else(|status| panic!("{service}: {status}"));
        assert_eq!(health.into_inner().status(), ServingStatus::Serving, "{service}");
    }
}

/// CAP-21: for each shop an event-storming board, for the whole a context map and the hexagon, core, supporting and
/// general with service levels; all as the code is. `cargo xtask docs` draws them anew.
#[tokio::test]
async fn cap_21_the_design_documents_are_as_the_code_is() {
    let all = mounted().await;
    let drawn = format!("{}\n{}", map::page(&all), storming::boards(&all));
    let path = language::root().join("docs/design.md");
    if std::env::var_os("HIGHSTREET_WRITE_DOCS").is_some() {
        std::fs::write(&path, &drawn).expect("a file that can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == drawn, "docs/design.md is not as the code is: run cargo xtask docs");
    let glossary = std::fs::read_to_string(language::root().join("docs/glossary.md")).unwrap_or_default();
    for context in ContextName::ALL {
        assert!(glossary.contains(&format!("| {context} |")), "docs/glossary.md has no line for {context}");
    }
}

/// The charts' network policies let those call that do by their own lists. `cargo xtask docs` writes the list anew.
#[test]
fn the_design_documents_of_the_charts_say_who_calls_whom() {
    let mut callers: std::collections::BTreeMap<_, Vec<_>> =
        ContextName::ALL.map(|it| (it.as_str(), Vec::new())).into();
    for caller in ContextName::ALL {
        for (callee, _) in caller.calls() {
            callers.entry(callee.as_str()).or_default().push(caller.as_str());
        }
    }
    let line = |(callee, callers): (&str, Vec<&str>)| format!("{callee}: [{}]\n", callers.join(", "));
    let drawn = format!(
        "# Who calls whom, drawn from the contexts' own lists by `cargo xtask docs`; a test fails when they differ.\n{}",
        callers.into_iter().map(line).collect::<String>()
    );
    let path = language::root().join("deploy/helm/context/files/callers.yaml");
    if std::env::var_os("HIGHSTREET_WRITE_DOCS").is_some() {
        std::fs::write(&path, &drawn).expect("a file that can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == drawn, "{} is not as the code is: run cargo xtask docs", path.display());
}

/// Who may call what is a table in the documentation, as the RPCs' own options say.
#[test]
fn the_design_documents_have_a_table_of_roles() {
    let drawn = highstreet_json::access_page();
    let path = language::root().join("docs/access.md");
    if std::env::var_os("HIGHSTREET_WRITE_DOCS").is_some() {
        std::fs::write(&path, &drawn).expect("a file that can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == drawn, "docs/access.md is not as the RPCs' options are: run cargo xtask docs");
    assert!(drawn.contains("| ordering.PlaceOrder |") && drawn.contains("| own |"), "{drawn}");
}
