//! How messages leave: into the log, to a gateway by signed webhook, or by mail.
//!
//! [`Routing`] sends what goes to each shop and role to the [`Webhook`] or e-mail address configured for them, and to the
//! [`Log`] where there is none. A gateway that speaks to `KakaoTalk` or sends text messages is attached as a webhook.

mod log;
mod route;
mod routing;
mod signature;
mod smtp;
mod smtp_url;
mod url;
mod webhook;

#[cfg(test)]
mod tests;

pub use log::Log;
pub use route::{InvalidRoute, Route, Takes};
pub use routing::{RepeatedRoute, Routing};
pub use signature::{InvalidSecret, Secret};
pub use smtp::{InvalidAddress, MailAddress, Smtp, SmtpSettings};
pub use smtp_url::{InvalidSmtpUrl, SmtpUrl};
pub use url::{InvalidUrl, WebhookUrl};
pub use webhook::{Webhook, WebhookSettings};

/// An error with all its causes: the outermost often says very little.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
