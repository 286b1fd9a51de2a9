//! The files of a release.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::VERSION;
use crate::archive::{self, Entry, sum};
use crate::go_tools::go_tool;
use crate::image::{self, About};
use crate::shell::{cargo, command, read, root, run};
use crate::tools::Missing;

/// What goes beside the program.
const BESIDE: [&str; 3] = ["LICENSE", "README.md", "CHANGELOG.md"];

/// Puts all of them into `folder`, anew, with a list of their sums.
pub(super) fn make(folder: &Path, about: &About) -> Result<(), String> {
    let wrong = |error: std::io::Error| format!("{}: {error}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(wrong)?;
    }
    fs::create_dir_all(folder).map_err(wrong)?;
    program(folder, about)?;
    let image = image::folder();
    copy(&image.join(image::BUNDLE), &folder.join(format!("highstreet-{VERSION}-image.oci.tar")))?;
    copy(&image.join(image::SBOM), &folder.join(format!("highstreet-{VERSION}.cdx.json")))?;
    charts(folder)?;
    typescript(folder)?;
    python(folder)?;
    java(folder)?;
    go(folder, about)?;
    // Not published to crates.io: it shares a folder with what it depends on. Whoever wants it names the tag in git.
    let listed = read(cargo().args(["package", "--package", "highstreet-client", "--list", "--allow-dirty"]))?;
    println!("the Rust client has {} files, and is taken from the tag", listed.lines().count());
    sums(folder)
}

/// The static program, packed the same way each time.
fn program(folder: &Path, about: &About) -> Result<(), String> {
    let inside = PathBuf::from(format!("highstreet-{VERSION}-{}", image::TARGET));
    let mut entries = vec![Entry { path: inside.join("highstreet"), mode: 0o755, owner: 0 }];
    entries.extend(BESIDE.iter().map(|file| Entry { path: inside.join(file), mode: 0o644, owner: 0 }));
    let from = |path: &Path| match path.file_name() {
        Some(name) if name == "highstreet" => image::program(),
        name => root().join(name.unwrap_or_default()),
    };
    let packed = archive::gzip(&archive::tar(&entries, from, about.epoch)?)?;
    let path = folder.join(format!("{}.tar.gz", inside.display()));
    fs::write(&path, packed).map_err(|error| format!("{}: {error}", path.display()))
}

fn charts(folder: &Path) -> Result<(), String> {
    let helm = go_tool("helm", Missing::Install)?.ok_or("helm is not built")?;
    for chart in ["deploy/helm/context", "deploy/helm/highstreet"] {
        read(command(&helm).args(["package", chart, "--destination"]).arg(folder))?;
    }
    Ok(())
}

/// They were built before, with their tests.
fn typescript(folder: &Path) -> Result<(), String> {
    let mut pack = command("npm");
    pack.current_dir(root().join("sdk/typescript")).args(["pack", "--silent", "--pack-destination"]).arg(folder);
    read(&mut pack).map(drop)
}

fn python(folder: &Path) -> Result<(), String> {
    let python = root().join("sdk/python/.venv/bin/python");
    let mut build = command(python);
    build.current_dir(root().join("sdk/python")).args(["-m", "build", "--no-isolation", "--outdir"]).arg(folder);
    run(build.arg(".").stdout(Stdio::null()))
}

fn java(folder: &Path) -> Result<(), String> {
    run(command("mvn").args(["--quiet", "--batch-mode", "--file", "sdk/java", "package"]))?;
    let jar = format!("highstreet-client-{VERSION}.jar");
    copy(&root().join("sdk/java/target").join(&jar), &folder.join(&jar))
}

/// The module with its generated code, as its own repository has it.
fn go(folder: &Path, about: &About) -> Result<(), String> {
    let from = root().join("sdk/go");
    let files = archive::paths(&from, Path::new(""))?.into_iter().filter(|path| from.join(path).is_file());
    let entries: Vec<Entry> = files.map(|path| Entry { path, mode: 0o644, owner: 0 }).collect();
    let packed = archive::gzip(&archive::tar(&entries, |path| from.join(path), about.epoch)?)?;
    let path = folder.join(format!("highstreet-client-go-{VERSION}.tar.gz"));
    fs::write(&path, packed).map_err(|error| format!("{}: {error}", path.display()))
}

/// SHA256SUMS, as `sha256sum --check` reads it.
fn sums(folder: &Path) -> Result<(), String> {
    let mut lines = Vec::new();
    for path in archive::paths(folder, Path::new(""))? {
        let bytes = fs::read(folder.join(&path)).map_err(|error| format!("{}: {error}", path.display()))?;
        println!("{:>12}  {}", bytes.len(), path.display());
        lines.push(format!("{}  {}\n", sum(&bytes), path.display()));
    }
    fs::write(folder.join("SHA256SUMS"), lines.concat()).map_err(|error| format!("SHA256SUMS: {error}"))
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    fs::copy(from, to).map(drop).map_err(|error| format!("{}: {error}", from.display()))
}
