//! Streams of changes that a client can take up again where it left off.

use std::future::Future;

use highstreet_domain::kernel::ports::StoreError;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::fields::Fields;
use crate::status::{of_store, unavailable};

/// How many changes are fetched at a time, and how many wait for a slow client.
pub(crate) const AT_ONCE: usize = 64;

/// What a watching RPC answers with.
pub(crate) type Watch<T> = ReceiverStream<Result<T, Status>>;

/// Reads a cursor; an empty one means from now on.
pub(crate) fn read_cursor(fields: &mut Fields, since: &str) -> Option<u64> {
    if since.is_empty() {
        return None;
    }
    fields.check("since", since.parse().map_err(|_| "must be the cursor of an earlier answer, or empty"))
}

/// Sends what `changes` finds behind `cursor`, and what comes after it, until the client goes away or the server is
/// `ending`.
pub(crate) fn watch<T, F, Fut>(ending: CancellationToken, mut cursor: u64, mut changes: F) -> Watch<T>
where
    T: Send + 'static,
    F: FnMut(u64) -> Fut + Send + 'static,
    Fut: Future<Output = Result<Vec<(u64, T)>, StoreError>> + Send,
{
    let (sender, receiver) = mpsc::channel(AT_ONCE);
    tokio::spawn(async move {
        loop {
            let found = tokio::select! {
                found = changes(cursor) => found,
                () = sender.closed() => return,
                () = ending.cancelled() => {
                    // The client may have gone.
                    let _ = sender.send(Err(unavailable("SHUTTING_DOWN", "the server shuts down; watch again"))).await;
                    return;
                }
            };
            let found = match found {
                Ok(found) => found,
                Err(error) => {
                    // The client may have gone.
                    let _ = sender.send(Err(of_store(&error))).await;
                    return;
                }
            };
            for (at, change) in found {
                cursor = at;
                if sender.send(Ok(change)).await.is_err() {
                    return;
                }
            }
        }
    });
    ReceiverStream::new(receiver)
}
