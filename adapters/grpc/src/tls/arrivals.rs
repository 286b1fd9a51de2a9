//! Who comes to a door.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use metrics::{counter, describe_counter};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{sleep, timeout};
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::{Connected, TcpConnectInfo};

use super::{DoorTls, Wire};
use crate::gathered::Gathered;

/// How long somebody may take to say the first word.
const FIRST_WORD: Duration = Duration::from_secs(10);
/// How a client of HTTP/2 begins, all at once.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
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
    Ok(Arrival { wire, address, _place: place })
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

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_shutdown(context)
    }
}
