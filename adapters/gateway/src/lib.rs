//! One address for every service: finds the context that a call is for and passes it through.
//!
//! A [`Gateway`] looks at a call's path and nothing else: metadata, deadlines, messages, streams and trailers pass
//! untouched, in both directions. How a context is reached is not its business; it is given a service for each name.
//! Its own words are few: there is no such service, its context cannot be reached, or it was lost in the middle of an
//! answer ([`Refusal`]); how they are put is said by who builds it. [`watch_health`] tells how the contexts are.

mod gateway;
mod health;
mod passing;

pub use gateway::{BoxError, Gateway, Refusal, Refuse};
pub use health::{HealthSettings, watch_health};
