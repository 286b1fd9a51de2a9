//! What operators see of a running server: logs on stderr, metrics, the admin port, and what a collector is told.
//!
//! [`logs::start`] and [`Metrics::install`] are called once, first thing; [`admin::serve`] then answers probes and
//! scrapes on a plain port of its own, from the [`Readiness`] that the rest of the server reports to.

pub mod admin;
mod lines;
pub mod logs;
mod metrics;
pub mod otlp;
mod process;
mod readiness;

pub use crate::metrics::{Metrics, NotInstalled};
pub use crate::readiness::{Check, Phase, Readiness, Status, Summary};
