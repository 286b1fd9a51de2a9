//! A copy of a data folder as it was at one instant, taken while somebody works in it.
//!
//! Contexts rely on one another: a payment that is there without its order would be undone. So all files are held for
//! the moment that it takes to begin reading each of them, a few milliseconds in which no context commits; what is read
//! after that is what they held then.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

/// How long the group of commits that is under way may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pages at a time; nothing waits for it.
const PAGES: i32 = 1024;

/// What a backup holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackedUp {
    /// Of so many contexts, and the bus.
    pub files: usize,
    /// Their size together, in bytes.
    pub bytes: u64,
}

/// Why there is no backup.
#[derive(Debug)]
pub enum BackupError {
    /// There is no data folder, or nothing in it.
    Nothing(PathBuf),
    /// What is there is not overwritten.
    Exists(PathBuf),
    /// The copy cannot be written.
    Unwritable(PathBuf, io::Error),
    /// A file cannot be read or copied.
    Sqlite(PathBuf, rusqlite::Error),
    /// What was copied is not sound.
    Unsound(PathBuf, String),
}

/// Copies every file of the data folder `from` into a new folder `to`, which is there when all of it is, or not at all.
/// The copy is a data folder itself. Blocks.
pub fn back_up(from: &Path, to: &Path) -> Result<BackedUp, BackupError> {
    let files = files(from)?;
    if to.exists() {
        return Err(BackupError::Exists(to.into()));
    }
    let unwritable = |error| BackupError::Unwritable(to.into(), error);
    let part = to.with_added_extension("part");
    if part.exists() {
        // Of a backup that did not come to its end.
        fs::remove_dir_all(&part).map_err(unwritable)?;
    }
    fs::create_dir_all(&part).map_err(unwritable)?;
    let mut bytes = 0;
    for (file, reader) in files.iter().zip(at_one_instant(&files)?) {
        let copy = part.join(file.file_name().unwrap_or_default());
        write_copy(&reader, &copy)?;
        bytes += fs::metadata(&copy).map_err(unwritable)?.len();
    }
    sync(&part).and_then(|()| fs::rename(&part, to)).map_err(unwritable)?;
    sync(to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))).map_err(unwritable)?;
    Ok(BackedUp { files: files.len(), bytes })
}

/// The files of a data folder, in one order for everybody who holds them all.
fn files(folder: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let entries = fs::read_dir(folder).map_err(|_| BackupError::Nothing(folder.into()))?;
    let paths = entries.flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|it| it == "db")).collect();
    files.sort();
    if files.is_empty() { Err(BackupError::Nothing(folder.into())) } else { Ok(files) }
}

/// A reader of each file, all of which see what was committed at the same instant.
fn at_one_instant(files: &[PathBuf]) -> Result<Vec<Connection>, BackupError> {
    let mut holders = Vec::new();
    for file in files {
        holders.push(connect(file, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(|error| wrong(file, error))?);
    }
    let mut held = Vec::new();
    for (file, holder) in files.iter().zip(&mut holders) {
        // Whoever commits now is waited for; whoever wants to waits.
        held.push(
            holder.transaction_with_behavior(TransactionBehavior::Immediate).map_err(|error| wrong(file, error))?,
        );
    }
    let begin = |file: &PathBuf| {
        let reader = connect(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        // A transaction begins with what it reads first.
        reader.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema;")?;
        Ok(reader)
    };
    let readers = files.iter().map(|file| begin(file).map_err(|error| wrong(file, error)));
    let readers = readers.collect::<Result<Vec<_>, _>>();
    drop(held);
    readers
}

fn connect(file: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(PATIENCE)?;
    Ok(connection)
}

fn write_copy(reader: &Connection, copy: &Path) -> Result<(), BackupError> {
    let copied = || {
        let mut writer = Connection::open(copy)?;
        // Within the reader's transaction: whatever is committed meanwhile does not concern it.
        Backup::new(reader, &mut writer)?.run_to_completion(PAGES, Duration::ZERO, None)?;
        writer.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
    };
    let found = copied().map_err(|error| wrong(copy, error))?;
    if found != "ok" {
        return Err(BackupError::Unsound(copy.into(), found));
    }
    sync(copy).map_err(|error| BackupError::Unwritable(copy.into(), error))
}

fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn wrong(path: &Path, error: rusqlite::Error) -> BackupError {
    BackupError::Sqlite(path.into(), error)
}

// === impl BackupError ===

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing(folder) => {
                write!(f, "there is nothing to back up in {}: name the data folder", folder.display())
            }
            Self::Exists(folder) => {
                write!(f, "{} is there already: name a new folder for the backup", folder.display())
            }
            Self::Unwritable(path, error) => write!(f, "cannot write {}: {error}", path.display()),
            Self::Sqlite(path, error) => write!(f, "cannot copy {}: {error}", path.display()),
            Self::Unsound(path, found) => {
                write!(f, "{} is damaged ({found}): restore the backup before this one", path.display())
            }
        }
    }
}

impl std::error::Error for BackupError {}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use super::*;

    fn file(folder: &Path, name: &str) -> Connection {
        let connection = Connection::open(folder.join(name)).unwrap();
        connection.busy_timeout(PATIENCE).unwrap();
        connection.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS numbers (number)").unwrap();
        connection
    }

    fn numbers(folder: &Path, name: &str) -> i64 {
        let connection = Connection::open(folder.join(name)).unwrap();
        connection.query_row("SELECT count(*) FROM numbers", [], |row| row.get(0)).unwrap()
    }

    /// Whoever writes the second file has written the first: no copy may show it the other way round.
    #[test]
    fn a_copy_is_of_one_instant() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (first, second) = (file(from.path(), "b.db"), file(from.path(), "a.db"));
        let over = Arc::new(AtomicBool::new(false));
        let ended = over.clone();
        let writer = thread::spawn(move || {
            while !ended.load(Ordering::SeqCst) {
                first.execute("INSERT INTO numbers VALUES (1)", []).unwrap();
                second.execute("INSERT INTO numbers VALUES (1)", []).unwrap();
            }
        });
        for round in 0..20 {
            let copy = to.path().join(format!("copy-{round}"));
            let done = back_up(from.path(), &copy).unwrap();
            assert_eq!(done.files, 2);
            let (first, second) = (numbers(&copy, "b.db"), numbers(&copy, "a.db"));
            assert!(first == second || first == second + 1, "{first} and {second} in round {round}");
        }
        over.store(true, Ordering::SeqCst);
        writer.join().unwrap();
        assert!(numbers(from.path(), "a.db") > 0);
    }

    #[test]
    fn nothing_is_overwritten_and_what_was_begun_is_begun_anew() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        assert!(matches!(back_up(from.path(), &to.path().join("copy")), Err(BackupError::Nothing(_))));
        file(from.path(), "a.db");
        assert!(matches!(back_up(from.path(), to.path()), Err(BackupError::Exists(_))));
        let copy = to.path().join("copy");
        fs::create_dir(to.path().join("copy.part")).unwrap();
        fs::write(to.path().join("copy.part/half"), "of another").unwrap();
        back_up(from.path(), &copy).unwrap();
        assert_eq!(fs::read_dir(&copy).unwrap().count(), 1, "a.db alone");
    }
}
