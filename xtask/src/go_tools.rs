//! Tools that Go builds: each at the version of its module in tools/go, which pins whatever it is built from.

use std::fs;
use std::path::{Path, PathBuf};

use crate::servers::is_root;
use crate::shell::{command, read, root, run, succeeds};
use crate::tools::Missing;

/// The oldest Go that reads `tool` lines; a newer one that a module wants it fetches by itself.
const OLDEST: (u32, u32) = (1, 24);

/// A tool as tools/go/NAME/go.mod says it.
#[derive(Debug, PartialEq, Eq)]
struct Pinned {
    package: String,
    version: String,
}

/// Where the tool called `name` is, which tools/go/NAME pins; `None` if it is not built and is not to be.
pub(crate) fn go_tool(name: &str, missing: Missing) -> Result<Option<PathBuf>, String> {
    let module = root().join("tools/go").join(name);
    let file = module.join("go.mod");
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let Pinned { package, version } = Pinned::read(&text)
        .ok_or_else(|| format!("{}: it has no tool line, or requires no version of it", file.display()))?;
    let folder = kept()?.join(format!("{name}-{version}"));
    let program = folder.join(name);
    if program.exists() {
        return Ok(Some(program));
    }
    if !go(missing)? {
        return Ok(None);
    }
    println!("building {name} {version}; this takes a few minutes, once");
    build(&module, &package, link_flags(name), &folder).map(|()| Some(program))
}

/// What a tool's own makefile says to the linker. Without it helm takes clusters that it does not ask for version 1.20.
fn link_flags(name: &str) -> &'static str {
    match name {
        "helm" => {
            "-s -w \
             -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1 -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=36 \
             -X helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor=1 -X helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor=36"
        }
        _ => "-s -w",
    }
}

/// Builds `package` into `folder`, which is there only once it is whole: several runs may build the same.
fn build(module: &Path, package: &str, link_flags: &str, folder: &Path) -> Result<(), String> {
    let unfinished = folder.with_file_name(format!("unfinished-{}", std::process::id()));
    run(command("go")
        .current_dir(module)
        .args(["install", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", link_flags, package])
        .env("GOBIN", &unfinished)
        .env_remove("GOFLAGS"))?;
    // Somebody else was faster: what they built is the same.
    if fs::rename(&unfinished, folder).is_err() {
        let _ = fs::remove_dir_all(&unfinished);
    }
    Ok(())
}

/// Where built tools are kept, for all checkouts.
pub(crate) fn kept() -> Result<PathBuf, String> {
    let cache = std::env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    let cache = cache.or_else(home).ok_or("there is no home to keep built tools in: set HOME or XDG_CACHE_HOME")?;
    Ok(cache.join("highstreet/go"))
}

/// Whether a Go that is new enough is there by now.
pub(crate) fn go(missing: Missing) -> Result<bool, String> {
    if is_new_enough() {
        return Ok(true);
    }
    if missing == Missing::Skip {
        return Ok(false);
    }
    let (major, minor) = OLDEST;
    let by_hand = format!("Go {major}.{minor} or newer is missing: install it, or use --quick");
    if succeeds(command("go").arg("version")) || !is_root() || !succeeds(command("apt-get").arg("--version")) {
        return Err(by_hand);
    }
    println!("Go is missing: installing it");
    run(command("apt-get").args(["update", "--quiet"]))?;
    run(command("apt-get").args(["install", "--yes", "--quiet", "--no-install-recommends", "golang-go"]))
        .map_err(|why| format!("{why}: {by_hand}"))?;
    if is_new_enough() { Ok(true) } else { Err(format!("this system's own Go is too old: {by_hand}")) }
}

fn is_new_enough() -> bool {
    let told = read(command("go").args(["env", "GOVERSION"])).unwrap_or_default();
    version(told.trim()).is_some_and(|version| version >= OLDEST)
}

/// Reads `go1.26.8`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.strip_prefix("go")?.split(|letter: char| !letter.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

// === impl Pinned ===

impl Pinned {
    fn read(text: &str) -> Option<Self> {
        let package = text.lines().find_map(|line| line.strip_prefix("tool "))?.trim().to_owned();
        let required = text.lines().filter_map(|line| {
            let mut words = line.trim().trim_start_matches("require ").split(' ');
            let (module, version) = (words.next()?, words.next()?);
            let within = package.strip_prefix(module)?;
            (version.starts_with('v') && (within.is_empty() || within.starts_with('/'))).then_some((module, version))
        });
        // A module may lie in the folder of another one.
        let (_, version) = required.max_by_key(|(module, _)| module.len())?;
        Some(Self { version: version.to_owned(), package })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_and_its_version_are_read() {
        let text = "module m\n\ngo 1.24\n\ntool helm.sh/helm/v3/cmd/helm\n\nrequire (\n\thelm.sh/helm v1.0.0\n\t\
                    helm.sh/helm/v3 v3.2.1 // indirect\n)\n";
        let helm = Pinned { package: "helm.sh/helm/v3/cmd/helm".into(), version: "v3.2.1".into() };
        assert_eq!(Pinned::read(text), Some(helm));
        assert_eq!(Pinned::read("module m\n\ngo 1.24\n"), None);
    }

    #[test]
    fn versions_of_go_are_compared_as_numbers() {
        assert_eq!(version("go1.26.8"), Some((1, 26)));
        assert_eq!(version("go1.9"), Some((1, 9)));
        assert!(version("go1.9") < Some(OLDEST));
        assert_eq!(version("devel"), None);
    }

    #[test]
    fn every_tool_is_pinned() {
        for name in ["helm", "kubeconform", "kube-score"] {
            let text = fs::read_to_string(root().join("tools/go").join(name).join("go.mod")).expect("a module");
            let pinned = Pinned::read(&text).expect("a tool and its version");
            assert!(pinned.package.ends_with(name), "{pinned:?}");
        }
    }
}
