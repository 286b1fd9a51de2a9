//! What pods are like, whatever the values.

use highstreet::ContextName;
use serde_json::{Value, json};

use crate::chart::{Objects, context, street_with, value_sets};

#[test]
fn pods_have_no_rights_and_change_nothing() {
    for (set, objects) in value_sets() {
        let pods = objects.pods();
        assert!(!pods.is_empty(), "{set}");
        for (name, pod) in pods {
            assert_eq!(pod["automountServiceAccountToken"], false, "{set}: {name}");
            let security = &pod["securityContext"];
            assert_eq!(security["runAsNonRoot"], true, "{set}: {name}");
            assert_eq!(security["seccompProfile"]["type"], "RuntimeDefault", "{set}: {name}");
            assert!(security["runAsUser"].as_u64().unwrap() >= 10_000, "{set}: {name}");
            for container in containers(pod) {
                let wanted = json!({
                    "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]},
                });
                assert_eq!(container["securityContext"], wanted, "{set}: {name}");
                assert!(!container["resources"]["requests"].is_null(), "{set}: {name}");
                assert!(!container["resources"]["limits"]["memory"].is_null(), "{set}: {name}");
            }
        }
        for account in objects.of_kind("ServiceAccount") {
            assert_eq!(account["automountServiceAccountToken"], false, "{set}");
        }
    }
}

/// Each deployment runs the context that it is called after, and the gateway and all of them the same way.
#[test]
fn arguments_name_the_context() {
    let objects = street_with(&json!({}));
    let names = ContextName::ALL.into_iter().map(ContextName::as_str).chain(["gateway"]);
    for name in names.clone() {
        assert_eq!(objects.args(&format!("street-{name}"))[..2], ["serve".to_owned(), name.to_owned()]);
    }
    assert_eq!(objects.of_kind("Deployment").len(), names.count());
    let all = context("street", json!({"context": "all"})).unwrap();
    assert!(all.args("street-all")[1].starts_with("--"), "without a name it is all of them");
    let without = street_with(&json!({"payment": {"enabled": false}}));
    assert_eq!(without.find("Deployment", "street-payment"), None);
    assert_eq!(without.of_kind("Deployment").len(), 14);
}

/// A kubelet has no certificate to show: it asks the plain port, with mutual TLS as without.
#[test]
fn probes_are_on_the_admin_port() {
    for (set, objects) in value_sets() {
        for deployment in objects.of_kind("Deployment") {
            let container = &deployment["spec"]["template"]["spec"]["containers"][0];
            for (probe, path) in
                [("startupProbe", "/livez"), ("readinessProbe", "/readyz"), ("livenessProbe", "/livez")]
            {
                assert_eq!(container[probe]["httpGet"], json!({"path": path, "port": "admin"}), "{set}: {probe}");
            }
            let admin = json!({"name": "admin", "containerPort": 8089});
            assert!(container["ports"].as_array().unwrap().contains(&admin), "{set}");
            let args = container["args"].as_array().unwrap();
            assert!(args.contains(&json!("--admin=0.0.0.0:8089")), "{set}: a kubelet is not on loopback");
        }
    }
    let (_, encrypted) = value_sets().iter().find(|(name, _)| name == "context-postgres").unwrap();
    let args = encrypted.args("street-booking");
    assert!(args.contains(&"--tls-client-ca=/etc/highstreet/tls/ca.crt".into()), "{args:?}");
}

/// Everybody who calls has to say who they are: none of the charts' pods takes a caller's word for it.
#[test]
fn callers_say_who_they_are() {
    for (set, objects) in value_sets() {
        for deployment in objects.of_kind("Deployment") {
            let name = deployment["metadata"]["name"].as_str().unwrap();
            let args = objects.args(name);
            assert!(args.iter().any(|it| it.starts_with("--auth-mesh-key=/etc/highstreet/mesh/")), "{set}: {args:?}");
            assert!(!args.iter().any(|it| it.contains("trust-peers")), "{set}: {args:?}");
        }
    }
}

/// What an argument names is there: every file lies in a volume that is mounted, and every volume that is mounted exists.
#[test]
fn files_that_are_named_are_mounted() {
    for (set, objects) in value_sets() {
        let claims = objects.of_kind("StatefulSet").into_iter();
        let claims: Vec<_> = claims.flat_map(|it| list(&it["spec"]["volumeClaimTemplates"])).collect();
        for (name, pod) in objects.pods() {
            let is_there = |mount: &Value| {
                let claimed = claims.iter().any(|claim| claim["metadata"]["name"] == mount["name"]);
                claimed || list(&pod["volumes"]).iter().any(|volume| volume["name"] == mount["name"])
            };
            for container in containers(pod) {
                let mounts = list(&container["volumeMounts"]);
                assert!(mounts.iter().all(is_there), "{set}: {name}: {mounts:?}");
                for path in paths(container) {
                    let holds = |mount: &Value| path.starts_with(mount["mountPath"].as_str().unwrap());
                    assert!(mounts.iter().any(holds), "{set}: {name}: {path} of {mounts:?}");
                }
            }
        }
    }
}

/// The files and folders that a container's arguments name.
fn paths(container: &Value) -> Vec<&str> {
    let words = list(&container["args"]).iter().flat_map(|word| word.as_str().unwrap().split(['=', ',']));
    words.filter(|word| word.starts_with('/')).collect()
}

/// All of them, those that run first included.
fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    list(&pod["initContainers"]).iter().chain(list(&pod["containers"]))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Each context has its own image, size and store; what is said of all holds for the others.
#[test]
fn each_context_goes_its_own_way() {
    let objects = street_with(&json!({
        "global": {"image": {"repository": "r.example/h", "tag": "1.0"}},
        "payment": {"image": {"tag": "2.0"}, "resources": {"requests": {"cpu": "1"}}, "store": {"secret": "own"}},
        "loyalty": {"store": {"kind": "sqlite"}},
    }));
    let container = |objects: &Objects, name: &str| objects.pod(name)["containers"][0].clone();
    let payment = container(&objects, "street-payment");
    assert_eq!(payment["image"], "r.example/h:2.0");
    assert_eq!(
        (&payment["resources"]["requests"]["cpu"], &payment["resources"]["requests"]["memory"]),
        (&json!("1"), &json!("128Mi"))
    );
    assert_eq!(payment["env"][0]["valueFrom"]["secretKeyRef"], json!({"name": "own", "key": "url"}));
    let ordering = container(&objects, "street-ordering");
    assert_eq!(ordering["image"], "r.example/h:1.0");
    assert_eq!(ordering["env"][0]["valueFrom"]["secretKeyRef"], json!({"name": "street-store", "key": "url"}));
    assert_eq!(objects.get("ConfigMap", "street-loyalty")["data"]["HIGHSTREET_STORE"], "sqlite");
    assert_eq!(objects.get("Deployment", "street-loyalty")["spec"]["strategy"], json!({"type": "Recreate"}));
    assert!(objects.find("PersistentVolumeClaim", "street-loyalty").is_some());
    assert_eq!(objects.of_kind("PersistentVolumeClaim").len(), 1);
}
