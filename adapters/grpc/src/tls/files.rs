//! Something made of files, and made anew when they change.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::TlsError;

/// Files are not looked at more often.
const LOOKS_APART: Duration = Duration::from_secs(1);

/// Made of files.
pub(super) struct OfFiles<T> {
    files: Vec<PathBuf>,
    make: Make<T>,
    now: Mutex<Now<T>>,
}

type Make<T> = Box<dyn Fn() -> Result<T, TlsError> + Send + Sync>;
/// When a file was last written, and how long it is.
type Seen = Option<(SystemTime, u64)>;

struct Now<T> {
    made: Arc<T>,
    seen: Vec<Seen>,
    looked: Instant,
}

// === impl OfFiles ===

impl<T> OfFiles<T> {
    /// Made of `files` by `make`.
    pub(super) fn new(
        files: Vec<PathBuf>,
        make: impl Fn() -> Result<T, TlsError> + Send + Sync + 'static,
    ) -> Result<Self, TlsError> {
        let seen = look(&files);
        let made = Arc::new(make()?);
        Ok(Self { files, make: Box::new(make), now: Mutex::new(Now { made, seen, looked: Instant::now() }) })
    }

    /// As the files are now. Files that cannot be used, such as one of two that is being replaced, leave it as it was.
    pub(super) fn current(&self) -> Arc<T> {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if now.looked.elapsed() >= LOOKS_APART {
            now.looked = Instant::now();
            let seen = look(&self.files);
            if seen != now.seen {
                match (self.make)() {
                    Ok(made) => {
                        tracing::info!(files = ?self.files, "certificates were read again");
                        *now = Now { made: Arc::new(made), seen, looked: now.looked };
                    }
                    Err(error) => tracing::warn!(%error, "certificates changed and cannot be used: the old ones stay"),
                }
            }
        }
        now.made.clone()
    }
}

fn look(files: &[PathBuf]) -> Vec<Seen> {
    let seen = |file: &PathBuf| {
        let about = fs::metadata(file).ok()?;
        Some((about.modified().ok()?, about.len()))
    };
    files.iter().map(seen).collect()
}
