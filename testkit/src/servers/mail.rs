//! A mail server that does as a test wants: it speaks SMTP (RFC 5321), and keeps what it took.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::lock;

/// A mail server on a free port; clones are the same one. It ends with the runtime.
#[derive(Clone)]
pub struct MailServer {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

/// A mail that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Who it is from, by the envelope.
    pub from: String,
    /// To whom, by the envelope.
    pub to: Vec<String>,
    /// The mail itself, with its headers.
    pub text: String,
}

/// How a server fares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manner {
    /// It takes every mail.
    #[default]
    Works,
    /// It answers every mail with this code: 4xx for now, 5xx for ever.
    Answers(u16),
    /// It answers nothing at all.
    Hangs,
    /// It takes the mail, and hangs up before it says so.
    HangsUp,
}

#[derive(Default)]
struct Shared {
    manner: Manner,
    taken: Vec<Mail>,
    tried: usize,
}

// === impl MailServer ===

impl MailServer {
    /// Starts one.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let server = Self { address, shared: Arc::default() };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = serving.clone();
                tokio::spawn(async move {
                    // A client that goes away has said all it has to say.
                    let _ = server.talk(stream).await;
                });
            }
        });
        server
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// From now on it fares so.
    pub fn set(&self, manner: Manner) {
        lock(&self.shared).manner = manner;
    }

    /// What it took.
    pub fn taken(&self) -> Vec<Mail> {
        lock(&self.shared).taken.clone()
    }

    /// How often somebody came with a mail.
    pub fn tried(&self) -> usize {
        lock(&self.shared).tried
    }

    async fn talk(&self, stream: TcpStream) -> std::io::Result<()> {
        let (reader, mut writer) = stream.into_split();
        let mut reader = BufReader::new(reader);
        let mut mail = Mail { from: String::new(), to: Vec::new(), text: String::new() };
        let manner = lock(&self.shared).manner;
        if manner == Manner::Hangs {
            lock(&self.shared).tried += 1;
            return reader.read_to_end(&mut Vec::new()).await.map(drop);
        }
        writer.write_all(b"220 here ESMTP\r\n").await?;
        let mut line = String::new();
        loop {
            line.clear();
            if reader.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let said = line.trim_end();
            let verb = said.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            if verb == "DATA" {
                writer.write_all(b"354 go on\r\n").await?;
                mail.text = read_text(&mut reader).await?;
                lock(&self.shared).taken.push(mail.clone());
                if manner == Manner::HangsUp {
                    return Ok(());
                }
            }
            writer.write_all(self.answer(&verb, said, manner, &mut mail).as_bytes()).await?;
            if verb == "QUIT" {
                return Ok(());
            }
        }
    }

    fn answer(&self, verb: &str, said: &str, manner: Manner, mail: &mut Mail) -> String {
        match verb {
            "EHLO" => "250-here\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n".into(),
            "HELO" | "RSET" | "NOOP" => "250 OK\r\n".into(),
            "MAIL" => {
                mail.from = within_brackets(said);
                "250 OK\r\n".into()
            }
            "RCPT" => {
                lock(&self.shared).tried += 1;
                if let Manner::Answers(code) = manner {
                    return format!("{code} not now, or never\r\n");
                }
                mail.to.push(within_brackets(said));
                "250 OK\r\n".into()
            }
            "DATA" => "250 taken\r\n".into(),
            "QUIT" => "221 bye\r\n".into(),
            _ => "500 what?\r\n".into(),
        }
    }
}

/// A mail, up to the line with nothing but a dot.
async fn read_text(reader: &mut (impl AsyncBufReadExt + Unpin)) -> std::io::Result<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).await? == 0 || line == ".\r\n" {
            return Ok(text);
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}

fn within_brackets(line: &str) -> String {
    let address = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    address.map_or_else(String::new, |(address, _)| address.to_owned())
}
