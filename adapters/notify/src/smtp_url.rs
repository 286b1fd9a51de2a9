//! The server that takes mail.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use lettre::transport::smtp::AsyncSmtpTransportBuilder;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, Tokio1Executor};
use thiserror::Error;

use http::Uri;

/// `smtps://` (TLS from the beginning) or `smtp://` (TLS by STARTTLS where the server offers it; it has to, if there is
/// a password that would travel to another machine), with user and password before the `@`.
#[derive(Clone)]
pub struct SmtpUrl {
    builder: AsyncSmtpTransportBuilder,
    /// Host and port: what may be logged.
    authority: String,
}

/// Why a text is no address of a mail server.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidSmtpUrl {
    /// It is no URL of that kind.
    #[error("the mail server must be written smtp://user:password@host:port or smtps://…")]
    NotSmtp,
    /// It is one, with something wrong in it.
    #[error("the mail server's URL cannot be used: {0}")]
    Wrong(String),
}

// === impl SmtpUrl ===

impl SmtpUrl {
    pub(crate) fn transport(&self) -> AsyncSmtpTransportBuilder {
        self.builder.clone()
    }
}

impl FromStr for SmtpUrl {
    type Err = InvalidSmtpUrl;

    fn from_str(text: &str) -> Result<Self, InvalidSmtpUrl> {
        let uri: Uri = text.parse().map_err(|_| InvalidSmtpUrl::NotSmtp)?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(InvalidSmtpUrl::NotSmtp)?;
        let secret = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
        let wrong = |error: lettre::transport::smtp::Error| InvalidSmtpUrl::Wrong(error.to_string());
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(text).map_err(wrong)?;
        let builder = match uri.scheme_str() {
            Some("smtps") => builder,
            // Whoever says how, has decided.
            Some("smtp") if uri.query().is_some() => builder,
            Some("smtp") if is_here(host) => builder,
            Some("smtp") => {
                let parameters = TlsParameters::new(host.to_owned()).map_err(wrong)?;
                builder.tls(if secret { Tls::Required(parameters) } else { Tls::Opportunistic(parameters) })
            }
            _ => return Err(InvalidSmtpUrl::NotSmtp),
        };
        let port = uri.port().map_or_else(String::new, |port| format!(":{port}"));
        Ok(Self { builder, authority: format!("{host}{port}") })
    }
}

/// Whether it is this machine, which nobody listens in on.
fn is_here(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl fmt::Display for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.authority)
    }
}

impl fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SmtpUrl({})", self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_read_and_their_passwords_not_shown() {
        for text in
            ["smtp://localhost:1025", "smtps://me:secret@mail.example.com", "smtp://me:secret@mail.example.com:587"]
        {
            let url: SmtpUrl = text.parse().unwrap();
            assert!(!format!("{url} {url:?}").contains("secret"));
        }
        for text in ["", "mail.example.com", "http://mail.example.com", "smtp://", "smtp:mail"] {
            assert!(text.parse::<SmtpUrl>().is_err(), "{text}");
        }
    }
}
