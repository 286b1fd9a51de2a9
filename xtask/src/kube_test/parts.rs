//! The programs of a cluster, built from the Go modules that tools/kube pins, and kept for the next time.

use std::fs;
use std::path::{Path, PathBuf};

use crate::go_tools::{go as ensure_go, kept};
use crate::shell::{command, read, root, run};
use crate::tools::Missing;

/// Each program, and the package that it is built from.
const PROGRAMS: [(&str, &str); 6] = [
    ("etcd", "go.etcd.io/etcd/server/v3"),
    ("kwok", "sigs.k8s.io/kwok/cmd/kwok"),
    ("kubectl", "k8s.io/kubernetes/cmd/kubectl"),
    ("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
    ("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler"),
    ("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"),
];

/// The kinds of others that the charts make objects of, where they are asked to: each module, its folder and its files.
const DEFINITIONS: [(&str, &str, &[&str]); 2] = [
    (
        "sigs.k8s.io/gateway-api",
        "config/crd/standard/gateway.networking.k8s.io",
        &["gatewayclasses", "gateways", "grpcroutes", "httproutes"],
    ),
    (
        "github.com/prometheus-operator/prometheus-operator",
        "example/prometheus-operator-crd/monitoring.coreos.com",
        &["prometheusrules", "servicemonitors"],
    ),
];

/// Stages that kwok brings along.
const STAGES: [&str; 6] = [
    "node/fast/node-initialize",
    "node/heartbeat-with-lease/node-heartbeat-with-lease",
    "volume/fast/pv-bind",
    "volume/fast/pv-delete",
    "volume/fast/pvc-provision",
    "volume/fast/pvc-delete",
];

/// What a cluster is made of.
pub(super) struct Parts {
    programs: PathBuf,
    /// The files of resource definitions.
    pub(super) definitions: Vec<PathBuf>,
    /// What becomes of nodes and volumes that are not there; of pods, tools/kube says it.
    pub(super) stages: Vec<PathBuf>,
    /// The kind of storage that such volumes are of.
    pub(super) storage: PathBuf,
}

/// Finds them; builds those that are not there yet.
pub(super) fn ensure() -> Result<Parts, String> {
    ensure_go(Missing::Install)?;
    let kubernetes = version("k8s.io/kubernetes")?;
    let (etcd, kwok) = (version("go.etcd.io/etcd/server/v3")?, version("sigs.k8s.io/kwok")?);
    let programs = kept()?.join(format!("kubernetes-{kubernetes}-etcd-{etcd}-kwok-{kwok}"));
    if !PROGRAMS.iter().all(|(name, _)| programs.join(name).exists()) {
        build(&programs, &kubernetes)?;
    }
    let mut definitions = Vec::new();
    for (module, prefix, names) in DEFINITIONS {
        let folder = sources("tools/kube/definitions", module)?;
        definitions.extend(names.iter().map(|name| folder.join(format!("{prefix}_{name}.yaml"))));
    }
    let simulated = sources("tools/kube", "sigs.k8s.io/kwok")?.join("kustomize/stage");
    let stages = STAGES.iter().map(|stage| simulated.join(format!("{stage}.yaml"))).collect();
    Ok(Parts { programs, definitions, stages, storage: simulated.join("volume/fast/storage-class.yaml") })
}

fn build(programs: &Path, kubernetes: &str) -> Result<(), String> {
    println!("building Kubernetes {kubernetes} into {}; this takes some minutes and 4 GB, once", programs.display());
    let wrong = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    // Go keeps everything that it compiles: gigabytes, which nobody needs once the programs are there.
    let compiled = programs.join("compiled");
    fs::create_dir_all(&compiled).map_err(|error| wrong(&compiled, error))?;
    for (name, package) in PROGRAMS.iter().filter(|(name, _)| !programs.join(name).exists()) {
        println!("  {name}");
        // Under another name until it is whole.
        let unfinished = compiled.join(name);
        let mut go = go("tools/kube");
        go.args(["build", "-trimpath", "-buildvcs=false", "-ldflags", &stamp(kubernetes), "-o"])
            .arg(&unfinished)
            .arg(package);
        run(go.env("GOCACHE", compiled.join("cache")).env("CGO_ENABLED", "0"))?;
        fs::rename(&unfinished, programs.join(name)).map_err(|error| wrong(&unfinished, error))?;
    }
    fs::remove_dir_all(&compiled).map_err(|error| wrong(&compiled, error))
}

/// What the linker is told: no symbols, and the version, which charts and clients ask for.
fn stamp(kubernetes: &str) -> String {
    let mut numbers = kubernetes.trim_start_matches('v').split('.');
    let (major, minor) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    let say = |name: &str, value: &str| format!("-X k8s.io/component-base/version.{name}={value}");
    let words = [say("gitVersion", kubernetes), say("gitMajor", major), say("gitMinor", minor)];
    format!("-s -w {}", words.join(" "))
}

fn version(module: &str) -> Result<String, String> {
    let version = read(go("tools/kube").args(["list", "-m", "-f", "{{.Version}}", module]))?;
    Ok(version.trim().to_owned())
}

/// The folder of a module's sources.
fn sources(from: &str, module: &str) -> Result<PathBuf, String> {
    let said = read(go(from).args(["mod", "download", "-json", module]))?;
    let said: serde_json::Value = serde_json::from_str(&said).map_err(|error| format!("go mod download: {error}"))?;
    said["Dir"].as_str().map(PathBuf::from).ok_or_else(|| format!("go does not say where {module} is"))
}

fn go(folder: &str) -> std::process::Command {
    let mut go = command("go");
    go.current_dir(root().join(folder));
    go
}

// === impl Parts ===

impl Parts {
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }
}
