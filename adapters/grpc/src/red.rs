//! Rate, errors and duration of the calls through the door.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock, OnceLock, PoisonError, RwLock};
use std::time::Instant;

use highstreet_wire::DESCRIPTORS;
use highstreet_wire::call::STATUSES;
use http::{HeaderMap, Uri};
use metrics::{Histogram, Unit, describe_histogram, histogram};
use prost::Message;
use prost_types::FileDescriptorSet;

/// What every server offers.
const EVERYWHERE: [&str; 5] = [
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/List",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];
const DURATION: &str = "rpc_server_duration_seconds";
const OK: usize = 0;
const CANCELLED: usize = 1;
const UNKNOWN: usize = 2;
const UNIMPLEMENTED: usize = 12;

/// The calls of one door. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls {
    /// By path. Looked up once per call, so that it costs no label and no lock of the recorder's.
    methods: Arc<RwLock<HashMap<String, Arc<Method>>>>,
    /// What is called and not offered. Callers choose those paths, so none of them becomes a label.
    elsewhere: Arc<Method>,
}

/// One method's histograms, by status.
#[derive(Debug, Default)]
struct Method([OnceLock<Histogram>; STATUSES.len()]);

/// A call under way. Counted as `CANCELLED` if it is dropped without an answer: its caller is gone, or its deadline.
#[derive(Debug)]
pub(crate) struct UnderWay {
    calls: Calls,
    path: Uri,
    since: Instant,
    answered: bool,
}

// === impl Calls ===

impl Calls {
    pub(crate) fn new() -> Self {
        describe_histogram!(DURATION, Unit::Seconds, "How long calls took until they were answered, by their status.");
        Self::default()
    }

    #[allow(clippy::disallowed_methods, reason = "durations are told, not decided by")]
    pub(crate) fn begin(&self, path: &Uri) -> UnderWay {
        UnderWay { calls: self.clone(), path: path.clone(), since: Instant::now(), answered: false }
    }

    fn record(&self, path: &str, status: usize, seconds: f64) {
        let known = self.methods.read().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
        if status == UNIMPLEMENTED || (known.is_none() && !is_offered(path)) {
            self.elsewhere.0[status].get_or_init(|| of("unknown", "unknown", status)).record(seconds);
            return;
        }
        let method = known.unwrap_or_else(|| self.first_call_of(path));
        method.0[status].get_or_init(|| of_path(path, status)).record(seconds);
    }

    fn first_call_of(&self, path: &str) -> Arc<Method> {
        self.methods.write().unwrap_or_else(PoisonError::into_inner).entry(path.to_owned()).or_default().clone()
    }
}

/// Whether some context offers this method. Callers invent others.
pub(crate) fn is_offered(path: &str) -> bool {
    static OFFERED: LazyLock<HashSet<String>> = LazyLock::new(|| {
        let described = FileDescriptorSet::decode(DESCRIPTORS)
            .expect("the build wrote what it had read, and every server answers reflection from it");
        let mut paths = HashSet::new();
        for file in &described.file {
            for service in &file.service {
                let name = format!("/{}.{}", file.package(), service.name());
                paths.extend(service.method.iter().map(|method| format!("{name}/{}", method.name())));
            }
        }
        paths
    });
    OFFERED.contains(path) || EVERYWHERE.contains(&path)
}

fn of_path(path: &str, status: usize) -> Histogram {
    // `/package.Service/Method`
    let (service, method) = path.trim_start_matches('/').split_once('/').unwrap_or((path, ""));
    of(service, method, status)
}

fn of(service: &str, method: &str, status: usize) -> Histogram {
    let (service, method) = (service.to_owned(), method.to_owned());
    histogram!(DURATION, "rpc_service" => service, "rpc_method" => method, "grpc_status" => STATUSES[status])
}

// === impl UnderWay ===

impl UnderWay {
    /// It was answered, with these headers.
    pub(crate) fn answered(mut self, headers: &HeaderMap) {
        self.answered = true;
        self.record(status(headers));
    }

    fn record(&self, status: usize) {
        self.calls.record(self.path.path(), status, self.since.elapsed().as_secs_f64());
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        // A path that was not answered yet may be one that nobody offers.
        let offered =
            || self.calls.methods.read().unwrap_or_else(PoisonError::into_inner).contains_key(self.path.path());
        if !self.answered && offered() {
            self.record(CANCELLED);
        }
    }
}

/// The answer's status. Answers that begin have none in their headers: they are well until something else is said.
pub(crate) fn status(headers: &HeaderMap) -> usize {
    let Some(status) = headers.get("grpc-status") else { return OK };
    let status = status.to_str().ok().and_then(|status| status.parse().ok());
    status.filter(|status| *status < STATUSES.len()).unwrap_or(UNKNOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(status: Option<&str>) -> HeaderMap {
        status
            .into_iter()
            .map(|status| (http::HeaderName::from_static("grpc-status"), status.parse().unwrap()))
            .collect()
    }

    #[test]
    fn the_status_is_read_from_the_headers_and_is_ok_where_they_have_none() {
        assert_eq!(STATUSES[status(&headers(None))], "OK");
        assert_eq!(STATUSES[status(&headers(Some("14")))], "UNAVAILABLE");
        assert_eq!(STATUSES[status(&headers(Some("17")))], "UNKNOWN");
        assert_eq!(STATUSES[status(&headers(Some("?")))], "UNKNOWN");
    }

    #[test]
    fn paths_that_nobody_offers_are_not_kept() {
        let calls = Calls::new();
        let path = Uri::from_static("/nobody.Service/Method");
        drop(calls.begin(&path));
        calls.begin(&path).answered(&headers(Some("12")));
        calls.begin(&path).answered(&headers(Some("8")));
        assert!(calls.methods.read().unwrap().is_empty());
        let offered = Uri::from_static("/highstreet.ordering.v1.OrderingService/PlaceOrder");
        calls.begin(&offered).answered(&headers(None));
        drop(calls.begin(&offered));
        let methods = calls.methods.read().unwrap();
        assert!(methods[offered.path()].0[CANCELLED].get().is_some());
    }
}
