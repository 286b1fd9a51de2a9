//! A node of one machine: runs what the charts say with the program itself, by the arguments, variables and volumes
//! that stand there.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use highstreet_testkit::servers::{Proc, free_port, within};
use serde_json::Value;
use tempfile::TempDir;

use crate::chart::{Objects, texts};

const HIGHSTREET: &str = env!("CARGO_BIN_EXE_highstreet");
const START: Duration = Duration::from_secs(30);

/// Where pods run: what they keep outlives them, as far as their volumes do.
pub(crate) struct Node {
    folder: TempDir,
    secrets: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
    pods: usize,
}

/// A process of the program, ended when it is dropped: by SIGKILL.
pub(crate) struct Pod {
    pub(crate) listen: SocketAddr,
    _process: Proc,
}

// === impl Node ===

impl Node {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), secrets: BTreeMap::new(), pods: 0 }
    }

    /// Takes what an installation or an upgrade brings. A Secret that is there stays, as the charts' `lookup` has it.
    pub(crate) fn apply(&mut self, objects: &Objects) {
        for secret in objects.of_kind("Secret") {
            let decoded =
                |(key, value): (&String, &Value)| (key.clone(), STANDARD.decode(value.as_str().unwrap()).unwrap());
            let data = secret["data"].as_object().unwrap().iter().map(decoded).collect();
            self.secrets.entry(secret["metadata"]["name"].as_str().unwrap().into()).or_insert(data);
        }
    }

    /// A Secret that somebody else makes.
    pub(crate) fn keep(&mut self, name: &str, key: &str, value: &str) {
        self.secrets.entry(name.into()).or_default().insert(key.into(), value.into());
    }

    /// A file with what a Secret has under `key`.
    pub(crate) fn secret(&self, name: &str, key: &str) -> PathBuf {
        let file = self.folder.path().join(key);
        fs::write(&file, &self.secrets[name][key]).unwrap();
        file
    }

    /// Starts a pod of the deployment, and waits until it is ready.
    pub(crate) async fn start(&mut self, objects: &Objects, deployment: &str) -> Pod {
        self.start_at(objects, deployment, free_port()).await
    }

    /// The same; its services' port is this one.
    pub(crate) async fn start_at(&mut self, objects: &Objects, deployment: &str, port: u16) -> Pod {
        let address = |port| SocketAddr::from(([0, 0, 0, 0], port));
        let (listen, admin) = (address(port), address(free_port()));
        let places = [("0.0.0.0:8088".to_owned(), listen.to_string()), ("0.0.0.0:8089".into(), admin.to_string())];
        let pod = objects.pod(deployment);
        let mut command = self.command(objects, pod, &pod["containers"][0], &places);
        let log = fs::File::create(self.folder.path().join(format!("pod-{}.log", self.pods))).unwrap();
        let process = Proc::start(command.stdout(log.try_clone().unwrap()).stderr(log));
        let here = |address: SocketAddr| SocketAddr::from(([127, 0, 0, 1], address.port()));
        let asked = here(admin).to_string();
        within(START, &format!("{deployment} is ready"), || async { highstreet::healthcheck(&asked).await.ok() }).await;
        Pod { listen: here(listen), _process: process }
    }

    /// Runs a pod of `helm test` to its end; the service that it calls is `at` this pod.
    pub(crate) fn test(&mut self, objects: &Objects, pod: &str, service: &str, at: &Pod) -> Output {
        let places = [(format!("{service}:8088"), at.listen.to_string())];
        let pod = &objects.get("Pod", pod)["spec"];
        self.command(objects, pod, &pod["containers"][0], &places).output().unwrap()
    }

    /// What a container of the pod runs. `places` are addresses of the cluster, and where they are here.
    pub(crate) fn command(
        &mut self,
        objects: &Objects,
        pod: &Value,
        container: &Value,
        places: &[(String, String)],
    ) -> Command {
        self.pods += 1;
        let mounts = self.mounts(pod, container);
        let mut command = Command::new(HIGHSTREET);
        for arg in texts(&container["args"]) {
            let arg = places.iter().fold(arg, |arg, (there, here)| arg.replace(there, here));
            command.arg(mounts.iter().fold(arg, |arg, (there, here)| moved(&arg, there, here)));
        }
        command.env_clear().envs(self.variables(objects, container)).current_dir(self.folder.path());
        command
    }

    /// Where each volume of the pod is mounted, and the folder here that is it.
    fn mounts(&self, pod: &Value, container: &Value) -> Vec<(String, PathBuf)> {
        let mut mounts = Vec::new();
        for mount in container["volumeMounts"].as_array().into_iter().flatten() {
            let name = mount["name"].as_str().unwrap();
            let volume = pod["volumes"].as_array().unwrap().iter().find(|volume| volume["name"] == name).unwrap();
            mounts.push((mount["mountPath"].as_str().unwrap().to_owned(), self.folder_of(volume)));
        }
        mounts
    }

    /// A claim is the same for every pod; anything else is the pod's own.
    fn folder_of(&self, volume: &Value) -> PathBuf {
        let own = self.folder.path().join(format!("pod-{}", self.pods)).join(volume["name"].as_str().unwrap());
        let claim = &volume["persistentVolumeClaim"]["claimName"];
        let folder = claim.as_str().map_or(own, |claim| self.folder.path().join("claims").join(claim));
        fs::create_dir_all(&folder).unwrap();
        if let Some(name) = volume["secret"]["secretName"].as_str() {
            write_secret(&self.secrets[name], &volume["secret"]["items"], &folder);
        }
        folder
    }

    fn variables(&self, objects: &Objects, container: &Value) -> BTreeMap<String, String> {
        let mut variables = BTreeMap::new();
        for from in container["envFrom"].as_array().into_iter().flatten() {
            let map = objects.get("ConfigMap", from["configMapRef"]["name"].as_str().unwrap());
            let text = |(name, value): (&String, &Value)| (name.clone(), value.as_str().unwrap().to_owned());
            variables.extend(map["data"].as_object().unwrap().iter().map(text));
        }
        for variable in container["env"].as_array().into_iter().flatten() {
            let from = &variable["valueFrom"]["secretKeyRef"];
            let text = |field: &Value| field.as_str().map(str::to_owned);
            let value = text(&variable["value"]).unwrap_or_else(|| {
                let secret = &self.secrets[from["name"].as_str().unwrap()];
                String::from_utf8(secret[from["key"].as_str().unwrap()].clone()).unwrap()
            });
            variables.insert(text(&variable["name"]).unwrap(), value);
        }
        variables
    }
}

/// The keys that are asked for, or all.
fn write_secret(secret: &BTreeMap<String, Vec<u8>>, items: &Value, folder: &Path) {
    let asked = |key: &str| items.as_array().is_none_or(|items| items.iter().any(|item| item["key"] == key));
    for (key, value) in secret.iter().filter(|(key, _)| asked(key)) {
        fs::write(folder.join(key), value).unwrap();
    }
}

/// `arg`, where a path below `there` is one below `here`.
fn moved(arg: &str, there: &str, here: &Path) -> String {
    let here = here.display();
    arg.replace(&format!("={there}"), &format!("={here}")).replace(&format!(",{there}"), &format!(",{here}"))
}
