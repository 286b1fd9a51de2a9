//! Whose word is taken for who somebody is.

use std::path::PathBuf;

use clap::Args;
use highstreet_identity::{Issuer, KeySource};
use http::Uri;

/// The issuer of tokens that were made here, by `highstreet token`.
pub const LOCAL_ISSUER: &str = "highstreet-local";
/// What tokens are for, unless somebody says otherwise.
pub const AUDIENCE: &str = "highstreet";

/// Whose word is taken for who somebody is.
#[derive(Args, Clone, Debug)]
pub struct AuthArgs {
    /// The keys that bearer tokens are checked with: a file or a URL with a JSON Web Key Set. Without them, and without
    /// an --auth-issuer that is a URL, anybody may do anything, on a loopback address only.
    #[arg(long, env = "HIGHSTREET_AUTH_JWKS", value_name = "FILE|URL")]
    pub auth_jwks: Option<KeySource>,
    /// Who issues tokens (their `iss`). If it is the URL of an `OpenID` provider, its keys are found by discovery.
    #[arg(long, env = "HIGHSTREET_AUTH_ISSUER", default_value = LOCAL_ISSUER)]
    pub auth_issuer: String,
    /// What tokens must be for (one of their `aud`).
    #[arg(long, env = "HIGHSTREET_AUTH_AUDIENCE", default_value = AUDIENCE)]
    pub auth_audience: String,
    /// A key that contexts show each other who they are with (Ed25519, PKCS #8 in PEM, the same in every process). The
    /// first of several signs, all are believed.
    #[arg(long = "auth-mesh-key", env = "HIGHSTREET_AUTH_MESH_KEYS", value_name = "FILE", value_delimiter = ',')]
    pub auth_mesh_keys: Vec<PathBuf>,
}

// === impl AuthArgs ===

impl AuthArgs {
    /// Whose tokens are believed; `None` where nobody is asked who they are.
    pub(crate) fn issuer(&self) -> Option<Issuer> {
        let provider = || {
            let uri: Uri = self.auth_issuer.parse().ok()?;
            matches!(uri.scheme_str(), Some("https" | "http")).then_some(KeySource::Provider(uri))
        };
        let keys = self.auth_jwks.clone().or_else(provider)?;
        Some(Issuer { keys, name: self.auth_issuer.clone(), audience: self.auth_audience.clone() })
    }

    /// Whether callers have to say who they are.
    pub(crate) fn is_on(&self) -> bool {
        self.issuer().is_some() || !self.auth_mesh_keys.is_empty()
    }
}
