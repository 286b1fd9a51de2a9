//! Where a webhook goes.

use std::fmt;
use std::str::FromStr;

use http::Uri;
use http::uri::{Authority, Scheme};
use thiserror::Error;

/// An absolute `http` or `https` URL without credentials in it.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl {
    uri: Uri,
    authority: Authority,
}

/// Why a text is no address for a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidUrl {
    /// It is no URL of that kind.
    #[error("the URL must be absolute, and begin with https:// or http://")]
    NotHttp,
    /// It holds a user and a password, which would not be sent.
    #[error("the URL must not hold a user or a password; webhooks are signed instead")]
    Credentials,
}

// === impl WebhookUrl ===

impl WebhookUrl {
    pub(crate) const fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Host and port: what may be logged. The path may hold a token.
    pub(crate) const fn authority(&self) -> &Authority {
        &self.authority
    }
}

impl FromStr for WebhookUrl {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        let uri: Uri = text.parse().map_err(|_| InvalidUrl::NotHttp)?;
        let is_http = [Some(&Scheme::HTTP), Some(&Scheme::HTTPS)].contains(&uri.scheme());
        match uri.authority().cloned() {
            Some(authority) if authority.as_str().contains('@') => Err(InvalidUrl::Credentials),
            Some(authority) if is_http => Ok(Self { uri, authority }),
            _ => Err(InvalidUrl::NotHttp),
        }
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookUrl({})", self.authority)
    }
}
