//! A copy of a data folder, to be kept elsewhere.

use std::path::PathBuf;

use clap::Args;

/// `highstreet ops backup`.
#[derive(Args, Clone, Debug)]
pub struct BackupArgs {
    /// The folder to make for the copy.
    #[arg(value_name = "FOLDER")]
    to: PathBuf,
    /// The data folder of the server, as for `serve`.
    #[arg(long, env = "HIGHSTREET_DATA", default_value = "./data")]
    data: PathBuf,
}

pub(super) async fn back_up(args: BackupArgs) -> Result<(), String> {
    let BackupArgs { to, data } = args;
    let folder = to.clone();
    let done = tokio::task::spawn_blocking(move || highstreet_sqlite::back_up(&data, &folder)).await;
    let done = done.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    println!("{} files, {} KiB; to use it: highstreet serve --data {}", done.files, done.bytes / 1024, to.display());
    Ok(())
}
