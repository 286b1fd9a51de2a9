//! Logs, on stderr: stdout belongs to what a command prints.

use std::env::{self, VarError};
use std::io::{self, IsTerminal};
use std::str::FromStr;

use thiserror::Error;
use tracing_subscriber::filter::{FilterExt, LevelFilter, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, fmt};

use crate::lines::Traced;
use crate::otlp::{Otlp, is_span_of_ours};

/// The environment variable that says what is logged, such as `info,highstreet=debug`.
pub const FILTER: &str = "HIGHSTREET_LOG";

/// Below `info` these tell what they carry: parameters of statements, mails, headers. They do so only for whoever names
/// them in [`FILTER`].
const TALKATIVE: [&str; 6] = ["tokio_postgres", "lettre", "async_nats", "h2", "hyper", "hyper_util"];

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people on a terminal, as JSON elsewhere.
    #[default]
    Auto,
    /// For people.
    Human,
    /// One JSON object per line.
    Json,
}

/// Takes it for an error that a newer version's migrations are not here; during an upgrade they are not.
const ALARMED: &str = "refinery_core::traits::missing";

/// Why logging did not start.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotStarted {
    /// [`FILTER`] holds what is no filter.
    #[error("{FILTER} must be a list of levels such as `info,highstreet=debug`: {0}")]
    Filter(String),
    /// Something in this process logs already.
    #[error("logging was started already")]
    Already,
}

/// Starts logging, for the whole process: what [`FILTER`] says, or else what `unless_said` does, such as `info`. With a
/// way to a collector, spans go there, and lines that are written in one say in which.
pub fn start(format: Format, unless_said: &str, otlp: Option<&Otlp>) -> Result<(), NotStarted> {
    let filter = filter(unless_said)?;
    let started = match otlp {
        Some(otlp) => start_with_spans(format, filter, otlp),
        None => start_alone(format, filter),
    };
    started.map_err(|_| NotStarted::Already)
}

fn start_alone(format: Format, filter: EnvFilter) -> Result<(), TryInitError> {
    let lines = tracing_subscriber::fmt().with_writer(io::stderr).with_env_filter(filter);
    if format.is_json() {
        lines.json().flatten_event(true).with_span_list(false).finish().try_init()
    } else {
        lines.with_ansi(io::stderr().is_terminal()).finish().try_init()
    }
}

fn start_with_spans(format: Format, filter: EnvFilter, otlp: &Otlp) -> Result<(), TryInitError> {
    let lines = fmt::layer().with_writer(io::stderr);
    // Lines know only spans that are let through to them. Without the hint everything below `info` in every library would
    // be looked at before it is left out.
    let filter = filter.or(filter_fn(is_span_of_ours).with_max_level_hint(LevelFilter::INFO));
    let spans = tracing_subscriber::registry().with(otlp.layer());
    if format.is_json() {
        let lines = lines.json().flatten_event(true).with_span_list(false).with_current_span(false);
        spans.with(lines.map_event_format(Traced::json).with_filter(filter)).try_init()
    } else {
        let lines = lines.with_ansi(io::stderr().is_terminal());
        spans.with(lines.map_event_format(Traced::human).with_filter(filter)).try_init()
    }
}

fn filter(unless_said: &str) -> Result<EnvFilter, NotStarted> {
    let wanted = match env::var(FILTER) {
        Ok(wanted) => wanted,
        Err(VarError::NotPresent) => unless_said.to_owned(),
        Err(error @ VarError::NotUnicode(_)) => return Err(NotStarted::Filter(error.to_string())),
    };
    let tacit = TALKATIVE.iter().filter(|name| !wanted.contains(**name)).map(|name| format!("{name}=info"));
    let all = tacit.chain([format!("{ALARMED}=off"), wanted.clone()]).collect::<Vec<_>>().join(",");
    EnvFilter::try_new(all).map_err(|error| NotStarted::Filter(error.to_string()))
}

// === impl Format ===

impl Format {
    fn is_json(self) -> bool {
        match self {
            Self::Auto => !io::stderr().is_terminal(),
            Self::Human => false,
            Self::Json => true,
        }
    }
}

impl FromStr for Format {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "auto" => Ok(Self::Auto),
            "human" => Ok(Self::Human),
            "json" => Ok(Self::Json),
            _ => Err("must be `auto`, `human` or `json`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logging_starts_once() {
        assert_eq!(start(Format::Json, "info", None), Ok(()));
        assert_eq!(start(Format::Human, "info", None), Err(NotStarted::Already));
    }

    #[test]
    fn formats_have_names() {
        assert_eq!("json".parse(), Ok(Format::Json));
        assert!("JSON".parse::<Format>().is_err());
    }
}
