//! What cannot work is refused, with words that say what to do.

use serde_json::json;

use crate::chart::{context, street};

#[track_caller]
fn refused(done: Result<crate::chart::Objects, String>, because: &[&str]) {
    let Err(why) = done else { panic!("it was not refused") };
    for words in because {
        assert!(why.contains(words), "{words:?} is not in {why}");
    }
}

#[test]
fn a_value_with_a_typo_is_refused() {
    let payment = |more: serde_json::Value| {
        let mut values = json!({"context": "payment"});
        values.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        context("payment", values)
    };
    assert!(payment(json!({"replicas": 1})).is_ok());
    refused(payment(json!({"replica": 1})), &["additional properties 'replica' not allowed"]);
    refused(payment(json!({"store": {"knd": "sqlite"}})), &["'knd' not allowed"]);
    refused(payment(json!({"config": {"brnad": "Odeon"}})), &["'brnad' not allowed"]);
    refused(payment(json!({"replicas": "two"})), &["/replicas"]);
    refused(payment(json!({"config": {"payWithin": "a while"}})), &["/config/payWithin"]);
    refused(payment(json!({"global": {"replica": 1}})), &["'replica' not allowed"]);
    refused(payment(json!({"global": {"context": "payment"}})), &["/global"]);
    let dev = |more: serde_json::Value| street(json!({"dev": {"enabled": true}, "payment": more}));
    assert!(dev(json!({"replicas": 3})).is_ok());
    refused(dev(json!({"replica": 3})), &["payment", "'replica' not allowed"]);
    refused(street(json!({"dev": {"enabled": true}, "paymnet": {}})), &["'paymnet' not allowed"]);
    refused(street(json!({"dev": {"enabled": true, "postgers": {}}})), &["'postgers' not allowed"]);
}

#[test]
fn a_context_has_a_name_that_there_is() {
    refused(context("payment", json!({})), &["which context is this to be? --set context=payment", "seating"]);
    refused(context("payment", json!({"context": "paiement"})), &["there is no context called paiement", "payment"]);
}

#[test]
fn files_belong_to_one_process() {
    let payment = |replicas: u32| context("payment", json!({"context": "payment", "replicas": replicas}));
    assert!(payment(1).is_ok());
    refused(payment(2), &["payment keeps files", "replicas is 2: set it to 1", "store.kind postgres"]);
    let scaled = json!({"context": "payment", "autoscaling": {"enabled": true}});
    refused(context("payment", scaled), &["payment keeps files", "autoscaling is enabled: switch it off"]);
    // The embedded bus is a file too.
    let embedded = json!({"context": "payment", "store": {"kind": "postgres", "secret": "a"}, "replicas": 2});
    refused(context("payment", embedded), &["bus.kind is embedded"]);
    let apart = json!({
        "context": "payment", "store": {"kind": "postgres", "secret": "a"}, "replicas": 2,
        "bus": {"kind": "nats", "url": "nats://nats:4222"},
    });
    assert!(context("payment", apart).is_ok());
    // What is said of all is not said of those for which it makes no sense.
    let all = json!({
        "global": {"store": {"secret": "a"}, "bus": {"url": "nats://nats:4222"}, "replicas": 3},
        "payment": {"store": {"kind": "sqlite"}},
    });
    let all = street(all).unwrap();
    assert_eq!(all.get("Deployment", "street-payment")["spec"]["replicas"], 1);
    assert_eq!(all.get("Deployment", "street-ordering")["spec"]["replicas"], 3);
}

#[test]
fn servers_that_nobody_names_are_missed() {
    refused(street(json!({})), &["keeps what it knows in PostgreSQL", "store.secret", "dev.enabled"]);
    refused(street(json!({"global": {"store": {"secret": "a"}}})), &["messages by NATS", "bus.url", "dev.enabled"]);
    refused(
        context("gateway", json!({"context": "gateway", "route": {"enabled": true}})),
        &["gateway has routes", "route.parents"],
    );
    let both = json!({"enabled": true, "parents": [{"name": "a"}], "hosts": ["a"], "grpcHosts": ["a"]});
    refused(
        context("gateway", json!({"context": "gateway", "route": both})),
        &["route.grpcHosts", "a name of its own"],
    );
}

#[test]
fn a_key_that_is_believed_is_made() {
    let own =
        json!({"dev": {"enabled": true}, "global": {"auth": {"tryOut": false}}, "gateway": {"auth": {"tryOut": true}}});
    refused(street(own), &["gateway is to believe tokens of a key that nobody makes", "global.auth.tryOut"]);
    assert!(street(json!({"dev": {"enabled": true}, "gateway": {"auth": {"tryOut": true}}})).is_ok());
}
