//! `cargo xtask kube-test`: the charts on a real Kubernetes.
//!
//! What decides is real: etcd, the API server with its admission, the controllers, the scheduler, Helm. The nodes are not:
//! no container runs, and what a kubelet would refuse is checked here instead.

mod api;
mod charts;
mod checks;
mod cluster;
mod helm;
mod parts;
mod process;
mod references;
mod story;
mod watch;

use std::fs;
use std::path::PathBuf;

use crate::go_tools::go_tool;
use crate::shell::root;
use crate::step::Steps;
use crate::tools::Missing;

/// Where the cluster keeps everything, unless somebody says otherwise.
const FOLDER: &str = "target/kube-test";

/// How to go about it.
#[derive(clap::Args)]
pub(crate) struct KubeTest {
    /// The folder of the cluster's data and logs; what is in it is removed first.
    #[arg(long, default_value = FOLDER)]
    folder: PathBuf,
    /// When all is done, or something failed, leaves the cluster running until a line is typed.
    #[arg(long)]
    hold: bool,
}

/// Starts a cluster, and plays the life of some releases on it.
pub(crate) fn everything(wanted: &KubeTest, steps: &mut Steps) {
    let folder = root().join(&wanted.folder);
    let mut tools = None;
    steps.take("Kubernetes", || {
        let helm = go_tool("helm", Missing::Install)?.ok_or("helm is not built")?;
        tools = Some((helm, parts::ensure()?));
        Ok(())
    });
    let Some((helm, parts)) = tools else { return };
    let mut cluster = None;
    steps.take("cluster", || {
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        let started = cluster::Cluster::start(&parts, &folder);
        cluster = Some(started.map_err(|why| format!("{why}\nlogs are in {}", folder.display()))?);
        Ok(())
    });
    let Some(cluster) = cluster else { return };
    story::play(steps, &cluster, &helm, &folder);
    if steps.failed() {
        println!("\nlogs are in {}", folder.display());
    }
    if wanted.hold {
        println!("the cluster runs: export KUBECONFIG={}/kubeconfig; type a line to end it", folder.display());
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).ok();
    }
}

// === impl KubeTest ===

impl KubeTest {
    /// As it is run before a release.
    pub(crate) fn released() -> Self {
        Self { folder: FOLDER.into(), hold: false }
    }
}
