//! A wire between client and server that breaks where a test wants it to.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Passes everything on, but for the connection on which a certain word is said.
pub(crate) struct Proxy {
    port: u16,
    trap: Armed,
}

/// The word, and what happens once it is said.
type Armed = Arc<Mutex<Option<(Vec<u8>, Trap)>>>;

/// What happens to the connection on which the word is said. Once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trap {
    /// The server never hears of it; the connection is cut.
    LoseRequest,
    /// The server does as it is told, and the connection is cut before its answer arrives.
    LoseAnswer,
    /// The server does as it is told, and its answer never arrives, and the connection stays.
    Silence,
}

// === impl Proxy ===

impl Proxy {
    pub(crate) async fn start(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let trap = Armed::default();
        let armed = trap.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await {
                    tokio::spawn(pass(client, server, armed.clone()));
                }
            }
        });
        Self { port, trap }
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/highstreet", self.port)
    }

    pub(crate) fn set(&self, trap: Trap, word: &str) {
        *self.trap.lock().unwrap() = Some((word.into(), trap));
    }

    pub(crate) fn is_sprung(&self) -> bool {
        self.trap.lock().unwrap().is_none()
    }
}

/// Passes both ways until either side ends it, or the trap does.
async fn pass(mut client: TcpStream, mut server: TcpStream, armed: Armed) {
    let (mut from_client, mut from_server) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let (mut said, mut answered, mut trapped) = (Vec::new(), Vec::new(), None);
    loop {
        tokio::select! {
            read = client.read(&mut from_client) => {
                let Ok(length @ 1..) = read else { return };
                said.extend_from_slice(&from_client[..length]);
                trapped = trapped.or_else(|| spring(&armed, &said));
                if trapped == Some(Trap::LoseRequest) || server.write_all(&from_client[..length]).await.is_err() {
                    return;
                }
                said.drain(..said.len().saturating_sub(100));
            }
            read = server.read(&mut from_server) => {
                let Ok(length @ 1..) = read else { return };
                answered.extend_from_slice(&from_server[..length]);
                match trapped {
                    // The server is ready for the next: it has committed.
                    Some(Trap::LoseAnswer) if answered.ends_with(b"Z\0\0\0\x05I") => return,
                    Some(_) => {}
                    None if client.write_all(&from_server[..length]).await.is_err() => return,
                    None => answered.clear(),
                }
            }
        }
    }
}

fn spring(armed: &Armed, said: &[u8]) -> Option<Trap> {
    let mut armed = armed.lock().unwrap();
    let (word, _) = armed.as_ref()?;
    said.windows(word.len()).any(|window| window == word).then(|| armed.take())?.map(|(_, trap)| trap)
}
