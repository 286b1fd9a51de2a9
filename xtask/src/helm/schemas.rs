//! What the charts make is what Kubernetes takes, field by field: its own description of its objects, made strict, says
//! so. An API server drops fields that it does not know, and nobody learns of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Rendered;
use crate::go_tools::go;
use crate::shell::{command, read, root, run, succeeds};
use crate::step::Done;
use crate::tools::Missing;

/// The modules, pinned.
const MODULES: &str = "tools/go/schemas.txt";
const KUBERNETES: &str = "k8s.io/kubernetes";
/// Where a module describes objects of its own, and which of them the charts make.
const CUSTOM: [(&str, &str, &[&str]); 2] = [
    (
        "sigs.k8s.io/gateway-api",
        "config/crd/standard",
        &["gateway.networking.k8s.io_grpcroutes.yaml", "gateway.networking.k8s.io_httproutes.yaml"],
    ),
    (
        "github.com/prometheus-operator/prometheus-operator",
        "example/prometheus-operator-crd",
        &["monitoring.coreos.com_prometheusrules.yaml", "monitoring.coreos.com_servicemonitors.yaml"],
    ),
];

/// A line of the list.
struct Module<'a> {
    name: &'a str,
    version: &'a str,
    sum: &'a str,
}

/// Every object of every set of values, for each version of Kubernetes.
pub(super) fn check(kubeconform: &Path, all: &[Rendered], missing: Missing) -> Result<Done, String> {
    if !go(missing)? {
        return Ok(Done::Skipped("Go is not there to fetch Kubernetes' description of its objects".into()));
    }
    let list = fs::read_to_string(root().join(MODULES)).map_err(|error| format!("{MODULES}: {error}"))?;
    let modules: Vec<_> = list.lines().filter_map(Module::read).collect();
    let versions: Vec<_> = modules.iter().filter(|module| module.name == KUBERNETES).collect();
    if versions.is_empty() {
        return Err(format!("{MODULES} names no version of {KUBERNETES}"));
    }
    for kubernetes in versions {
        let folder = root().join("target/helm/schemas").join(kubernetes.version);
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        write_kubernetes(&kubernetes.folder()?, &folder)?;
        for module in modules.iter().filter(|module| module.name != KUBERNETES) {
            write_custom(module.name, &module.folder()?, &folder)?;
        }
        println!("Kubernetes {}", kubernetes.version);
        let location = folder.join("{{.ResourceKind}}{{.KindSuffix}}.json");
        refuses_what_is_unknown(kubeconform, &location)?;
        let objects = all.iter().map(|rendered| &rendered.file);
        run(command(kubeconform).arg("-summary").arg("-schema-location").arg(&location).args(objects))?;
    }
    Ok(Done::Passed)
}

/// The control: the same Deployment passes, and does not with a field more.
fn refuses_what_is_unknown(kubeconform: &Path, location: &Path) -> Result<(), String> {
    let passes = |field: &str| {
        let mut pod = json!({"containers": [{"name": "a", "image": "a"}]});
        pod[field] = json!("a");
        let template = json!({"metadata": {"labels": {"a": "a"}}, "spec": pod});
        let spec = json!({"selector": {"matchLabels": {"a": "a"}}, "template": template});
        let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": spec});
        let file = root().join("target/helm/control.json");
        let written = fs::write(&file, object.to_string()).map_err(|error| format!("{}: {error}", file.display()));
        written.map(|()| succeeds(command(kubeconform).arg("-schema-location").arg(location).arg(file)))
    };
    match (passes("hostname")?, passes("hostName")?) {
        (true, false) => Ok(()),
        (false, _) => {
            Err("a Deployment as it should be is refused: the schemas were not made as they should be".into())
        }
        (true, true) => Err("a Deployment with a field that nobody knows passes: the schemas are not strict".into()),
    }
}

/// One file for each kind that the API server takes.
fn write_kubernetes(module: &Path, folder: &Path) -> Result<(), String> {
    let file = module.join("api/openapi-spec/swagger.json");
    let wrong = |why: &dyn std::fmt::Display| format!("{}: {why}", file.display());
    let text = fs::read_to_string(&file).map_err(|error| wrong(&error))?;
    let described: Value = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
    let definitions = described["definitions"].as_object().ok_or_else(|| wrong(&"it has no definitions"))?;
    for (name, definition) in definitions {
        for kind in definition["x-kubernetes-group-version-kind"].as_array().into_iter().flatten() {
            let text = |field: &str| kind[field].as_str().unwrap_or_default();
            let mut schema = strict(definition);
            require_kind(&mut schema, text("group"), text("version"), text("kind"));
            schema["definitions"] = Value::Object(reached(name, definitions));
            write(folder, text("group"), text("version"), text("kind"), &schema)?;
        }
    }
    Ok(())
}

/// One file for each kind that the module's own definitions describe.
fn write_custom(module: &str, at: &Path, folder: &Path) -> Result<(), String> {
    let (_, place, files) = CUSTOM.iter().find(|(name, ..)| *name == module).ok_or_else(|| {
        format!("{MODULES} names {module}, and xtask does not know which objects are described where in it")
    })?;
    for file in *files {
        let file = at.join(place).join(file);
        let wrong = |why: &dyn std::fmt::Display| format!("{}: {why}", file.display());
        let text = fs::read_to_string(&file).map_err(|error| wrong(&error))?;
        for document in yaml_serde::Deserializer::from_str(&text) {
            let definition = Value::deserialize(document).map_err(|error| wrong(&error))?;
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let (group, kind) = (text(&definition["spec"]["group"]), text(&definition["spec"]["names"]["kind"]));
            for version in definition["spec"]["versions"].as_array().into_iter().flatten() {
                let name = text(&version["name"]);
                let mut schema = strict(&version["schema"]["openAPIV3Schema"]);
                require_kind(&mut schema, &group, &name, &kind);
                write(folder, &group, &name, &kind, &schema)?;
            }
        }
    }
    Ok(())
}

/// Named as kubeconform asks: the first word of the group, the version.
fn write(folder: &Path, group: &str, version: &str, kind: &str, schema: &Value) -> Result<(), String> {
    let group = group.split('.').next().filter(|group| !group.is_empty()).map_or(String::new(), |it| format!("-{it}"));
    let file = folder.join(format!("{}{group}-{version}.json", kind.to_lowercase()));
    fs::write(&file, schema.to_string()).map_err(|error| format!("{}: {error}", file.display()))
}

/// The definitions that `name` speaks of, and those that they speak of.
fn reached(name: &str, definitions: &Map<String, Value>) -> Map<String, Value> {
    let (mut found, mut open) = (BTreeSet::new(), vec![name.to_owned()]);
    while let Some(name) = open.pop() {
        if let Some(definition) = definitions.get(&name).filter(|_| found.insert(name.clone())) {
            references(definition, &mut open);
        }
    }
    found.into_iter().map(|name| (name.clone(), strict(&definitions[&name]))).collect()
}

fn references(schema: &Value, into: &mut Vec<String>) {
    match schema {
        Value::Object(fields) => {
            let named = fields.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix("#/definitions/"));
            into.extend(named.map(str::to_owned));
            fields.values().for_each(|field| references(field, into));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, into)),
        _ => {}
    }
}

/// The same, where a field that is not named is wrong, and a number may stand where Kubernetes takes one for a text.
fn strict(schema: &Value) -> Value {
    let Value::Object(fields) = schema else {
        return match schema {
            Value::Array(items) => items.iter().map(strict).collect(),
            _ => schema.clone(),
        };
    };
    let says = |field: &str| fields.get(field) == Some(&Value::Bool(true));
    if says("x-kubernetes-int-or-string") || fields.get("format") == Some(&json!("int-or-string")) {
        return json!({"type": ["integer", "string"]});
    }
    let mut fields: Map<_, _> = fields.iter().map(|(name, value)| (name.clone(), strict(value))).collect();
    let describes =
        fields.get("properties").is_some_and(Value::is_object) && fields.get("type") == Some(&json!("object"));
    if describes && !says_more(&fields) {
        fields.insert("additionalProperties".into(), Value::Bool(false));
    }
    // A quantity of one is written 1.
    let is_quantity = |fields: &Map<String, Value>| {
        let told = fields.get("description").and_then(Value::as_str).unwrap_or_default();
        told.starts_with("Quantity is a fixed-point") && fields.get("type") == Some(&json!("string"))
    };
    if is_quantity(&fields) {
        fields.insert("type".into(), json!(["string", "number"]));
    }
    Value::Object(fields)
}

fn says_more(fields: &Map<String, Value>) -> bool {
    fields.contains_key("additionalProperties") || fields.contains_key("x-kubernetes-preserve-unknown-fields")
}

/// An object without its kind is none.
fn require_kind(schema: &mut Value, group: &str, version: &str, kind: &str) {
    let api = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    schema["properties"]["apiVersion"] = json!({"const": api});
    schema["properties"]["kind"] = json!({"const": kind});
    let said = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let required: BTreeSet<_> = said.chain(["apiVersion", "kind", "metadata"]).collect();
    schema["required"] = json!(required);
}

// === impl Module ===

impl<'a> Module<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let mut words = line.split(' ');
        let module = Self { name: words.next()?, version: words.next()?, sum: words.next()? };
        (words.next().is_none() && module.sum.starts_with("h1:")).then_some(module)
    }

    /// Where it is; fetched if it is not there, and refused if it is another one than the list says.
    fn folder(&self) -> Result<PathBuf, String> {
        let name = format!("{}@{}", self.name, self.version);
        let told = read(command("go").args(["mod", "download", "-json", &name]).env("GOFLAGS", ""))?;
        let told: Value = serde_json::from_str(&told).map_err(|error| format!("go mod download {name}: {error}"))?;
        if told["Sum"] != self.sum {
            return Err(format!("{name} has the sum {}, and {MODULES} says {}", told["Sum"], self.sum));
        }
        let folder = told["Dir"].as_str().ok_or_else(|| format!("go mod download {name} tells no folder"))?;
        Ok(folder.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_is_not_named_is_wrong() {
        let open = json!({"type": "object", "properties": {
            "port": {"format": "int-or-string", "type": "string"},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "any": {"type": "object", "properties": {}, "x-kubernetes-preserve-unknown-fields": true},
        }});
        let strict = strict(&open);
        assert_eq!(strict["additionalProperties"], json!(false));
        assert_eq!(strict["properties"]["port"], json!({"type": ["integer", "string"]}));
        assert_eq!(strict["properties"]["labels"]["additionalProperties"], json!({"type": "string"}));
        assert_eq!(strict["properties"]["any"]["additionalProperties"], Value::Null);
    }

    #[test]
    fn definitions_come_along_with_those_they_speak_of() {
        let definitions = json!({
            "a": {"properties": {"b": {"$ref": "#/definitions/b"}}}, "b": {"items": {"$ref": "#/definitions/a"}}, "c": {},
        });
        let reached = reached("a", definitions.as_object().expect("an object"));
        assert_eq!(reached.keys().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn a_property_that_is_called_properties_is_none() {
        // An object's own fields stand under `properties`, whose names are no schema.
        let schema =
            json!({"type": "object", "properties": {"properties": {"type": "string"}, "type": {"type": "string"}}});
        let strict = strict(&schema);
        assert_eq!(strict["properties"].get("additionalProperties"), None);
    }

    #[test]
    fn an_object_says_what_it_is() {
        let mut schema = json!({"type": "object", "required": ["spec"], "properties": {}});
        require_kind(&mut schema, "apps", "v1", "Deployment");
        assert_eq!(schema["required"], json!(["apiVersion", "kind", "metadata", "spec"]));
        assert_eq!(schema["properties"]["apiVersion"], json!({"const": "apps/v1"}));
    }
}
