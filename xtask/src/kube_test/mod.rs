//! `cargo xtask kube-test`: the charts on a real Kubernetes.

mod api;
mod cluster;
mod parts;
mod process;

use std::fs;
use std::path::PathBuf;

use crate::shell::root;
use crate::step::Steps;

/// How to go about it.
#[derive(clap::Args)]
pub(crate) struct KubeTest {
    /// The folder of the cluster's data and logs; what is in it is removed first.
    #[arg(long, default_value = "target/kube-test")]
    folder: PathBuf,
    /// When all is done, or something failed, leaves the cluster running until a line is typed.
    #[arg(long)]
    hold: bool,
}

pub(crate) fn everything(wanted: &KubeTest, steps: &mut Steps) {
    let folder = root().join(&wanted.folder);
    let mut parts = None;
    steps.take("Kubernetes", || parts::ensure().map(|found| parts = Some(found)));
    let Some(parts) = parts else { return };
    let mut cluster = None;
    steps.take("cluster", || {
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        cluster::Cluster::start(&parts, &folder).map(|started| cluster = Some(started))
    });
    if wanted.hold {
        println!("the cluster runs: export KUBECONFIG={}/kubeconfig; type a line to end it", folder.display());
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).ok();
    }
}
