//! The cluster's API, as kubectl reads and writes it.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::shell::{command, read};

/// For how long is waited for what has to come.
const PATIENCE: Duration = Duration::from_mins(2);

/// How to reach the API.
#[derive(Clone)]
pub(super) struct Api {
    /// The program `kubectl`.
    pub(super) kubectl: PathBuf,
    /// Where the server is, and who asks.
    pub(super) kubeconfig: PathBuf,
    /// Where programs keep what they learnt of the server.
    pub(super) cache: PathBuf,
}

// === impl Api ===

impl Api {
    pub(super) fn kubectl(&self, arguments: &[&str]) -> Command {
        let mut kubectl = command(&self.kubectl);
        kubectl.args(arguments).env("KUBECONFIG", &self.kubeconfig).env("KUBECACHEDIR", &self.cache);
        kubectl
    }

    /// What there is of a kind (or a list of kinds, with commas) in a namespace.
    pub(super) fn all(&self, namespace: &str, kind: &str) -> Result<Vec<Value>, String> {
        let found = self.json(&["--namespace", namespace, "get", kind])?;
        Ok(found["items"].as_array().cloned().unwrap_or_default())
    }

    /// One object.
    pub(super) fn one(&self, namespace: &str, kind: &str, name: &str) -> Result<Value, String> {
        self.json(&["--namespace", namespace, "get", kind, name])
    }

    /// What kubectl answers with these arguments.
    pub(super) fn json(&self, arguments: &[&str]) -> Result<Value, String> {
        let text = read(&mut self.kubectl(&[arguments, &["--output", "json"]].concat()))?;
        serde_json::from_str(&text).map_err(|error| format!("kubectl {}: {error}", arguments.join(" ")))
    }

    /// What kubectl prints with these arguments.
    pub(super) fn text(&self, arguments: &[&str]) -> Result<String, String> {
        read(&mut self.kubectl(arguments))
    }

    /// Runs kubectl for what it does; what it prints is told only if it fails.
    pub(super) fn run(&self, arguments: &[&str]) -> Result<(), String> {
        read(&mut self.kubectl(arguments)).map(drop)
    }
}

/// The object's name.
pub(super) fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}

/// The object's kind and name, for people.
pub(super) fn called(object: &Value) -> String {
    format!("{} {}", object["kind"].as_str().unwrap_or_default(), name(object))
}

/// Whether the object's status has this condition.
pub(super) fn is(object: &Value, condition: &str) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    conditions.into_iter().flatten().any(|found| found["type"] == condition && found["status"] == "True")
}

/// Returns once `holds` does; what it said last, if it does not in time.
pub(super) fn eventually<T>(what: &str, mut holds: impl FnMut() -> Result<T, String>) -> Result<T, String> {
    let begin = now();
    loop {
        match holds() {
            Ok(value) => return Ok(value),
            Err(why) if begin.elapsed() > PATIENCE => return Err(format!("not within {PATIENCE:?}: {what}: {why}")),
            Err(_) => std::thread::park_timeout(Duration::from_millis(100)),
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "how long it takes is not decided by a clock that tests move")]
pub(super) fn now() -> Instant {
    Instant::now()
}
