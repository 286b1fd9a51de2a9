//! `highstreet healthcheck`: the question a container runtime asks.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PATIENCE: Duration = Duration::from_secs(2);

/// Asks the admin port at `address` whether the server is ready.
pub async fn healthcheck(address: &str) -> Result<(), String> {
    let answer = tokio::time::timeout(PATIENCE, ask(address))
        .await
        .map_err(|_| format!("no answer from {address} within {PATIENCE:?}"))?
        .map_err(|error| format!("no answer from {address}: {error}; is the server running?"))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    println!("{}", body.trim());
    if head.starts_with("HTTP/1.1 200") { Ok(()) } else { Err("not ready".into()) }
}

async fn ask(address: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let question = format!("GET /readyz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(question.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
