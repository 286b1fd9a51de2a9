//! Who may call whom.

use std::collections::BTreeSet;

use highstreet::ContextName;
use serde_json::{Value, json};

use crate::chart::{Objects, context, street_with, texts};

/// Who may call a context's port, as its policy says: the components that it names.
fn callers(objects: &Objects, name: &str) -> BTreeSet<String> {
    let policy = &objects.get("NetworkPolicy", name)["spec"];
    assert_eq!(policy["podSelector"], objects.get("Deployment", name)["spec"]["selector"]);
    assert_eq!(policy["policyTypes"], json!(["Ingress"]));
    let grpc: Vec<_> = rules(policy).iter().filter(|rule| rule["ports"] == json!([{"port": "grpc"}])).collect();
    assert_eq!(grpc.len(), 1, "{policy}");
    let from = grpc[0]["from"].as_array().unwrap();
    assert_eq!(from.len(), 1, "{from:?}");
    let pods = &from[0]["podSelector"];
    let named = json!({"app.kubernetes.io/name": "highstreet", "app.kubernetes.io/part-of": "street"});
    assert_eq!(pods["matchLabels"], named, "those of another street are strangers");
    let components = &pods["matchExpressions"][0];
    assert_eq!((&components["key"], &components["operator"]), (&json!("app.kubernetes.io/component"), &json!("In")));
    texts(&components["values"]).into_iter().collect()
}

fn rules(policy: &Value) -> &Vec<Value> {
    policy["ingress"].as_array().unwrap()
}

/// The policies are the context map: who calls a context by its own list may, the gateway may, and nobody else.
#[test]
fn network_policies_are_the_context_map() {
    let objects = street_with(&json!({}));
    for callee in ContextName::ALL {
        let calls = |caller: &ContextName| caller.calls().iter().any(|(it, _)| *it == callee);
        let wanted = ContextName::ALL.iter().filter(|caller| calls(caller)).map(|caller| caller.as_str());
        let wanted: BTreeSet<_> = wanted.chain(["gateway"]).map(str::to_owned).collect();
        assert_eq!(callers(&objects, &format!("street-{callee}")), wanted, "{callee}");
    }
    // Callers are known by the labels that their pods have.
    let payment = &objects.get("Deployment", "street-payment")["spec"]["template"]["metadata"]["labels"];
    assert_eq!(payment["app.kubernetes.io/component"], "payment");
    assert_eq!(payment["app.kubernetes.io/part-of"], "street");
}

/// Where values say what else may be reached, a context reaches that, names, and those that it calls by its own list.
#[test]
fn network_policies_let_out_to_whom_the_context_map_says() {
    let store = json!({"ports": [{"port": 5432}], "to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]});
    let objects = street_with(&json!({"global": {"networkPolicy": {"egress": [store]}}}));
    let reached = |name: &str| {
        let policy = &objects.get("NetworkPolicy", &format!("street-{name}"))["spec"];
        assert_eq!(policy["policyTypes"], json!(["Ingress", "Egress"]));
        let rules = policy["egress"].as_array().unwrap();
        assert_eq!((&rules[0]["ports"][0]["port"], rules.last().unwrap()), (&json!(53), &store));
        // Whoever calls nobody has no rule for it.
        let calls = rules[1..rules.len() - 1].iter().map(|rule| &rule["to"][0]["podSelector"]);
        let calls = calls.inspect(|pods| assert_eq!(pods["matchLabels"]["app.kubernetes.io/part-of"], "street"));
        calls.flat_map(|pods| texts(&pods["matchExpressions"][0]["values"])).collect::<BTreeSet<_>>()
    };
    let names = |contexts: &[ContextName]| contexts.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    for caller in ContextName::ALL {
        let callees: Vec<_> = caller.calls().iter().map(|(callee, _)| *callee).collect();
        assert_eq!(reached(caller.as_str()), names(&callees), "{caller}");
    }
    assert_eq!(reached("gateway"), names(&ContextName::ALL));
}

#[test]
fn the_gateway_is_for_everybody_and_metrics_are_not() {
    let objects = street_with(&json!({}));
    let gateway = &objects.get("NetworkPolicy", "street-gateway")["spec"];
    assert_eq!(rules(gateway)[0], json!({"ports": [{"port": "grpc"}]}));
    for policy in objects.of_kind("NetworkPolicy").iter().filter(|it| it["metadata"]["annotations"].is_null()) {
        let admin = rules(&policy["spec"]).iter().find(|rule| rule["ports"] == json!([{"port": "admin"}])).unwrap();
        let from = admin["from"].as_array().unwrap();
        let monitoring = json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}});
        assert_eq!((from.len(), &from[1]), (2, &monitoring), "{policy}");
    }
    let none = street_with(&json!({"global": {"networkPolicy": {"enabled": false}}}));
    let left = none.of_kind("NetworkPolicy");
    assert!(left.iter().all(|it| it["metadata"]["annotations"]["helm.sh/hook"] == "test"), "{left:?}");
}

/// Contexts that are installed one by one are of one street by the names of their releases.
#[test]
fn streets_are_told_apart_by_their_names() {
    let alone = context("street-payment", json!({"context": "payment"})).unwrap();
    assert_eq!(callers(&alone, "street-payment").len(), 3);
    assert!(alone.args("street-payment").contains(&"--peer=http://street-{context}:8088".into()));
    let plain = context("payment", json!({"context": "payment"})).unwrap();
    assert!(plain.args("payment").contains(&"--peer=http://{context}:8088".into()));
    let together = street_with(&json!({}));
    for context in ContextName::ALL {
        let service = &together.get("Service", &format!("street-{context}"))["spec"];
        assert_eq!((&service["clusterIP"], &service["ports"][0]["port"]), (&json!("None"), &json!(8088)), "{context}");
    }
    let gateway = &together.get("Service", "street-gateway")["spec"];
    assert_eq!((&gateway["clusterIP"], &gateway["type"]), (&Value::Null, &json!("ClusterIP")));
    assert!(together.args("street-gateway").contains(&"--peer=http://street-{context}:8088".into()));
}
