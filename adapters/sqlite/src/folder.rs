//! The data folder: one process has it at a time.

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// An open data folder, locked until dropped.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

/// Why a data folder cannot be used.
#[derive(Debug)]
pub enum FolderError {
    /// It cannot be created or written to.
    Unwritable(PathBuf, io::Error),
    /// Another process has it.
    Taken(PathBuf),
}

// === impl DataFolder ===

impl DataFolder {
    /// Opens the folder, creating it if needed.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let unwritable = |error| FolderError::Unwritable(path.into(), error);
        fs::create_dir_all(path).map_err(unwritable)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("highstreet.lock"))
            .map_err(unwritable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.into(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(FolderError::Taken(path.into())),
            Err(TryLockError::Error(error)) => Err(unwritable(error)),
        }
    }

    /// The file in which something called `name` is kept.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}.db"))
    }
}

// === impl FolderError ===

impl fmt::Display for FolderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unwritable(path, error) => {
                write!(f, "cannot write to the data folder {}: {error}; name another with --data", path.display())
            }
            Self::Taken(path) => write!(
                f,
                "another process is using the data folder {}; stop it, or name another with --data",
                path.display()
            ),
        }
    }
}

impl std::error::Error for FolderError {}
