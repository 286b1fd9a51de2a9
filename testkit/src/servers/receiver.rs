//! A receiver of webhooks that does as a test wants.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::Manner;
use crate::lock;

/// An HTTP server on a free port; clones are the same one. It ends with the runtime.
#[derive(Clone)]
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

/// A request that was answered with success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Its headers, as they came.
    pub headers: Vec<String>,
    /// Its body.
    pub body: String,
}

#[derive(Default)]
struct Shared {
    manner: Manner,
    taken: Vec<Received>,
    tried: usize,
}

// === impl Receiver ===

impl Receiver {
    /// Starts one.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let receiver = Self { address, shared: Arc::default() };
        let serving = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let receiver = serving.clone();
                tokio::spawn(async move {
                    // A client that goes away has said all it has to say.
                    let _ = receiver.answer(stream).await;
                });
            }
        });
        receiver
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// From now on it fares so.
    pub fn set(&self, manner: Manner) {
        lock(&self.shared).manner = manner;
    }

    /// What it took.
    pub fn taken(&self) -> Vec<Received> {
        lock(&self.shared).taken.clone()
    }

    /// How often it was asked.
    pub fn tried(&self) -> usize {
        lock(&self.shared).tried
    }

    async fn answer(&self, stream: TcpStream) -> std::io::Result<()> {
        let (reader, mut writer) = stream.into_split();
        let mut reader = BufReader::new(reader);
        while let Some(received) = read_request(&mut reader).await? {
            let manner = {
                let mut shared = lock(&self.shared);
                shared.tried += 1;
                if matches!(shared.manner, Manner::Works | Manner::HangsUp) {
                    shared.taken.push(received);
                }
                shared.manner
            };
            let code = match manner {
                Manner::Works => 204,
                Manner::Answers(code) => code,
                Manner::Hangs => return reader.read_to_end(&mut Vec::new()).await.map(drop),
                Manner::HangsUp => return Ok(()),
            };
            writer.write_all(format!("HTTP/1.1 {code} So\r\ncontent-length: 0\r\n\r\n").as_bytes()).await?;
        }
        Ok(())
    }
}

/// The next request; `None` at the end.
async fn read_request(reader: &mut (impl AsyncBufReadExt + Unpin)) -> std::io::Result<Option<Received>> {
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        headers.push(line.to_owned());
    }
    let length = headers.iter().find_map(|header| header.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).await?;
    Ok(Some(Received { headers, body: String::from_utf8_lossy(&body).into_owned() }))
}
