//! How JSON is served.

use std::time::Duration;

use http::HeaderValue;
use thiserror::Error;

/// How JSON is served.
#[derive(Clone, Debug)]
pub struct JsonSettings {
    /// The origins whose pages may call, besides this server's own; none by default.
    pub origins: Vec<Origin>,
    /// How long a call may take whose caller does not say so.
    pub timeout: Duration,
    /// The most bytes of a body.
    pub most_bytes: usize,
    /// How often a stream without news says that it is still there.
    pub keep_alive: Duration,
}

/// The origin of pages that may call: `https://shop.example`; or `*`, any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(HeaderValue);

/// Why JSON cannot be served like this.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum JsonError {
    /// Every call would be over before it began.
    #[error("calls in JSON have no time; give them some with --json-timeout, such as 30s")]
    NoTime,
}

/// Why something is no origin.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("must be a scheme and a host, as browsers say them; write it like https://shop.example, or * for any")]
pub struct OriginError;

// === impl JsonSettings ===

impl JsonSettings {
    pub(crate) fn checked(self) -> Result<Self, JsonError> {
        if self.timeout.is_zero() { Err(JsonError::NoTime) } else { Ok(self) }
    }
}

impl Default for JsonSettings {
    fn default() -> Self {
        Self {
            origins: Vec::new(),
            timeout: Duration::from_secs(30),
            most_bytes: 4 * 1024 * 1024,
            keep_alive: Duration::from_secs(15),
        }
    }
}

// === impl Origin ===

impl Origin {
    pub(crate) fn is_any(&self) -> bool {
        self.0 == "*"
    }

    pub(crate) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl std::str::FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let host = ["http://", "https://"].iter().find_map(|scheme| text.strip_prefix(scheme));
        let is_host = |host: &str| !host.is_empty() && !host.contains(['/', ' ', '*', '?', '#', ',']);
        if text != "*" && !host.is_some_and(is_host) {
            return Err(OriginError);
        }
        HeaderValue::from_str(text).map(Self).map_err(|_| OriginError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_have_some_time() {
        assert_eq!(
            JsonSettings { timeout: Duration::ZERO, ..JsonSettings::default() }.checked().err(),
            Some(JsonError::NoTime)
        );
        assert!(JsonSettings::default().checked().is_ok());
    }

    #[test]
    fn an_origin_is_a_scheme_and_a_host() {
        for good in ["https://shop.example", "http://localhost:5173", "*"] {
            assert!(good.parse::<Origin>().is_ok(), "{good}");
        }
        for bad in ["shop.example", "https://", "https://shop.example/", "https://*.example", "", "null"] {
            assert_eq!(bad.parse::<Origin>(), Err(OriginError), "{bad}");
        }
    }
}
