//! The Helm charts: what they make of values, and that the program does with it what it should.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod chart;
mod configuration;
mod encrypted;
mod migration;
mod node;
mod options;
mod pods;
mod refusals;
mod scaling;
mod secrets;
mod shops;
mod volumes;
mod walls;
mod watching;
