//! The probes of the chart, asked as a kubelet asks them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How a kubelet finds out about a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Probe {
    pub(super) path: String,
    /// From one question to the next.
    pub(super) period: Duration,
    /// How long an answer may take.
    pub(super) timeout: Duration,
    /// So many failures in a row are believed.
    pub(super) failures: u32,
}

/// What the chart asks of every context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Probes {
    /// Whether it has started; the others are not asked before.
    pub(super) startup: Probe,
    /// Whether it lives.
    pub(super) liveness: Probe,
    /// How long it may take to end, before it is ended.
    pub(super) grace: Duration,
}

// === impl Probes ===

impl Probes {
    pub(super) fn of_the_chart() -> Result<Self, String> {
        let probe = |period, failures| Probe {
            path: "/livez".into(),
            period: Duration::from_secs(period),
            timeout: Duration::from_secs(2),
            failures,
        };
        Ok(Self { startup: probe(2, 30), liveness: probe(10, 3), grace: Duration::from_secs(30) })
    }
}

// === impl Probe ===

impl Probe {
    /// Whether the answer is between 200 and 399, in time.
    pub(super) fn succeeds(&self, admin: u16) -> bool {
        self.answer(admin).is_some_and(|code| (200..400).contains(&code))
    }

    fn answer(&self, admin: u16) -> Option<u16> {
        let address = SocketAddr::from(([127, 0, 0, 1], admin));
        let mut stream = TcpStream::connect_timeout(&address, self.timeout).ok()?;
        stream.set_read_timeout(Some(self.timeout)).ok()?;
        stream.set_write_timeout(Some(self.timeout)).ok()?;
        let question = format!("GET {} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n", self.path);
        stream.write_all(question.as_bytes()).ok()?;
        let mut first = [0; 12];
        stream.read_exact(&mut first).ok()?;
        std::str::from_utf8(&first).ok()?.strip_prefix("HTTP/1.1 ")?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    fn probe() -> Probe {
        let short = Duration::from_millis(300);
        Probe { path: "/livez".into(), period: short, timeout: short, failures: 3 }
    }

    /// A server that answers every question like this, or not at all.
    fn server(answer: Option<&'static str>) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let mut held = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                if let Some(answer) = answer {
                    let mut question = [0; 256];
                    assert!(stream.read(&mut question).unwrap() > 0);
                    stream.write_all(format!("HTTP/1.1 {answer}\r\n\r\n").as_bytes()).unwrap();
                }
                held.push(stream);
            }
        });
        port
    }

    #[test]
    fn a_probe_wants_a_good_answer_in_time() {
        assert!(probe().succeeds(server(Some("200 OK"))));
        assert!(!probe().succeeds(server(Some("503 Service Unavailable"))));
        assert!(!probe().succeeds(server(None)), "it takes calls and never answers");
        let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        assert!(!probe().succeeds(nobody));
    }
}
