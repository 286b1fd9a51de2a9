//! What is secret stays in Secrets.

use highstreet_identity::LocalKey;
use serde_json::{Value, json};

use crate::chart::{context, street, street_with, value_sets};
use crate::node::Node;
use crate::shops;

fn names(objects: &crate::chart::Objects) -> Vec<&str> {
    objects.of_kind("Secret").into_iter().map(|secret| secret["metadata"]["name"].as_str().unwrap()).collect()
}

/// The charts make no Secret but the keys that they are asked to make, and those of servers for trying out.
#[test]
fn secrets_are_named_and_not_made() {
    assert_eq!(names(&street_with(&json!({}))), ["street-mesh-key"]);
    assert_eq!(names(&street_with(&json!({"global": {"auth": {"meshSecret": "mine"}}}))), Vec::<&str>::new());
    let mut dev =
        names(&street(json!({"dev": {"enabled": true}})).unwrap()).into_iter().map(str::to_owned).collect::<Vec<_>>();
    dev.sort();
    assert_eq!(dev, ["street-mesh-key", "street-postgres", "street-token-key"]);
    // Whoever names an issuer has no use for tokens of one's own.
    let issued = json!({"dev": {"enabled": true}, "global": {"auth": {"issuer": "https://id.example"}}});
    let issued = street(issued).unwrap();
    assert!(!names(&issued).contains(&"street-token-key"), "{:?}", names(&issued));
    assert!(!issued.args("street-payment").iter().any(|it| it.starts_with("--auth-jwks")));
    assert!(issued.args("street-payment").contains(&"--auth-issuer=https://id.example".into()));
    // Keys outlive the release: without them nobody would believe anybody.
    let objects = street_with(&json!({}));
    let key = objects.get("Secret", "street-mesh-key");
    assert_eq!(key["metadata"]["annotations"]["helm.sh/resource-policy"], "keep");
}

/// Nothing else holds a value that is secret: no address with a password, no key, no text for an option of that kind.
#[test]
fn no_other_object_holds_a_secret() {
    for (set, objects) in value_sets() {
        for object in objects.iter().filter(|object| object["kind"] != "Secret") {
            let text = object.to_string();
            for secret in ["postgres://", "PRIVATE KEY", "PASSWORD=", "whsec_"] {
                assert!(!text.contains(secret), "{set}: {secret} in {object}");
            }
        }
        for (name, pod) in objects.pods() {
            for variable in pod["containers"][0]["env"].as_array().into_iter().flatten() {
                let secret =
                    ["HIGHSTREET_STORE", "HIGHSTREET_SMTP_URL", "HIGHSTREET_WEBHOOK_SECRET", "POSTGRES_PASSWORD"];
                if secret.iter().any(|it| variable["name"] == *it) {
                    assert!(variable["value"].is_null(), "{set}: {name}: {variable}");
                    assert!(variable["valueFrom"]["secretKeyRef"].is_object(), "{set}: {name}: {variable}");
                }
            }
        }
    }
}

/// Several keys of the mesh at a time: it changes without a break.
#[test]
fn keys_of_the_mesh_can_be_changed() {
    let auth = json!({"meshSecret": "mesh", "meshKeys": ["new.pem", "old.pem"]});
    let objects = context("payment", json!({"context": "payment", "auth": auth})).unwrap();
    let wanted = "--auth-mesh-key=/etc/highstreet/mesh/new.pem,/etc/highstreet/mesh/old.pem";
    assert!(objects.args("payment").contains(&wanted.into()), "{:?}", objects.args("payment"));
    let volume = objects.pod("payment")["volumes"].as_array().unwrap().iter().find(|it| it["name"] == "mesh").cloned();
    assert_eq!(volume.unwrap()["secret"]["secretName"], "mesh");
}

/// The key set that the chart draws from its key is the one that the program draws.
#[test]
fn the_key_set_is_that_of_the_key() {
    for _ in 0..4 {
        let mut node = Node::new();
        node.apply(&shops::street(&json!({})));
        let key = LocalKey::read(&node.secret("street-token-key", "token-key.pem")).unwrap();
        let drawn = std::fs::read_to_string(node.secret("street-token-key", "keys.json")).unwrap();
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(read(&drawn), read(&key.key_set()));
    }
}

/// What serves does not get the key that tokens are signed with: only the half that they are checked with.
#[test]
fn servers_do_not_see_the_key_that_signs() {
    let objects = street(json!({"dev": {"enabled": true}})).unwrap();
    for deployment in objects.of_kind("Deployment") {
        let volumes = deployment["spec"]["template"]["spec"]["volumes"].as_array().unwrap();
        let tokens = volumes.iter().find(|volume| volume["name"] == "tokens").unwrap();
        assert_eq!(tokens["secret"]["items"], json!([{"key": "keys.json", "path": "keys.json"}]));
    }
    let test = objects.get("Pod", "street-gateway-test");
    assert!(
        test["spec"]["containers"][0]["args"]
            .as_array()
            .unwrap()
            .contains(&Value::from("--token-key=/etc/highstreet/tokens/token-key.pem"))
    );
}
