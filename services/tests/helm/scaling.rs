//! How many processes there are (CAP-15), and how they come and go.

use serde_json::{Value, json};

use crate::chart::{Objects, street_with, value_sets};

fn scaler<'a>(objects: &'a Objects, context: &str) -> Option<&'a Value> {
    objects.find("HorizontalPodAutoscaler", &format!("street-{context}")).map(|scaler| &scaler["spec"])
}

/// CAP-15 (an autoscaler is rendered from values): as the originals had it, 15 % of the CPU and one to ten.
#[test]
fn cap_15_autoscalers_are_as_values_say() {
    let objects = street_with(&json!({"global": {"autoscaling": {"enabled": true, "min": 1, "max": 10, "cpu": 15}}}));
    assert_eq!(objects.of_kind("HorizontalPodAutoscaler").len(), 15);
    let cpu = json!({"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 15}});
    let wanted = json!({
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "street-payment"},
        "minReplicas": 1, "maxReplicas": 10, "metrics": [{"type": "Resource", "resource": cpu}],
    });
    assert_eq!(scaler(&objects, "payment"), Some(&wanted));
    // A share of the CPU is one of what is asked for.
    let payment = &objects.pod("street-payment")["containers"][0];
    assert!(payment["resources"]["requests"]["cpu"].is_string(), "{payment}");
    assert!(objects.get("Deployment", "street-payment")["spec"]["replicas"].is_null(), "the autoscaler says how many");
}

/// CAP-15: a context's own word counts more than what is said of all; without one there is a sane default, and none
/// where nobody asks for any.
#[test]
fn cap_15_each_context_scales_in_its_own_way() {
    let objects = street_with(&json!({
        "global": {"autoscaling": {"enabled": true}},
        "payment": {"autoscaling": {"max": 30, "memory": 80}},
        "ordering": {"autoscaling": {"enabled": false}, "replicas": 4},
        "loyalty": {"store": {"kind": "sqlite"}},
    }));
    let payment = scaler(&objects, "payment").unwrap();
    assert_eq!((&payment["minReplicas"], &payment["maxReplicas"]), (&json!(2), &json!(30)));
    let targets: Vec<_> = payment["metrics"].as_array().unwrap().iter().map(|it| &it["resource"]).collect();
    let target =
        |name: &str, share: u32| json!({"name": name, "target": {"type": "Utilization", "averageUtilization": share}});
    assert_eq!(targets, [&target("cpu", 70), &target("memory", 80)]);
    assert_eq!(scaler(&objects, "ordering"), None);
    assert_eq!(objects.get("Deployment", "street-ordering")["spec"]["replicas"], 4);
    assert_eq!(scaler(&objects, "loyalty"), None, "files are one process's");
    assert!(street_with(&json!({})).of_kind("HorizontalPodAutoscaler").is_empty());
}

/// CAP-16 (redeploying without a gap): no replica ends before another is ready; one that ends is left alone until
/// balancers know, and is given the time that it asks for.
#[test]
fn cap_16_replicas_go_one_by_one_and_in_peace() {
    let objects = street_with(&json!({"payment": {"shutdown": {"preStop": 7, "drain": 9, "grace": 20}}}));
    let payment = objects.get("Deployment", "street-payment");
    assert_eq!(payment["spec"]["replicas"], 2);
    assert_eq!(payment["spec"]["strategy"]["rollingUpdate"], json!({"maxUnavailable": 0, "maxSurge": 1}));
    let pod = objects.pod("street-payment");
    assert_eq!(pod["containers"][0]["lifecycle"]["preStop"], json!({"sleep": {"seconds": 7}}));
    let args = objects.args("street-payment");
    assert!(args.contains(&"--drain=9s".into()) && args.contains(&"--grace=20s".into()), "{args:?}");
    // Longer than all of it together: docs/operations.md.
    assert!(pod["terminationGracePeriodSeconds"].as_u64().unwrap() > 7 + 9 + 2 * 20, "{pod}");
    for (set, objects) in value_sets() {
        for deployment in objects.of_kind("Deployment") {
            let name = deployment["metadata"]["name"].as_str().unwrap();
            let budget = objects.get("PodDisruptionBudget", name);
            assert_eq!(budget["spec"]["maxUnavailable"], 1, "{set}: {name}");
            assert_eq!(budget["spec"]["selector"], deployment["spec"]["selector"], "{set}: {name}");
            let spread = objects.pod(name)["topologySpreadConstraints"].as_array().unwrap();
            assert!(spread.iter().any(|it| it["topologyKey"] == "kubernetes.io/hostname"), "{set}: {name}");
            for constraint in spread {
                assert_eq!(constraint["labelSelector"], deployment["spec"]["selector"], "{set}: {name}");
            }
        }
    }
}
