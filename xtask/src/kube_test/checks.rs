//! What has to be true of a namespace in which something was installed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::api::{Api, called, is, name};
use super::references;

/// Everything that holds wherever the charts were installed.
pub(super) fn installed(api: &Api, namespace: &str) -> Result<(), String> {
    let pods = api.all(namespace, "pods")?;
    let deployments = api.all(namespace, "deployments")?;
    let running: Vec<&Value> = pods.iter().filter(|pod| is_service(pod)).collect();
    deployments.iter().try_for_each(|deployment| is_available(deployment, &running))?;
    let zones = zones(api)?;
    deployments.iter().try_for_each(|deployment| is_spread(deployment, &running, &zones))?;
    running.iter().try_for_each(|pod| has_no_token(pod))?;
    references::all_resolve(api, namespace, &pods)?;
    endpoints(api, namespace, &running)?;
    budgets(api, namespace, &running)?;
    policies(api, namespace, &pods, &running)?;
    claims(api, namespace)?;
    scaling(api, namespace, &deployments)
}

/// Whether a pod goes on running: those of jobs and tests do not.
fn is_service(pod: &Value) -> bool {
    pod["spec"]["restartPolicy"] == "Always" && pod["metadata"]["deletionTimestamp"].is_null()
}

/// Whether these labels are among the object's.
fn selects(labels: &Value, object: &Value) -> bool {
    let wanted = labels.as_object().into_iter().flatten();
    wanted.into_iter().all(|(label, value)| &object["metadata"]["labels"][label] == value)
}

fn of<'a>(deployment: &Value, pods: &[&'a Value]) -> Vec<&'a Value> {
    let labels = &deployment["spec"]["selector"]["matchLabels"];
    pods.iter().copied().filter(|pod| selects(labels, pod)).collect()
}

/// A pod for each replica, and all of them available, of what was asked for last.
fn is_available(deployment: &Value, pods: &[&Value]) -> Result<(), String> {
    let (spec, status) = (&deployment["spec"], &deployment["status"]);
    let up_to_date = status["observedGeneration"] == deployment["metadata"]["generation"];
    let available = status["availableReplicas"] == spec["replicas"] && status["updatedReplicas"] == spec["replicas"];
    let pods = of(deployment, pods);
    let one_each = pods.len() as u64 == spec["replicas"].as_u64().unwrap_or_default();
    let ready = pods.iter().all(|pod| is(pod, "Ready"));
    if up_to_date && available && one_each && ready && !pods.is_empty() {
        return Ok(());
    }
    Err(format!("{} has {} pods and this status: {status}", called(deployment), pods.len()))
}

/// The zone of each node.
fn zones(api: &Api) -> Result<BTreeMap<String, String>, String> {
    let zone = |node: &Value| {
        node["metadata"]["labels"]["topology.kubernetes.io/zone"].as_str().unwrap_or_default().to_owned()
    };
    Ok(api.all("default", "nodes")?.iter().map(|node| (name(node).to_owned(), zone(node))).collect())
}

/// Replicas are in as many zones as there can be.
fn is_spread(deployment: &Value, pods: &[&Value], zones: &BTreeMap<String, String>) -> Result<(), String> {
    let pods = of(deployment, pods);
    let zone = |pod: &&Value| zones.get(pod["spec"]["nodeName"].as_str().unwrap_or_default()).cloned();
    let taken: BTreeSet<_> = pods.iter().filter_map(zone).collect();
    let possible = pods.len().min(zones.len());
    if taken.len() == possible {
        return Ok(());
    }
    Err(format!("{} has {} pods in the zones {taken:?}, and could be in {possible}", called(deployment), pods.len()))
}

/// The API server did not give it a token of its service account: that is what it does unless it is asked not to.
fn has_no_token(pod: &Value) -> Result<(), String> {
    let volumes = pod["spec"]["volumes"].as_array().into_iter().flatten();
    let sources = volumes.flat_map(|volume| volume["projected"]["sources"].as_array().into_iter().flatten());
    let tokens = sources.filter(|source| !source["serviceAccountToken"].is_null()).count();
    if tokens == 0 { Ok(()) } else { Err(format!("{} has a token of its service account", called(pod))) }
}

/// Every Service leads to all the pods that it selects, by every port.
fn endpoints(api: &Api, namespace: &str, pods: &[&Value]) -> Result<(), String> {
    let slices = api.all(namespace, "endpointslices")?;
    let services = api.all(namespace, "services")?;
    for service in &services {
        let wanted: BTreeSet<&str> = pods
            .iter()
            .filter(|pod| selects(&service["spec"]["selector"], pod))
            .filter_map(|pod| pod["status"]["podIP"].as_str())
            .collect();
        let ports = service["spec"]["ports"].as_array().map_or(0, Vec::len);
        let of_service = |slice: &&Value| slice["metadata"]["labels"]["kubernetes.io/service-name"] == name(service);
        let mut there = BTreeSet::new();
        for slice in slices.iter().filter(of_service) {
            if slice["ports"].as_array().map_or(0, Vec::len) != ports {
                return Err(format!("{} has {ports} ports, and its endpoints {}", called(service), slice["ports"]));
            }
            let ready = |endpoint: &&Value| endpoint["conditions"]["ready"] == true;
            for endpoint in slice["endpoints"].as_array().into_iter().flatten().filter(ready) {
                there.extend(endpoint["addresses"].as_array().into_iter().flatten().filter_map(Value::as_str));
            }
        }
        if wanted.is_empty() || there != wanted {
            return Err(format!("{} leads to {there:?}, and should to {wanted:?}", called(service)));
        }
    }
    if services.is_empty() { Err(format!("{namespace} has no Service")) } else { Ok(()) }
}

/// Every budget counts pods, and lets one of them go.
fn budgets(api: &Api, namespace: &str, pods: &[&Value]) -> Result<(), String> {
    for budget in api.all(namespace, "poddisruptionbudgets")? {
        let labels = &budget["spec"]["selector"]["matchLabels"];
        let selected = pods.iter().filter(|pod| selects(labels, pod)).count();
        let (expected, allowed) = (&budget["status"]["expectedPods"], &budget["status"]["disruptionsAllowed"]);
        if selected == 0 || expected.as_u64() != Some(selected as u64) || allowed != 1 {
            return Err(format!(
                "{} is about {selected} pods, and has this status: {}",
                called(&budget),
                budget["status"]
            ));
        }
    }
    Ok(())
}

/// Every policy is about some pods, and no pod that goes on running is left out.
fn policies(api: &Api, namespace: &str, pods: &[Value], running: &[&Value]) -> Result<(), String> {
    let policies = api.all(namespace, "networkpolicies")?;
    let is_about = |policy: &Value, pod: &Value| selects(&policy["spec"]["podSelector"]["matchLabels"], pod);
    if let Some(policy) = policies.iter().find(|policy| !pods.iter().any(|pod| is_about(policy, pod))) {
        return Err(format!("{} is about no pod: {}", called(policy), policy["spec"]["podSelector"]));
    }
    let open = running.iter().find(|pod| !policies.iter().any(|policy| is_about(policy, pod)));
    open.map_or(Ok(()), |pod| Err(format!("anybody may talk to {}: no policy is about it", called(pod))))
}

/// Every claim has its volume.
fn claims(api: &Api, namespace: &str) -> Result<(), String> {
    let claims = api.all(namespace, "persistentvolumeclaims")?;
    let unbound = claims.iter().find(|claim| claim["status"]["phase"] != "Bound");
    unbound.map_or(Ok(()), |claim| Err(format!("{} has no volume: {}", called(claim), claim["status"])))
}

/// Every autoscaler found what it is to scale.
fn scaling(api: &Api, namespace: &str, deployments: &[Value]) -> Result<(), String> {
    for scaler in api.all(namespace, "horizontalpodautoscalers")? {
        let target = &scaler["spec"]["scaleTargetRef"]["name"];
        if !deployments.iter().any(|deployment| target == name(deployment)) || !is(&scaler, "AbleToScale") {
            return Err(format!("{} cannot scale {target}: {}", called(&scaler), scaler["status"]));
        }
    }
    Ok(())
}
