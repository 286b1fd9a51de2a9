//! The probes of the chart, asked as a kubelet asks them.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::shell::root;

const TEMPLATE: &str = "deploy/helm/context/templates/deployment.yaml";
const DEFAULTS: &str = "deploy/helm/context/files/defaults.yaml";

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
    /// As the chart has them.
    pub(super) fn of_the_chart() -> Result<Self, String> {
        let read = |path: &str| {
            let path = root().join(path);
            fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
        };
        Self::read(&read(TEMPLATE)?, &read(DEFAULTS)?).ok_or_else(|| format!("{TEMPLATE} has no probes to go by"))
    }

    fn read(template: &str, defaults: &str) -> Option<Self> {
        let shutdown = block(defaults, "shutdown:")?;
        let seconds = |name| number(&shutdown, name);
        // As the template reckons terminationGracePeriodSeconds.
        let grace = seconds("preStop:")? + seconds("drain:")? + 2 * seconds("grace:")? + 5;
        let probe = |name| Probe::read(&block(template, name)?);
        Some(Self {
            startup: probe("startupProbe:")?,
            liveness: probe("livenessProbe:")?,
            grace: Duration::from_secs(grace),
        })
    }
}

/// The lines that belong to a key of a YAML file.
fn block<'a>(text: &'a str, key: &str) -> Option<Vec<&'a str>> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut lines = text.lines().skip_while(|line| line.trim() != key);
    let depth = indent(lines.next()?);
    Some(lines.take_while(|line| indent(line) > depth).map(str::trim).collect())
}

fn number(block: &[&str], key: &str) -> Option<u64> {
    block.iter().find_map(|line| line.strip_prefix(key)?.trim().parse().ok())
}

// === impl Probe ===

impl Probe {
    fn read(block: &[&str]) -> Option<Self> {
        let seconds = |key| number(block, key).map(Duration::from_secs);
        let path = block.iter().find_map(|line| line.strip_prefix("path:"))?.trim().to_owned();
        let failures = u32::try_from(number(block, "failureThreshold:")?).ok()?;
        Some(Self { path, period: seconds("periodSeconds:")?, timeout: seconds("timeoutSeconds:")?, failures })
    }

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
    fn the_probes_are_those_of_the_chart() {
        let probes = Probes::of_the_chart().unwrap();
        assert_eq!((probes.startup.path.as_str(), probes.liveness.path.as_str()), ("/livez", "/livez"));
        let template = "  a:\n    livenessProbe:\n      path: /l\n      periodSeconds: 7\n      failureThreshold: 2\n      \
                        timeoutSeconds: 3\n    startupProbe:\n      path: /s\n      periodSeconds: 1\n      \
                        failureThreshold: 9\n      timeoutSeconds: 4\n    other:\n      periodSeconds: 100\n";
        let probe = |path: &str, period, failures, timeout| Probe {
            path: path.into(),
            period: Duration::from_secs(period),
            failures,
            timeout: Duration::from_secs(timeout),
        };
        let defaults = "x: 1\nshutdown:\n  preStop: 1\n  drain: 2\n  grace: 3\ny:\n  drain: 100\n";
        let wanted =
            Probes { startup: probe("/s", 1, 9, 4), liveness: probe("/l", 7, 2, 3), grace: Duration::from_secs(14) };
        assert_eq!(Probes::read(template, defaults), Some(wanted));
        assert_eq!(Probes::read("livenessProbe:\n", defaults), None);
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
