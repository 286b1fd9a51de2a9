//! Where an issuer's keys are.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use http::Uri;
use serde::Deserialize;
use thiserror::Error;

use crate::fetch::Fetch;
use crate::keys::{Keys, UnusableKeys};

const DISCOVERY: &str = "/.well-known/openid-configuration";

/// Where an issuer's keys are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// In a file (a JSON Web Key Set).
    File(PathBuf),
    /// At a URL (a JSON Web Key Set).
    Url(Uri),
    /// Where the `OpenID` provider at this URL says.
    Provider(Uri),
}

/// A text that names no place for keys.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("must be a file, or a URL that begins with https:// or http://")]
pub struct UnknownKeySource;

/// What is needed of a provider's description of itself (`OpenID` Connect Discovery 1.0).
#[derive(Deserialize)]
struct Provider {
    issuer: String,
    jwks_uri: String,
}

// === impl KeySource ===

impl KeySource {
    /// The keys that are there now.
    pub(crate) async fn read(&self, fetch: &Fetch) -> Result<Keys, UnusableKeys> {
        let from = self.to_string();
        let away = |why: String| UnusableKeys::Away { from: from.clone(), why };
        let text = match self {
            // A small file, read seldom: not worth a thread.
            Self::File(path) => std::fs::read(path).map_err(|error| away(error.to_string()))?,
            Self::Url(uri) => fetch.get(uri).await.map_err(away)?.to_vec(),
            Self::Provider(issuer) => {
                let uri = self.keys_of(issuer, fetch).await.map_err(away)?;
                fetch.get(&uri).await.map_err(away)?.to_vec()
            }
        };
        Keys::read(&from, &text)
    }

    async fn keys_of(&self, issuer: &Uri, fetch: &Fetch) -> Result<Uri, String> {
        let place = format!("{}{DISCOVERY}", issuer.to_string().trim_end_matches('/'));
        let place: Uri = place.parse().map_err(|_| "it is no URL".to_owned())?;
        let text = fetch.get(&place).await?;
        let provider: Provider = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
        if provider.issuer.trim_end_matches('/') != issuer.to_string().trim_end_matches('/') {
            return Err(format!("it says that it is {}", provider.issuer));
        }
        provider.jwks_uri.parse().map_err(|_| format!("its jwks_uri {:?} is no URL", provider.jwks_uri))
    }
}

impl FromStr for KeySource {
    type Err = UnknownKeySource;

    fn from_str(text: &str) -> Result<Self, UnknownKeySource> {
        if text.is_empty() {
            return Err(UnknownKeySource);
        }
        if !text.contains("://") {
            return Ok(Self::File(text.into()));
        }
        let uri: Uri = text.parse().map_err(|_| UnknownKeySource)?;
        if !matches!(uri.scheme_str(), Some("https" | "http")) {
            return Err(UnknownKeySource);
        }
        Ok(Self::Url(uri))
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Url(uri) | Self::Provider(uri) => write!(f, "{uri}"),
        }
    }
}
