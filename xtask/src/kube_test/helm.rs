//! Helm against the cluster.

use std::path::{Path, PathBuf};

use super::api::Api;
use crate::shell::command;

/// Where Helm's client says what the API server warns of.
const OF_THE_SERVER: &str = "warnings.go";

/// Helm, and the namespace that it installs into.
pub(super) struct Helm<'a> {
    /// The program.
    pub(super) program: &'a Path,
    /// The cluster.
    pub(super) api: &'a Api,
    /// Where it keeps what it would keep in the home folder.
    pub(super) home: PathBuf,
}

// === impl Helm ===

impl Helm<'_> {
    /// Runs it. Fails as well where the cluster only warns: a namespace that would refuse the pods says so in that way.
    pub(super) fn run(&self, namespace: &str, arguments: &[&str]) -> Result<String, String> {
        let mut helm = command(self.program);
        helm.args(["--namespace", namespace]).args(arguments);
        for (variable, folder) in
            [("HELM_CACHE_HOME", "cache"), ("HELM_CONFIG_HOME", "config"), ("HELM_DATA_HOME", "data")]
        {
            helm.env(variable, self.home.join(folder));
        }
        helm.env("KUBECONFIG", &self.api.kubeconfig).env("KUBECACHEDIR", &self.api.cache);
        let output = helm.output().map_err(|error| format!("cannot run helm: {error}"))?;
        let told = String::from_utf8_lossy(&output.stderr);
        let what = format!("helm {}", arguments.join(" "));
        if !output.status.success() {
            return Err(format!("{what} failed: {}", told.trim()));
        }
        let warnings: Vec<&str> = told.lines().filter(|line| line.contains(OF_THE_SERVER)).collect();
        if !warnings.is_empty() {
            return Err(format!("{what} was done, with warnings: {}", warnings.join("; ")));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs it, and expects that it is refused with a message that has these words.
    pub(super) fn refuses(&self, namespace: &str, arguments: &[&str], words: &[&str]) -> Result<(), String> {
        let what = format!("helm {}", arguments.join(" "));
        let Err(why) = self.run(namespace, arguments) else { return Err(format!("{what} is not refused")) };
        let silent = words.iter().find(|word| !why.contains(**word));
        silent.map_or(Ok(()), |word| Err(format!("{what} is refused, but nothing says {word}: {why}")))
    }
}
