//! Who comes to a door.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use metrics::{counter, describe_counter};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Sleep, sleep, timeout};
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::{Connected, TcpConnectInfo};

use super::{DoorTls, Wire};
use crate::gathered::Gathered;

/// How long somebody may take to say the first word.
const FIRST_WORD: Duration = Duration::from_secs(10);
/// How a client of HTTP/2 begins, all at once.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// How long somebody who was told that this is the end may take to hang up.
const LINGER: Duration = Duration::from_secs(1);
const LISTEN_AGAIN: Duration = Duration::from_millis(20);
/// How many have arrived and wait to be served.
const QUEUE: usize = 64;
const REFUSED: &str = "highstreet_connections_refused_total";

/// Connections that can be served.
pub type Arrivals = ReceiverStream<io::Result<Gathered<Arrival>>>;

/// A connection that can be served, and the place that it takes.
pub struct Arrival {
    wire: Wire<TlsStream<TcpStream>>,
    address: TcpConnectInfo,
    /// From when all was said, until when the other side is waited for.
    leaving: Option<Pin<Box<Sleep>>>,
    _place: OwnedSemaphorePermit,
}

/// Those who come to `listener`, with encryption if there is `tls`, at most `most` at a time. Whoever says nothing, or
/// cannot be understood, is not let in, and holds up nobody else.
pub fn arrivals(listener: TcpListener, tls: Option<DoorTls>, most: usize) -> Arrivals {
    describe_counter!(REFUSED, "Connections that were closed before anything was asked.");
    for why in ["too many", "not understood", "silent"] {
        counter!(REFUSED, "why" => why).increment(0);
    }
    let (sender, receiver) = mpsc::channel(QUEUE);
    tokio::spawn(async move {
        let places = Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = sender.closed() => return,
            };
            let socket = match accepted {
                Ok((socket, _)) => socket,
                // Perhaps there are no more files to be had; some will be closed.
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(LISTEN_AGAIN).await;
                    continue;
                }
            };
            let Ok(place) = places.clone().try_acquire_owned() else {
                counter!(REFUSED, "why" => "too many").increment(1);
                continue;
            };
            let (tls, sender) = (tls.clone(), sender.clone());
            tokio::spawn(async move {
                match timeout(FIRST_WORD, let_in(socket, tls, place)).await {
                    // The server may be stopping.
                    Ok(Ok(arrival)) => drop(sender.send(Ok(Gathered::new(arrival))).await),
                    Ok(Err(error)) => {
                        counter!(REFUSED, "why" => "not understood").increment(1);
                        tracing::debug!(%error, "a connection was not understood");
                    }
                    Err(_) => counter!(REFUSED, "why" => "silent").increment(1),
                }
            });
        }
    });
    ReceiverStream::new(receiver)
}

async fn let_in(socket: TcpStream, tls: Option<DoorTls>, place: OwnedSemaphorePermit) -> io::Result<Arrival> {
    socket.set_nodelay(true)?;
    let address = socket.connect_info();
    let wire = if let Some(tls) = tls {
        Wire::Encrypted(Box::new(tls.accept(socket).await?))
    } else {
        first_word(&socket).await?;
        Wire::Plain(socket)
    };
    Ok(Arrival { wire, address, leaving: None, _place: place })
}

/// Waits until it can be told which protocol is spoken: the server would wait for that for ever.
async fn first_word(socket: &TcpStream) -> io::Result<()> {
    let mut begun = [0; PREFACE.len()];
    loop {
        let length = socket.peek(&mut begun).await?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if length == PREFACE.len() || !PREFACE.starts_with(&begun[..length]) {
            return Ok(());
        }
        // A peek returns at once while there is anything.
        sleep(LISTEN_AGAIN).await;
    }
}

// === impl Arrival ===

impl Connected for Arrival {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.address.clone()
    }
}

impl AsyncRead for Arrival {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_read(context, buffer)
    }
}

impl AsyncWrite for Arrival {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.wire).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.wire).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.wire.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_flush(context)
    }

    /// Says that this is the end, and waits a while until the other side hangs up. To close a socket with something left
    /// to read resets the connection, and with it goes what the other side has not read yet, such as which of its
    /// calls were not looked at.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.leaving.is_none() {
            ready!(Pin::new(&mut this.wire).poll_shutdown(context))?;
        }
        let leaving = this.leaving.get_or_insert_with(|| Box::pin(sleep(LINGER)));
        let mut room = [0; 4096];
        while leaving.as_mut().poll(context).is_pending() {
            let mut unheard = ReadBuf::new(&mut room);
            let read = ready!(Pin::new(&mut this.wire).poll_read(context, &mut unheard));
            if read.is_err() || unheard.filled().is_empty() {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio_stream::StreamExt;

    use super::*;

    async fn arrival() -> (TcpStream, Gathered<Arrival>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut arrivals = arrivals(listener, None, 1);
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(&[b'x'; 100]).await.unwrap();
        (client, arrivals.next().await.unwrap().unwrap())
    }

    #[tokio::test]
    async fn who_is_still_talking_hears_the_last_words() {
        let (mut client, mut arrival) = arrival().await;
        let closing = tokio::spawn(async move {
            arrival.write_all(b"goodbye").await.unwrap();
            arrival.shutdown().await.unwrap();
        });
        let mut heard = [0; 7];
        client.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"goodbye");
        assert_eq!(client.read(&mut heard).await.unwrap(), 0, "the end, and no reset");
        client.write_all(b"what was under way").await.unwrap();
        assert_eq!(client.read(&mut heard).await.unwrap(), 0);
        drop(client);
        closing.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_hang_up_is_not_waited_for_long() {
        let (_client, mut arrival) = arrival().await;
        timeout(2 * LINGER, arrival.shutdown()).await.unwrap().unwrap();
    }
}
