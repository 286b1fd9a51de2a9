//! What is served beside gRPC: JSON, and pages.

use std::time::Duration;

use clap::Args;
use highstreet_console::SignIn;
use highstreet_identity::Issuer;
use highstreet_json::{JsonSettings, Origin};

use super::duration;

/// What is served beside gRPC: JSON, gRPC-Web and Connect.
#[derive(Args, Clone, Debug)]
pub struct WebArgs {
    /// An origin whose pages may call from browsers, such as `https://shop.example`; may be repeated, and `*` is any.
    /// None if not set.
    #[arg(long = "cors-origin", env = "HIGHSTREET_CORS_ORIGINS", value_name = "ORIGIN", value_delimiter = ',')]
    pub cors_origins: Vec<Origin>,
    /// How long a call in JSON may take whose caller does not say so (`X-Request-Timeout`).
    #[arg(long, env = "HIGHSTREET_JSON_TIMEOUT", default_value = "30s", value_parser = duration)]
    pub json_timeout: Duration,
    /// Who the console is to the OpenID provider of --auth-issuer, where visitors then sign in. Without it they show a
    /// token.
    #[arg(long, env = "HIGHSTREET_CONSOLE_CLIENT_ID", requires = "console_redirect")]
    pub console_client_id: Option<String>,
    /// What shows the console to the provider.
    #[arg(long, env = "HIGHSTREET_CONSOLE_CLIENT_SECRET", hide_env_values = true, default_value = "")]
    pub console_client_secret: String,
    /// Where the provider sends visitors back to: the console's `/sign-in/answer`, in full.
    #[arg(long, env = "HIGHSTREET_CONSOLE_REDIRECT", value_name = "URL", requires = "console_client_id")]
    pub console_redirect: Option<String>,
}

// === impl WebArgs ===

impl WebArgs {
    /// How visitors of the console show who they are: at the provider that is this issuer, or by a token.
    pub(crate) fn sign_in(&self, issuer: Option<&Issuer>) -> SignIn {
        let console = self.console_client_id.clone().zip(self.console_redirect.clone());
        let Some(((client_id, redirect), issuer)) = console.zip(issuer) else { return SignIn::Token };
        let client_secret = self.console_client_secret.clone();
        SignIn::Oidc { issuer: issuer.name.clone(), client_id, client_secret, redirect }
    }

    /// As the adapter wants it.
    pub(crate) fn settings(&self) -> JsonSettings {
        JsonSettings { origins: self.cors_origins.clone(), timeout: self.json_timeout, ..JsonSettings::default() }
    }
}
