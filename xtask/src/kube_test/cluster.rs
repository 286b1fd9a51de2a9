//! A cluster on loopback: everything of Kubernetes that decides, and three nodes that are not there.
//!
//! etcd, the API server with the admission plugins it has by default, the controllers and the scheduler are the real
//! ones. The nodes are simulated: kwok says of pods what a kubelet would, and no container runs.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::api::{Api, eventually, is};
use super::parts::Parts;
use super::process::{Process, free_port, ours};
use crate::archive::hex;
use crate::shell::{command, read};

/// A cluster that ends when this is dropped.
pub(super) struct Cluster {
    /// How to reach it.
    pub(super) api: Api,
    /// In the order in which they were started.
    processes: Vec<Process>,
    folder: PathBuf,
}

// === impl Cluster ===

impl Cluster {
    /// Starts one that knows nothing yet; everything of it is in `folder`.
    pub(super) fn start(parts: &Parts, folder: &Path) -> Result<Self, String> {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let api = Api {
            kubectl: parts.program("kubectl"),
            kubeconfig: folder.join("kubeconfig"),
            cache: folder.join("kubectl-cache"),
        };
        let mut cluster = Self { api, processes: Vec::new(), folder: folder.to_owned() };
        cluster.start_api(parts)?;
        cluster.start_controllers(parts)?;
        cluster.make_nodes(parts)?;
        cluster.define(parts)?;
        Ok(cluster)
    }

    fn start_api(&mut self, parts: &Parts) -> Result<(), String> {
        let (clients, peers, port) = (free_port()?, free_port()?, free_port()?);
        let at = |port: u16| format!("http://127.0.0.1:{port}");
        let store = [
            "--name=kube-test".into(),
            "--data-dir=etcd".into(),
            format!("--listen-client-urls={}", at(clients)),
            format!("--advertise-client-urls={}", at(clients)),
            format!("--listen-peer-urls={}", at(peers)),
            format!("--initial-advertise-peer-urls={}", at(peers)),
            format!("--initial-cluster=kube-test={}", at(peers)),
            "--log-level=warn".into(),
            // Nothing of it outlives the run.
            "--unsafe-no-fsync".into(),
        ];
        self.launch("etcd", parts, &store)?;
        let key = "service-accounts.pem";
        read(command("openssl").current_dir(&self.folder).args(["genrsa", "-out", key, "2048"]))
            .map_err(|why| format!("{why}: install openssl, which makes the key of service accounts"))?;
        let token = secret()?;
        write_secret(&self.folder.join("tokens.csv"), &format!("{token},kube-test,kube-test,system:masters\n"))?;
        let server = [
            format!("--etcd-servers={}", at(clients)),
            "--bind-address=127.0.0.1".into(),
            format!("--secure-port={port}"),
            // It makes its own certificate there.
            "--cert-dir=certificates".into(),
            "--token-auth-file=tokens.csv".into(),
            "--authorization-mode=Node,RBAC".into(),
            "--service-cluster-ip-range=10.96.0.0/16".into(),
            "--service-account-issuer=https://kubernetes.default.svc".into(),
            format!("--service-account-key-file={key}"),
            format!("--service-account-signing-key-file={key}"),
            // An address that is nobody's: there is no other server to tell where this one is.
            "--advertise-address=192.0.2.1".into(),
            "--endpoint-reconciler-type=none".into(),
        ];
        self.launch("kube-apiserver", parts, &server)?;
        self.write_kubeconfig(port, &token)?;
        self.wait("the API server answers", |api| api.run(&["get", "--raw", "/readyz"]))
    }

    fn start_controllers(&mut self, parts: &Parts) -> Result<(), String> {
        let kubeconfig = "--kubeconfig=kubeconfig".to_owned();
        let alone = ["--leader-elect=false".to_owned(), "--kube-api-qps=500".into(), "--kube-api-burst=1000".into()];
        let controllers = [
            kubeconfig.clone(),
            "--bind-address=127.0.0.1".into(),
            "--secure-port=0".into(),
            "--service-account-private-key-file=service-accounts.pem".into(),
            "--root-ca-file=certificates/apiserver.crt".into(),
            "--use-service-account-credentials=true".into(),
            "--horizontal-pod-autoscaler-sync-period=2s".into(),
        ];
        self.launch("kube-controller-manager", parts, &[&controllers[..], &alone].concat())?;
        let port = format!("--secure-port={}", free_port()?);
        let scheduler = [kubeconfig.clone(), "--bind-address=127.0.0.1".into(), port, "--cert-dir=certificates".into()];
        self.launch("kube-scheduler", parts, &[&scheduler[..], &alone].concat())?;
        let address = format!("--server-address=127.0.0.1:{}", free_port()?);
        let mut nodes = vec![
            kubeconfig,
            address,
            "--manage-all-nodes".into(),
            // Said again every ten seconds: a node that is silent for forty is taken for lost.
            "--node-lease-duration-seconds=40".into(),
            "--node-ip=192.0.2.2".into(),
            "--cidr=10.64.0.0/16".into(),
        ];
        let stages = parts.stages.iter().cloned().chain([ours("tools/kube/stages.yaml")]);
        nodes.extend(stages.map(|stages| format!("--config={}", stages.display())));
        self.launch("kwok", parts, &nodes)
    }

    fn make_nodes(&mut self, parts: &Parts) -> Result<(), String> {
        let apply = |path: PathBuf| self.api.run(&["apply", "--filename", &path.to_string_lossy()]);
        apply(ours("tools/kube/nodes.yaml"))?;
        apply(parts.storage.clone())?;
        self.wait("three nodes are ready", |api| {
            let ready = api.all("default", "nodes")?.iter().filter(|node| is(node, "Ready")).count();
            if ready == 3 { Ok(()) } else { Err(format!("{ready} of 3 are")) }
        })
    }

    /// Tells the API server of resources that it does not have by itself.
    fn define(&mut self, parts: &Parts) -> Result<(), String> {
        for definition in &parts.definitions {
            // They are too long for what kubectl else writes into an annotation.
            self.api.run(&["apply", "--server-side", "--filename", &definition.to_string_lossy()])?;
        }
        let wanted = parts.definitions.len();
        self.wait("the definitions are established", |api| {
            let there = api.all("default", "customresourcedefinitions")?;
            let established = there.iter().filter(|definition| is(definition, "Established")).count();
            if established == wanted { Ok(()) } else { Err(format!("{established} of {wanted} are")) }
        })
    }

    fn launch(&mut self, name: &'static str, parts: &Parts, arguments: &[String]) -> Result<(), String> {
        self.processes.push(Process::start(name, &parts.program(name), arguments, &self.folder)?);
        Ok(())
    }

    /// Waits until it holds, as long as all processes run.
    fn wait(&mut self, what: &str, holds: impl Fn(&Api) -> Result<(), String>) -> Result<(), String> {
        let Self { api, processes, .. } = self;
        // An answer that says that waiting is no use ends it at once.
        eventually(what, || match processes.iter_mut().try_for_each(Process::runs) {
            Ok(()) => holds(api).map(Ok),
            Err(ended) => Ok(Err(ended)),
        })?
    }

    fn write_kubeconfig(&self, port: u16, token: &str) -> Result<(), String> {
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: kube-test\n\
             clusters:\n- name: kube-test\n  cluster:\n    server: https://127.0.0.1:{port}\n    \
             certificate-authority: certificates/apiserver.crt\n\
             users:\n- name: kube-test\n  user:\n    token: {token}\n\
             contexts:\n- name: kube-test\n  context:\n    cluster: kube-test\n    user: kube-test\n"
        );
        write_secret(&self.folder.join("kubeconfig"), &text)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The last one first: what would miss another ends before it.
        while let Some(process) = self.processes.pop() {
            drop(process);
        }
    }
}

/// A word that nobody guesses.
fn secret() -> Result<String, String> {
    let mut bytes = [0; 16];
    let random = fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    random.map_err(|error| format!("/dev/urandom: {error}"))?;
    Ok(hex(&bytes))
}

fn write_secret(path: &Path, text: &str) -> Result<(), String> {
    use std::io::Write as _;
    let file = fs::File::options().write(true).create(true).truncate(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| format!("{}: {error}", path.display()))
}
