//! How messages leave: into the log, or to a gateway by signed webhook.
//!
//! [`Routing`] sends what goes to each shop and role to the [`Webhook`] configured for them, and to the [`Log`] where
//! there is none. A gateway that speaks to `KakaoTalk` or sends text messages is attached as a webhook.

mod log;
mod route;
mod routing;
mod signature;
mod url;
mod webhook;

#[cfg(test)]
mod tests;

pub use log::Log;
pub use route::{InvalidRoute, Route};
pub use routing::{RepeatedRoute, Routing};
pub use signature::{InvalidSecret, Secret};
pub use url::{InvalidUrl, WebhookUrl};
pub use webhook::{Webhook, WebhookSettings};
