//! Archives that are the same, to the byte, for the same files.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder};
use sha2::{Digest as _, Sha256};
use tar::{Builder, EntryType, Header};

/// What stands in an archive besides bytes.
pub(crate) struct Entry {
    /// Where it is in the archive.
    pub(crate) path: PathBuf,
    /// Its permissions.
    pub(crate) mode: u32,
    /// The user and group that it belongs to.
    pub(crate) owner: u64,
}

/// Packs files and folders, each of which is at `from(path)` on this machine and as old as `epoch` says, in seconds since
/// 1970.
pub(crate) fn tar(entries: &[Entry], from: impl Fn(&Path) -> PathBuf, epoch: u64) -> Result<Vec<u8>, String> {
    let mut archive = Builder::new(Vec::new());
    for Entry { path, mode, owner } in entries {
        let from = from(path);
        let wrong = |error: std::io::Error| format!("{}: {error}", from.display());
        let mut header = Header::new_ustar();
        header.set_mtime(epoch);
        header.set_mode(*mode);
        header.set_uid(*owner);
        header.set_gid(*owner);
        if from.is_dir() {
            header.set_entry_type(EntryType::Directory);
            header.set_size(0);
            archive.append_data(&mut header, format!("{}/", path.display()), std::io::empty()).map_err(wrong)?;
        } else {
            let bytes = fs::read(&from).map_err(wrong)?;
            header.set_size(bytes.len() as u64);
            archive.append_data(&mut header, path, &bytes[..]).map_err(wrong)?;
        }
    }
    archive.into_inner().map_err(|error| format!("an archive: {error}"))
}

/// Packs bytes tightly.
pub(crate) fn gzip(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut packer = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    packer.write_all(bytes).and_then(|()| packer.finish()).map_err(|error| format!("an archive: {error}"))
}

/// Everything under `folder` of `root`, folders before what is in them, by name.
pub(crate) fn paths(root: &Path, folder: &Path) -> Result<Vec<PathBuf>, String> {
    let wrong = |error: std::io::Error| format!("{}: {error}", root.join(folder).display());
    let mut names = Vec::new();
    for entry in fs::read_dir(root.join(folder)).map_err(wrong)? {
        names.push(folder.join(entry.map_err(wrong)?.file_name()));
    }
    names.sort();
    let mut all = Vec::new();
    for path in names {
        let deeper = if root.join(&path).is_dir() { paths(root, &path)? } else { Vec::new() };
        all.push(path);
        all.extend(deeper);
    }
    Ok(all)
}

/// SHA-256, in hexadecimal.
pub(crate) fn sum(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Two letters for each byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let halves = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    halves.map(|half| char::from(b"0123456789abcdef"[usize::from(half)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_a_file_was_written_and_who_may_read_it_makes_no_difference() {
        let folder = tempfile::tempdir().unwrap();
        let pack = || {
            let entry = |path: &str, mode| Entry { path: path.into(), mode, owner: 7 };
            let entries = [entry("a", 0o755), entry("a/b", 0o644)];
            gzip(&tar(&entries, |path| folder.path().join(path), 1_000).unwrap()).unwrap()
        };
        fs::create_dir(folder.path().join("a")).unwrap();
        fs::write(folder.path().join("a/b"), "text").unwrap();
        let first = pack();
        fs::remove_file(folder.path().join("a/b")).unwrap();
        fs::write(folder.path().join("a/b"), "text").unwrap();
        let mut permissions = fs::metadata(folder.path().join("a/b")).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(folder.path().join("a/b"), permissions).unwrap();
        assert_eq!(pack(), first);
        fs::remove_file(folder.path().join("a/b")).unwrap();
        fs::write(folder.path().join("a/b"), "other").unwrap();
        assert_ne!(pack(), first);
    }

    #[test]
    fn a_sum_is_written_as_sha256sum_writes_it() {
        assert_eq!(sum(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn paths_come_by_name_with_folders_first() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b", "a/c", "a/b"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let found = paths(folder.path(), Path::new("")).unwrap();
        assert_eq!(found, ["a", "a/b", "a/c", "b"].map(PathBuf::from));
    }
}
