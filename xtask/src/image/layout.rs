//! The image as an OCI layout: layers, what they are run with, and an index; in a folder, and as one file.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};

use super::About;
use super::files::{OWNED, PROGRAM, USER};
use crate::archive::{self, Entry, sum};
use crate::servers::is_root;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// The name of the folder, and of the file with `.tar`.
const NAME: &str = "highstreet-image";

/// A layer: packed, and what it is called unpacked.
struct Layer {
    packed: Vec<u8>,
    unpacked: String,
}

/// Writes the layout of `folder`'s file system beside it. Returns how many bytes a machine fetches that has none of it.
pub(super) fn write(folder: &Path, about: &About) -> Result<u64, String> {
    let files = folder.join("root");
    let all = archive::paths(&files, Path::new(""))?;
    // What changes with every version lies above what seldom does.
    let (above, below): (Vec<PathBuf>, Vec<PathBuf>) = all.into_iter().partition(|path| changes(path));
    let layers = [pack(&files, below, about.epoch)?, pack(&files, above, about.epoch)?];

    let layout = folder.join(NAME);
    if layout.exists() {
        fs::remove_dir_all(&layout).map_err(|error| format!("{}: {error}", layout.display()))?;
    }
    let blobs = layout.join("blobs/sha256");
    fs::create_dir_all(&blobs).map_err(|error| format!("{}: {error}", blobs.display()))?;
    let mut described = Vec::new();
    for layer in &layers {
        described.push(blob(&blobs, LAYER, &layer.packed)?);
    }
    let config = blob(&blobs, CONFIG, &to_bytes(&config(&layers, about)))?;
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": described,
        "annotations": annotations(about),
    });
    let mut manifest = blob(&blobs, MANIFEST, &to_bytes(&manifest))?;
    let fetched = described.iter().chain([&config, &manifest]).filter_map(|blob| blob["size"].as_u64()).sum();
    manifest["platform"] = json!({"architecture": "amd64", "os": "linux"});
    manifest["annotations"] = json!({
        "org.opencontainers.image.ref.name": about.version,
        // What it is called where it is loaded; the charts ask for it by that name.
        "io.containerd.image.name": format!("docker.io/library/highstreet:{}", about.version),
    });
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [manifest]});
    put(&layout.join("index.json"), &to_bytes(&index))?;
    put(&layout.join("oci-layout"), &to_bytes(&json!({"imageLayoutVersion": "1.0.0"})))?;
    put(&folder.join(format!("{NAME}.tar")), &bundle(&layout, about.epoch)?)?;
    Ok(fetched)
}

/// The digest by which the image is called.
pub(super) fn digest(folder: &Path) -> Result<String, String> {
    let index = read_json(&folder.join(NAME).join("index.json"))?;
    let digest = index["manifests"][0]["digest"].as_str().map(str::to_owned);
    digest.ok_or_else(|| format!("{NAME}/index.json names no image"))
}

/// Unpacks the image as whoever runs it would: from its index, layer by layer.
pub(super) fn unpack(folder: &Path, to: &Path) -> Result<Value, String> {
    let layout = folder.join(NAME);
    let blob = |digest: &Value| {
        let digest = digest.as_str().and_then(|digest| digest.strip_prefix("sha256:")).unwrap_or_default();
        let path = layout.join("blobs/sha256").join(digest);
        let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        if sum(&bytes) == digest { Ok(bytes) } else { Err(format!("{} is not what it is called", path.display())) }
    };
    let parse = |bytes: Vec<u8>| serde_json::from_slice::<Value>(&bytes).map_err(|error| format!("{NAME}: {error}"));
    let index = read_json(&layout.join("index.json"))?;
    let manifest = parse(blob(&index["manifests"][0]["digest"])?)?;
    for layer in manifest["layers"].as_array().into_iter().flatten() {
        let packed = blob(&layer["digest"])?;
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&packed[..]));
        archive.set_preserve_permissions(true);
        archive.set_preserve_ownerships(is_root());
        archive.unpack(to).map_err(|error| format!("{}: {error}", to.display()))?;
    }
    parse(blob(&manifest["config"]["digest"])?)
}

fn changes(path: &Path) -> bool {
    path == Path::new(PROGRAM) || path.starts_with("usr/share")
}

fn config(layers: &[Layer], about: &About) -> Value {
    let unpacked: Vec<&str> = layers.iter().map(|layer| layer.unpacked.as_str()).collect();
    json!({
        "architecture": "amd64",
        "os": "linux",
        "created": created(about),
        "config": {
            "User": format!("{USER}:{USER}"),
            "ExposedPorts": {"8088/tcp": {}, "8089/tcp": {}},
            "Env": ["PATH=/usr/bin", "HIGHSTREET_DATA=/data", "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"],
            "Entrypoint": [format!("/{PROGRAM}")],
            "Cmd": ["serve"],
            "Volumes": {"/data": {}},
            "WorkingDir": "/",
            "StopSignal": "SIGTERM",
            "Labels": annotations(about),
            // Not of the OCI's, but Docker heeds it.
            "Healthcheck": {
                "Test": ["CMD", format!("/{PROGRAM}"), "healthcheck"], "Interval": 10_000_000_000_u64,
                "Timeout": 5_000_000_000_u64, "StartPeriod": 10_000_000_000_u64, "Retries": 3
            },
        },
        "rootfs": {"type": "layers", "diff_ids": unpacked},
        "history": layers.iter().map(|_| json!({"created": created(about), "created_by": "cargo xtask image"}))
            .collect::<Vec<_>>(),
    })
}

fn annotations(about: &About) -> Value {
    let mut annotations = json!({
        "org.opencontainers.image.title": "highstreet",
        "org.opencontainers.image.description": "The back office of a high street: every context, in one program",
        "org.opencontainers.image.licenses": env!("CARGO_PKG_LICENSE"),
        "org.opencontainers.image.version": about.version,
        "org.opencontainers.image.created": created(about),
    });
    if let Some(revision) = &about.revision {
        annotations["org.opencontainers.image.revision"] = json!(revision);
    }
    annotations
}

/// When the sources were written, as RFC 3339 has it.
fn created(about: &About) -> String {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(about.epoch)).to_string()
}

/// Packs these paths of the file system.
fn pack(files: &Path, paths: Vec<PathBuf>, epoch: u64) -> Result<Layer, String> {
    let entry = |path: PathBuf| {
        let owned = OWNED.iter().any(|folder| path == Path::new(folder));
        let runs = path == Path::new(PROGRAM) || files.join(&path).is_dir();
        let mode = if owned { 0o700 } else { 0o644 | if runs { 0o111 } else { 0 } };
        Entry { mode, owner: if owned { USER } else { 0 }, path }
    };
    let entries: Vec<Entry> = paths.into_iter().map(entry).collect();
    let archive = archive::tar(&entries, |path| files.join(path), epoch)?;
    Ok(Layer { packed: archive::gzip(&archive)?, unpacked: format!("sha256:{}", sum(&archive)) })
}

/// The layout as one file, for what loads images from files.
fn bundle(layout: &Path, epoch: u64) -> Result<Vec<u8>, String> {
    let mut files = archive::paths(layout, Path::new(""))?;
    files.retain(|path| layout.join(path).is_file());
    let entries: Vec<Entry> = files.into_iter().map(|path| Entry { path, mode: 0o644, owner: 0 }).collect();
    archive::tar(&entries, |path| layout.join(path), epoch)
}

fn blob(blobs: &Path, kind: &str, bytes: &[u8]) -> Result<Value, String> {
    let sum = sum(bytes);
    put(&blobs.join(&sum), bytes)?;
    Ok(json!({"mediaType": kind, "digest": format!("sha256:{sum}"), "size": bytes.len()}))
}

fn to_bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), String> {
    fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
}

fn read_json(path: &Path) -> Result<Value, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about() -> About {
        About { version: "1.2.3".into(), revision: Some("abc".into()), epoch: 1_700_000_000 }
    }

    /// A file system that has what the image's has, and a program that is none.
    fn made() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in [(PROGRAM, "program"), ("etc/passwd", "root"), ("data/x", "")] {
            let path = folder.path().join("root").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn the_same_files_are_the_same_image() {
        let (one, other) = (made(), made());
        assert_eq!(write(one.path(), &about()).unwrap(), write(other.path(), &about()).unwrap());
        assert_eq!(digest(one.path()).unwrap(), digest(other.path()).unwrap());
        let bundle = |folder: &Path| fs::read(folder.join("highstreet-image.tar")).unwrap();
        assert!(bundle(one.path()) == bundle(other.path()), "the files differ");
        fs::write(other.path().join("root").join(PROGRAM), "another program").unwrap();
        write(other.path(), &about()).unwrap();
        assert_ne!(digest(one.path()).unwrap(), digest(other.path()).unwrap());
    }

    #[test]
    fn what_is_unpacked_is_what_was_packed() {
        let (folder, to) = (made(), tempfile::tempdir().unwrap());
        write(folder.path(), &about()).unwrap();
        let config = unpack(folder.path(), to.path()).unwrap();
        assert_eq!(config["config"]["User"], "65532:65532");
        assert_eq!(config["created"], "2023-11-14T22:13:20Z");
        assert_eq!(fs::read_to_string(to.path().join(PROGRAM)).unwrap(), "program");
    }

    #[test]
    fn a_blob_that_was_changed_is_found() {
        let (folder, to) = (made(), tempfile::tempdir().unwrap());
        write(folder.path(), &about()).unwrap();
        for entry in fs::read_dir(folder.path().join(NAME).join("blobs/sha256")).unwrap() {
            fs::write(entry.unwrap().path(), "{}").unwrap();
        }
        assert!(unpack(folder.path(), to.path()).unwrap_err().contains("is not what it is called"));
    }
}
