//! What pods ask for by name. A kubelet starts no pod that asks for what is not there; simulated ones start anyway.

use std::collections::BTreeMap;

use serde_json::Value;

use super::api::{Api, called, name};

/// What can be asked for: each kind's objects by name.
struct There {
    objects: BTreeMap<(&'static str, String), Value>,
}

/// Every Secret, `ConfigMap` and claim that a pod names is there, with the key that it names.
pub(super) fn all_resolve(api: &Api, namespace: &str, pods: &[Value]) -> Result<(), String> {
    let mut objects = BTreeMap::new();
    for kind in ["secrets", "configmaps", "persistentvolumeclaims"] {
        for object in api.all(namespace, kind)? {
            objects.insert((kind, name(&object).to_owned()), object);
        }
    }
    let there = There { objects };
    pods.iter().try_for_each(|pod| there.is_enough_for(pod))
}

type Asked<'a> = (&'static str, &'a str, Option<&'a str>);

fn volumes(pod: &Value) -> impl Iterator<Item = Asked<'_>> {
    list(&pod["spec"]["volumes"]).flat_map(|volume| {
        let secret = from(&volume["secret"], "secretName", "secrets");
        let settings = from(&volume["configMap"], "name", "configmaps");
        let claim = text(&volume["persistentVolumeClaim"]["claimName"])
            .map(|name| vec![("persistentvolumeclaims", name, None)]);
        secret.into_iter().chain(settings).chain(claim.unwrap_or_default())
    })
}

/// What a volume asks for: the object, and the keys that it names of it.
fn from<'a>(source: &'a Value, by: &str, kind: &'static str) -> Vec<Asked<'a>> {
    let Some(name) = text(&source[by]).filter(|_| source["optional"] != true) else { return Vec::new() };
    let keys = list(&source["items"]).map(move |item| (kind, name, text(&item["key"])));
    std::iter::once((kind, name, None)).chain(keys).collect()
}

fn environment(pod: &Value) -> impl Iterator<Item = Asked<'_>> {
    let containers = list(&pod["spec"]["containers"]).chain(list(&pod["spec"]["initContainers"]));
    containers.flat_map(|container| {
        let whole = list(&container["envFrom"]).flat_map(|source| {
            let secret = reference(&source["secretRef"], "secrets");
            secret.into_iter().chain(reference(&source["configMapRef"], "configmaps"))
        });
        let single = list(&container["env"]).flat_map(|variable| {
            let source = &variable["valueFrom"];
            let secret = reference(&source["secretKeyRef"], "secrets");
            secret.into_iter().chain(reference(&source["configMapKeyRef"], "configmaps"))
        });
        whole.chain(single)
    })
}

fn reference<'a>(source: &'a Value, kind: &'static str) -> Option<Asked<'a>> {
    (source["optional"] != true).then_some(())?;
    Some((kind, text(&source["name"])?, text(&source["key"])))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> Option<&str> {
    value.as_str()
}

// === impl There ===

impl There {
    fn is_enough_for(&self, pod: &Value) -> Result<(), String> {
        let mut asked = volumes(pod).chain(environment(pod));
        let has = |(kind, what, key)| self.has(kind, what, key);
        asked.try_for_each(has).map_err(|why| format!("{} cannot start: {why}", called(pod)))
    }

    fn has(&self, kind: &'static str, name: &str, key: Option<&str>) -> Result<(), String> {
        let Some(object) = self.objects.get(&(kind, name.to_owned())) else {
            return Err(format!("there is no {name} among {kind}"));
        };
        let Some(key) = key else { return Ok(()) };
        let has = ["data", "binaryData"].iter().any(|part| !object[part][key].is_null());
        if has { Ok(()) } else { Err(format!("{name} of {kind} has no key {key}")) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn there() -> There {
        let secret = json!({"data": {"url": "…"}});
        There { objects: BTreeMap::from([(("secrets", "database".to_owned()), secret)]) }
    }

    fn pod(spec: Value) -> Value {
        json!({"kind": "Pod", "metadata": {"name": "payment"}, "spec": spec})
    }

    #[test]
    fn what_is_there_is_enough() {
        let env = json!([{"valueFrom": {"secretKeyRef": {"name": "database", "key": "url"}}}]);
        let volumes = json!([{"secret": {"secretName": "database", "items": [{"key": "url"}]}}, {"emptyDir": {}}]);
        assert_eq!(there().is_enough_for(&pod(json!({"containers": [{"env": env}], "volumes": volumes}))), Ok(()));
    }

    #[test]
    fn what_a_pod_lacks_is_told() {
        let lacks = |spec, word: &str| {
            let why = there().is_enough_for(&pod(spec)).unwrap_err();
            assert!(why.starts_with("Pod payment cannot start") && why.contains(word), "{why}");
        };
        let of_key = json!([{"valueFrom": {"secretKeyRef": {"name": "database", "key": "uri"}}}]);
        lacks(json!({"containers": [{"env": of_key}]}), "uri");
        lacks(json!({"initContainers": [{"envFrom": [{"configMapRef": {"name": "settings"}}]}]}), "settings");
        lacks(json!({"volumes": [{"secret": {"secretName": "mesh"}}]}), "mesh");
        lacks(json!({"volumes": [{"secret": {"secretName": "database", "items": [{"key": "ca"}]}}]}), "ca");
        lacks(json!({"volumes": [{"persistentVolumeClaim": {"claimName": "data"}}]}), "data");
    }

    #[test]
    fn what_is_optional_may_be_missing() {
        let env = json!([{"configMapRef": {"name": "settings", "optional": true}}]);
        let volumes = json!([{"secret": {"secretName": "mesh", "optional": true}}]);
        assert_eq!(there().is_enough_for(&pod(json!({"containers": [{"envFrom": env}], "volumes": volumes}))), Ok(()));
    }
}
