//! `cargo xtask image`: the container image, without a daemon.
//!
//! One static program and what it needs, as an OCI layout and as one file of it: two runs, on any machine, in any folder,
//! write the same bytes. The Containerfile makes the same file system.

mod files;
mod layout;
mod program;
mod sbom;
mod smoke;

use std::fs;
use std::path::{Path, PathBuf};

use crate::shell::{command, read, root};
use crate::step::Steps;

/// Where it goes, unless somebody says otherwise.
const FOLDER: &str = "target/image";

/// What a machine fetches that has none of it may not be more than this.
const MOST: u64 = 40 * 1024 * 1024;

/// What to make.
#[derive(clap::Args)]
pub(crate) struct Image {
    /// Where it goes; what is there is replaced.
    #[arg(long, default_value = FOLDER)]
    folder: PathBuf,
    /// Only the file system, in this folder: for the Containerfile.
    #[arg(long)]
    root_only: bool,
    /// Builds everything a second time, in a copy of the repository somewhere else, and compares.
    #[arg(long, conflicts_with = "root_only")]
    twice: bool,
}

/// The image as one file, in the folder of the image.
pub(crate) const BUNDLE: &str = "highstreet-image.tar";

pub(crate) use files::SBOM;
pub(crate) use program::TARGET;

/// What an image says of itself.
pub(crate) struct About {
    /// The version of everything.
    pub(crate) version: String,
    /// The commit, or nothing where there is no repository.
    revision: Option<String>,
    /// When the sources were written, in seconds since 1970: the last commit's time.
    pub(crate) epoch: u64,
}

/// Where an image lies that nobody asked for elsewhere.
pub(crate) fn folder() -> PathBuf {
    root().join(FOLDER)
}

/// The image's program, once it is built.
pub(crate) fn program() -> PathBuf {
    folder().join("root").join(files::PROGRAM)
}

/// Makes the image, and tries it out.
pub(crate) fn everything(wanted: &Image, steps: &mut Steps) {
    let folder = root().join(&wanted.folder);
    let mut made = None;
    steps.take("image: program", || {
        let about = About::of_sources()?;
        program::build(&root(), &program::target_folder(), &about).map(|program| made = Some((program, about)))
    });
    let Some((program, about)) = made else { return };
    steps.take("image: files", || files::write(&folder, &program, &about));
    if wanted.root_only {
        return;
    }
    steps.take("image: layout", || {
        let size = layout::write(&folder, &about)?;
        if size > MOST {
            return Err(format!("the image takes {size} bytes, and may take {MOST}: see what the program has become"));
        }
        println!("{size} bytes, {}", layout::digest(&folder)?);
        Ok(())
    });
    steps.take("image: runs", || smoke::test(&folder));
    if wanted.twice {
        steps.take("image: again", || again(&folder, &about));
    }
}

/// Builds it once more, in another folder, with nothing that was built before.
fn again(folder: &Path, about: &About) -> Result<(), String> {
    let (copy, other) = (folder.join("again/sources"), folder.join("again"));
    crate::sources::copy_repository(&copy, &[])?;
    let program = program::build(&copy, &other.join("target"), about)?;
    files::write(&other, &program, about)?;
    layout::write(&other, about)?;
    let (first, second) = (layout::digest(folder)?, layout::digest(&other)?);
    if first != second {
        let where_ = other.display();
        return Err(format!(
            "two builds differ: {first} and {second}; compare {where_}/root with {}",
            folder.display()
        ));
    }
    println!("{second}, again");
    fs::remove_dir_all(&other).map_err(|error| format!("{}: {error}", other.display()))
}

// === impl Image ===

impl Image {
    /// What is released: made twice, if it is to be published.
    pub(crate) fn released(twice: bool) -> Self {
        Self { folder: FOLDER.into(), root_only: false, twice }
    }
}

// === impl About ===

impl About {
    /// What the sources say: Cargo.toml, and the last commit.
    pub(crate) fn of_sources() -> Result<Self, String> {
        let git = |arguments: &[&str]| read(command("git").args(arguments)).map(|text| text.trim().to_owned());
        let epoch =
            std::env::var("SOURCE_DATE_EPOCH").or_else(|_| git(&["log", "-1", "--format=%ct"])).map_err(|why| {
                format!("{why}: say in SOURCE_DATE_EPOCH when the sources were written, in seconds since 1970")
            })?;
        let epoch =
            epoch.parse().map_err(|_| format!("SOURCE_DATE_EPOCH is {epoch}, and must be seconds since 1970"))?;
        let revision = std::env::var("HIGHSTREET_REVISION").or_else(|_| git(&["rev-parse", "HEAD"])).ok();
        Ok(Self { version: env!("CARGO_PKG_VERSION").into(), revision, epoch })
    }
}
