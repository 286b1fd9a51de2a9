//! Charts, and what becomes of them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Value, json};

/// What Kubernetes would be given.
pub(crate) struct Objects(Vec<Value>);

/// Why nothing was made of a chart.
pub(crate) type Refused = String;

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// What one context's chart makes of `values`, in a release called `release`.
pub(crate) fn context(release: &str, values: Value) -> Result<Objects, Refused> {
    render("context", release, &values)
}

/// What the whole street's chart makes of `values`, in a release called `street`.
pub(crate) fn street(values: Value) -> Result<Objects, Refused> {
    render("highstreet", "street", &values)
}

/// A street on servers that are there already, and `more`.
pub(crate) fn street_with(more: &Value) -> Objects {
    let mut values = json!({"global": {"store": {"secret": "street-store"}, "bus": {"url": "nats://nats:4222"}}});
    merge(&mut values, more);
    street(values).unwrap()
}

/// Every set of values that the charts are checked with, and what becomes of it.
pub(crate) fn value_sets() -> &'static [(String, Objects)] {
    static SETS: LazyLock<Vec<(String, Objects)>> = LazyLock::new(rendered_sets);
    &SETS
}

fn rendered_sets() -> Vec<(String, Objects)> {
    let files = std::fs::read_dir(root().join("deploy/helm/ci")).unwrap();
    let mut sets: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    sets.sort();
    assert!(sets.len() >= 8, "{sets:?}");
    let render = |file: &PathBuf| {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let values = yaml_serde::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let objects = self::render(name.split('-').next().unwrap(), "street", &values);
        (name, objects.unwrap())
    };
    sets.iter().map(render).collect()
}

fn render(chart: &str, release: &str, values: &Value) -> Result<Objects, Refused> {
    let file = tempfile::NamedTempFile::with_suffix(".json").unwrap();
    std::fs::write(file.path(), values.to_string()).unwrap();
    let mut helm = Command::new(helm());
    helm.args(["template", release]).arg(root().join("deploy/helm").join(chart)).arg("--values").arg(file.path());
    let output = helm.output().unwrap_or_else(|error| panic!("{MISSING} ({error})"));
    if !output.status.success() {
        return Err(String::from_utf8(output.stderr).unwrap());
    }
    let documents = yaml_serde::Deserializer::from_slice(&output.stdout).map(|it| Value::deserialize(it).unwrap());
    Ok(Objects(documents.filter(|document| !document.is_null()).collect()))
}

const MISSING: &str = "helm is missing, and tests of the charts need it: run them by `cargo xtask helm`, which builds \
                       it, or name it in HIGHSTREET_HELM";

fn helm() -> PathBuf {
    std::env::var_os("HIGHSTREET_HELM").map_or_else(|| "helm".into(), PathBuf::from)
}

/// Writes what `more` says over `values`.
fn merge(values: &mut Value, more: &Value) {
    match (values, more) {
        (Value::Object(values), Value::Object(more)) => {
            for (name, value) in more {
                merge(values.entry(name).or_insert(Value::Null), value);
            }
        }
        (values, more) => *values = more.clone(),
    }
}

/// The texts of a list.
pub(crate) fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(|item| item.as_str().unwrap().to_owned()).collect()
}

// === impl Objects ===

impl Objects {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Value> {
        self.0.iter()
    }

    /// All of one kind.
    pub(crate) fn of_kind(&self, kind: &str) -> Vec<&Value> {
        self.0.iter().filter(|object| object["kind"] == kind).collect()
    }

    /// The one of this kind and name, if there is one.
    pub(crate) fn find(&self, kind: &str, name: &str) -> Option<&Value> {
        self.0.iter().find(|object| object["kind"] == kind && object["metadata"]["name"] == name)
    }

    /// The one of this kind and name.
    #[track_caller]
    pub(crate) fn get(&self, kind: &str, name: &str) -> &Value {
        self.find(kind, name).unwrap_or_else(|| panic!("there is no {kind} {name}"))
    }

    /// The pod that a deployment starts.
    #[track_caller]
    pub(crate) fn pod(&self, name: &str) -> &Value {
        &self.get("Deployment", name)["spec"]["template"]["spec"]
    }

    /// The arguments of a deployment's container.
    #[track_caller]
    pub(crate) fn args(&self, name: &str) -> Vec<String> {
        texts(&self.pod(name)["containers"][0]["args"])
    }

    /// The pods of everything that starts some.
    pub(crate) fn pods(&self) -> Vec<(String, &Value)> {
        let name = |object: &Value| format!("{} {}", object["kind"], object["metadata"]["name"]);
        let started = self.0.iter().filter(|object| !object["spec"]["template"]["spec"].is_null());
        let started = started.map(|object| (name(object), &object["spec"]["template"]["spec"]));
        let bare = self.of_kind("Pod").into_iter().map(|object| (name(object), &object["spec"]));
        started.chain(bare).collect()
    }
}
