//! The life of some releases, step by step.

use std::path::Path;

use serde_json::Value;

use super::api::{Api, eventually, name};
use super::charts::{self, Charts};
use super::checks;
use super::cluster::Cluster;
use super::helm::Helm;
use super::process::ours;
use super::watch::Watch;
use crate::shell::root;
use crate::sources::contexts;
use crate::step::Steps;

/// What Helm waits for at most.
const PATIENCE: &str = "180s";

/// Who acts on what.
struct Story<'a> {
    api: &'a Api,
    helm: Helm<'a>,
    charts: Charts,
}

/// Plays it.
pub(super) fn play(steps: &mut Steps, cluster: &Cluster, helm: &Path, folder: &Path) {
    let api = &cluster.api;
    let helm = Helm { program: helm, api, home: folder.join("helm") };
    let mut found = None;
    steps.take("charts", || charts::current(&folder.join("checkout")).map(|charts| found = Some(charts)));
    let Some(charts) = found else { return };
    let story = Story { api, helm, charts };
    steps.take("one context", || story.one_context());
    steps.take("mistakes", || story.mistakes(&folder.join("immodest")));
    steps.take("a street", || story.a_street());
    steps.take("helm test", || story.helm_test());
    steps.take("other values", || story.other_values());
    steps.take("a bad image", || story.a_bad_image());
    steps.take("a node is drained", || story.a_node_is_drained());
    steps.take("uninstall", || story.uninstall("street", "street"));
    steps.take("upgrade", || story.upgrade(&folder.join("previous")));
    steps.take("uninstall again", || story.uninstall("one", "payment"));
}

// === impl Story ===

impl Story<'_> {
    /// As README says it: one context, alone, with its files on a volume.
    fn one_context(&self) -> Result<(), String> {
        self.namespace("one")?;
        self.install("one", "payment", &self.charts.context, &["--set", "context=payment"])?;
        self.holds("one")?;
        let pods = self.api.all("one", "pods")?;
        let claims = self.api.all("one", "persistentvolumeclaims")?;
        if pods.len() == 1 && claims.len() == 1 { Ok(()) } else { Err("it is not one pod with one volume".into()) }
    }

    /// Values that nobody has heard of, a context that there is not, two pods on one file; and pods that want too much.
    fn mistakes(&self, immodest: &Path) -> Result<(), String> {
        let try_out = |values: &[&str], words: &[&str]| {
            let install = ["install", "mistake", self.charts.context.as_str(), "--set"];
            self.helm.refuses("one", &[&install[..], values].concat(), words)
        };
        try_out(&["context=payment,replica=2"], &["replica"])?;
        try_out(&["context=payment,resources.requestss.cpu=1"], &["requestss"])?;
        try_out(&["context=paiment"], &["paiment"])?;
        try_out(&["context=payment,replicas=2"], &["payment keeps files"])?;
        let street = ["install", "mistake", self.charts.street.as_str(), "--set"];
        self.helm.refuses("one", &[&street[..], &["dev.enabled=true,payments.replicas=2"]].concat(), &["payments"])?;
        // Were such warnings not heard, that there are none of our charts would say nothing.
        let immodest = charts::immodest(immodest)?;
        self.helm.refuses("one", &["install", "immodest", &immodest], &["would violate PodSecurity"])?;
        self.helm.run("one", &["uninstall", "immodest", "--wait"]).map(drop)
    }

    /// Every context and the gateway, with a database and a broker for trying out.
    fn a_street(&self) -> Result<(), String> {
        self.namespace("street")?;
        self.install("street", "street", &self.charts.street, &["--set", "dev.enabled=true"])?;
        self.holds("street")?;
        let deployments = self.api.all("street", "deployments")?;
        let component = |deployment: &Value| deployment["metadata"]["labels"]["app.kubernetes.io/component"].clone();
        let there: Vec<Value> = deployments.iter().map(component).collect();
        let mut wanted = contexts(&root())?;
        wanted.push("gateway".into());
        let lacking = wanted.iter().find(|context| !there.iter().any(|found| found == context.as_str()));
        match lacking {
            Some(context) => Err(format!("there is no Deployment of {context}")),
            None if there.len() == wanted.len() => Ok(()),
            None => Err(format!("there are {} Deployments, and {} are known", there.len(), wanted.len())),
        }
    }

    fn helm_test(&self) -> Result<(), String> {
        let said = self.helm.run("street", &["test", "street", "--timeout", PATIENCE])?;
        let played = said.lines().filter(|line| line.contains("Succeeded")).count();
        if played == 0 { Err(format!("helm test tested nothing: {said}")) } else { Ok(()) }
    }

    /// More replicas, another brand, scaling, monitoring and routes, while nobody notices.
    fn other_values(&self) -> Result<(), String> {
        let values = ours("tools/kube/more.yaml");
        let values = values.to_string_lossy();
        let watch = Watch::begin(self.api, "street")?;
        self.upgrade_to("street", "street", &self.charts.street, &["--values", &values])?;
        let rolled = watch.end(0)?;
        self.holds("street")?;
        // Every context reads the changed settings: each was rolled.
        let deployments = self.api.all("street", "deployments")?;
        if let Some(same) = deployments.iter().find(|it| !rolled.contains(&name(it).to_owned())) {
            return Err(format!("nobody saw Deployment {} being rolled", name(same)));
        }
        for kind in ["horizontalpodautoscalers", "servicemonitors", "grpcroutes", "httproutes"] {
            if self.api.all("street", kind)?.is_empty() {
                return Err(format!("there are no {kind}, and {values} asks for them"));
            }
        }
        let settings = self.api.one("street", "configmap", "street-booking")?;
        let brand = &settings["data"]["HIGHSTREET_BRAND"];
        if brand == "Kube Cinema" { Ok(()) } else { Err(format!("the brand is {brand}, and should be Kube Cinema")) }
    }

    /// An image whose program never gets ready: the upgrade fails, the old pods stay, and a rollback clears it away.
    fn a_bad_image(&self) -> Result<(), String> {
        let watch = Watch::begin(self.api, "street")?;
        let upgrade = ["upgrade", "street", &self.charts.street, "--reuse-values", "--wait", "--timeout", "15s"];
        let broken = ["--set", "global.image.tag=broken"];
        self.helm.refuses("street", &[&upgrade[..], &broken].concat(), &["deadline exceeded"])?;
        let pods = self.api.all("street", "pods")?;
        let image =
            |pod: &Value| pod["spec"]["containers"][0]["image"].as_str().unwrap_or_default().ends_with(":broken");
        if !pods.iter().any(image) {
            return Err("no pod has the bad image: this shows nothing".into());
        }
        self.helm.run("street", &["rollback", "street", "--wait", "--timeout", PATIENCE])?;
        watch.end(0)?;
        self.holds("street")?;
        let left = self.api.all("street", "pods")?.iter().filter(|pod| image(pod)).count();
        if left == 0 { Ok(()) } else { Err(format!("{left} pods have the bad image after the rollback")) }
    }

    /// Every pod of a node goes, one of each context at a time.
    fn a_node_is_drained(&self) -> Result<(), String> {
        let watch = Watch::begin(self.api, "street")?;
        let drain = ["drain", "node-a", "--delete-emptydir-data", "--ignore-daemonsets", "--timeout", PATIENCE];
        self.api.run(&[&drain[..], &["--pod-selector", "app.kubernetes.io/instance=street"]].concat())?;
        watch.end(1)?;
        let pods = self.api.all("street", "pods")?;
        let left = pods.iter().filter(|pod| pod["spec"]["nodeName"] == "node-a").count();
        self.api.run(&["uncordon", "node-a"])?;
        if left == 0 { Ok(()) } else { Err(format!("{left} pods are on node-a, which was drained")) }
    }

    /// From the charts that were released before to these, with other values, back, and away.
    fn upgrade(&self, folder: &Path) -> Result<(), String> {
        let previous = charts::previous(folder)?;
        println!("from {} to {}", previous.revision, self.charts.revision);
        self.namespace("old")?;
        let secret = ["--namespace", "old", "create", "secret", "generic", "database"];
        self.api
            .run(&[&secret[..], &["--from-literal=url=postgres://highstreet@postgres.example/highstreet"]].concat())?;
        let values = ["--set", "global.store.secret=database,global.bus.url=nats://nats.example:4222"];
        self.install("old", "old", &previous.street, &values)?;
        let before = self.api.all("old", "deployments")?;
        let watch = Watch::begin(self.api, "old")?;
        let changed = "global.replicas=3,global.image.tag=next,global.config.brand=Old Town Cinema";
        self.upgrade_to("old", "old", &self.charts.street, &[&values[..], &["--set", changed]].concat())?;
        let rolled = watch.end(0)?;
        self.holds("old")?;
        if rolled.len() < before.len() {
            return Err(format!("of {} Deployments {} were rolled", before.len(), rolled.len()));
        }
        let watch = Watch::begin(self.api, "old")?;
        self.helm.run("old", &["rollback", "old", "1", "--wait", "--timeout", PATIENCE])?;
        watch.end(0)?;
        let image = |deployment: &Value| deployment["spec"]["template"]["spec"]["containers"][0]["image"].clone();
        let after = self.api.all("old", "deployments")?;
        if before.iter().map(image).ne(after.iter().map(image)) {
            return Err("a rollback did not bring the images back".into());
        }
        self.uninstall("old", "old")
    }

    /// Nothing is left of it but what the charts keep on purpose.
    fn uninstall(&self, namespace: &str, release: &str) -> Result<(), String> {
        self.helm.run(namespace, &["uninstall", release, "--wait", "--timeout", PATIENCE])?;
        let kept = eventually("nothing is left", || self.left(namespace))?;
        println!("{namespace} keeps {}", if kept.is_empty() { "nothing".to_owned() } else { kept.join(", ") });
        Ok(())
    }

    /// What is left in a namespace, all of it kept on purpose; fails if anything else is.
    fn left(&self, namespace: &str) -> Result<Vec<String>, String> {
        let kinds = self.api.text(&["api-resources", "--namespaced", "--verbs=list", "--output=name"])?;
        // What every namespace has, and what tells what happened there.
        let wanted = |kind: &&str| !kind.starts_with("events") && *kind != "localsubjectaccessreviews";
        let kinds = kinds.lines().filter(wanted).collect::<Vec<_>>().join(",");
        let (mut kept, mut left) = (Vec::new(), Vec::new());
        for object in self.api.all(namespace, &kinds)? {
            let called = super::api::called(&object);
            let annotations = &object["metadata"]["annotations"];
            match called.as_str() {
                "ServiceAccount default" | "ConfigMap kube-root-ca.crt" | "Secret database" => {}
                _ if annotations["helm.sh/resource-policy"] == "keep" => kept.push(called),
                // Those of a StatefulSet stay with their data unless it says otherwise.
                _ if called.starts_with("PersistentVolumeClaim data-") => kept.push(called),
                _ => left.push(called),
            }
        }
        if left.is_empty() { Ok(kept) } else { Err(format!("{namespace} still has {}", left.join(", "))) }
    }

    /// A namespace that takes no pod that wants more than it needs.
    fn namespace(&self, namespace: &str) -> Result<(), String> {
        self.api.run(&["create", "namespace", namespace])?;
        let levels = ["enforce", "audit", "warn"].map(|mode| format!("pod-security.kubernetes.io/{mode}=restricted"));
        let levels: Vec<&str> = levels.iter().map(String::as_str).collect();
        self.api.run(&[&["label", "namespace", namespace], &levels[..]].concat())?;
        eventually("it has its service account", || self.api.one(namespace, "serviceaccount", "default").map(drop))
    }

    fn install(&self, namespace: &str, release: &str, chart: &str, values: &[&str]) -> Result<(), String> {
        let install = ["install", release, chart, "--wait", "--wait-for-jobs", "--timeout", PATIENCE];
        self.helm.run(namespace, &[&install[..], values].concat()).map(drop)
    }

    fn upgrade_to(&self, namespace: &str, release: &str, chart: &str, values: &[&str]) -> Result<(), String> {
        let upgrade = ["upgrade", release, chart, "--wait", "--wait-for-jobs", "--timeout", PATIENCE];
        self.helm.run(namespace, &[&upgrade[..], values].concat()).map(drop)
    }

    /// What the controllers say follows what Helm waits for by a moment.
    fn holds(&self, namespace: &str) -> Result<(), String> {
        eventually("everything is as it should be", || checks::installed(self.api, namespace))
    }
}
