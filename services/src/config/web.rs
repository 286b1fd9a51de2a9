//! What is served beside gRPC: JSON, and pages.

use std::time::Duration;

use clap::Args;
use highstreet_json::{JsonSettings, Origin};

use super::duration;

/// What is served beside gRPC: JSON, gRPC-Web and Connect.
#[derive(Args, Clone, Debug)]
pub struct WebArgs {
    /// An origin whose pages may call from browsers, such as `https://shop.example`; may be repeated, and `*` is any.
    /// None if not set.
    #[arg(long = "cors-origin", env = "HIGHSTREET_CORS_ORIGINS", value_name = "ORIGIN", value_delimiter = ',')]
    pub cors_origins: Vec<Origin>,
    /// How long a call in JSON may take whose caller does not say so (`X-Request-Timeout`).
    #[arg(long, env = "HIGHSTREET_JSON_TIMEOUT", default_value = "30s", value_parser = duration)]
    pub json_timeout: Duration,
}

// === impl WebArgs ===

impl WebArgs {
    /// As the adapter wants it.
    pub(crate) fn settings(&self) -> JsonSettings {
        JsonSettings { origins: self.cors_origins.clone(), timeout: self.json_timeout, ..JsonSettings::default() }
    }
}
