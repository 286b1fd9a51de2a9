//! What operators see: metrics and their page, dashboards, and alerts that fire in a real Prometheus.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod alerts;
mod collector;
#[path = "../common/mod.rs"]
mod common;
mod dashboards;
mod files;
mod firing;
mod page;
mod text;
mod told;
mod watched;
