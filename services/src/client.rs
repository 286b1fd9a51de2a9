//! How the command line reaches a server.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use highstreet_domain::kernel::Timestamp;
use highstreet_domain::kernel::ports::Clock as _;
use highstreet_foundation::SystemClock;
use highstreet_identity::{LocalKey, Person, Role};
use http::Uri;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};
use tonic::{Request, Status};

use crate::config::{AUDIENCE, LOCAL_ISSUER, target};

/// How long a token is good that is made for one command.
const GOOD_FOR: Duration = Duration::from_hours(1);

/// Which server, and as whom.
#[derive(Args, Clone, Debug)]
pub struct ServerArgs {
    /// The server. A gateway answers for all contexts, any other for those that run there.
    #[arg(long, env = "HIGHSTREET_TARGET", default_value = "http://127.0.0.1:8088", value_parser = target)]
    pub target: Uri,
    /// The bearer token to show, where the server asks who calls; `highstreet token` makes one.
    #[arg(long, env = "HIGHSTREET_TOKEN", value_parser = Bearer::read, hide_env_values = true)]
    pub token: Option<Bearer>,
    /// A key of `highstreet token`, to make a token with that may do everything, where the server believes it.
    #[arg(long, env = "HIGHSTREET_TOKEN_KEY", value_name = "FILE", conflicts_with = "token")]
    pub token_key: Option<PathBuf>,
    /// The authorities that the server's certificate may come from (PEM), where the target begins with `https://`; those
    /// of this machine if not set.
    #[arg(long, env = "HIGHSTREET_CA", value_name = "FILE")]
    pub ca: Option<PathBuf>,
}

/// The way to a server.
pub(crate) type Channel = InterceptedService<tonic::transport::Channel, Shown>;

/// A bearer token, as it is shown.
#[derive(Clone)]
pub struct Bearer(MetadataValue<Ascii>);

/// Shows a token with every call, if there is one.
#[derive(Clone)]
pub(crate) struct Shown(Option<Bearer>);

// === impl ServerArgs ===

impl ServerArgs {
    /// The way there; waits at most `patience` for a connection.
    pub(crate) async fn connect(&self, patience: Duration) -> Result<Channel, String> {
        let endpoint = self.endpoint()?.connect_timeout(patience);
        let channel = endpoint.connect().await.map_err(|error| error.to_string())?;
        Ok(shown(channel, self.bearer()?))
    }

    /// What is shown there.
    fn bearer(&self) -> Result<Option<Bearer>, String> {
        let Some(file) = &self.token_key else { return Ok(self.token.clone()) };
        let key = LocalKey::read(file).map_err(|error| error.to_string())?;
        let roles = vec![Role::Staff, Role::Owner, Role::HeadOffice, Role::Operator];
        let anybody = Person { subject: "command-line".into(), roles, shops: vec!["*".into()], ..Person::default() };
        let now = SystemClock.now();
        let seconds = |time: Timestamp| time.as_micros().div_euclid(1_000_000);
        let token = key.token(LOCAL_ISSUER, AUDIENCE, &anybody, seconds(now), seconds(now.after(GOOD_FOR)));
        Ok(Some(Bearer::read(&token)?))
    }

    fn endpoint(&self) -> Result<Endpoint, String> {
        let endpoint = Endpoint::from(self.target.clone());
        if self.target.scheme_str() != Some("https") {
            return Ok(endpoint);
        }
        let tls = match &self.ca {
            Some(file) => {
                let authorities = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
                ClientTlsConfig::new().ca_certificate(Certificate::from_pem(authorities))
            }
            None => ClientTlsConfig::new().with_native_roots(),
        };
        endpoint.tls_config(tls).map_err(|error| error.to_string())
    }

    /// Where it is, in words.
    pub(crate) fn server(&self) -> String {
        self.target.to_string().trim_end_matches('/').to_owned()
    }
}

/// `channel`, showing `token`.
pub(crate) fn shown(channel: tonic::transport::Channel, token: Option<Bearer>) -> Channel {
    InterceptedService::new(channel, Shown(token))
}

// === impl Bearer ===

impl Bearer {
    fn read(text: &str) -> Result<Self, &'static str> {
        let value = format!("Bearer {}", text.trim()).parse();
        value.map(Self).map_err(|_| "must be a JSON Web Token: letters, digits, dashes and dots")
    }
}

impl std::fmt::Debug for Bearer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bearer(…)")
    }
}

// === impl Shown ===

impl Interceptor for Shown {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(Bearer(value)) = &self.0 {
            request.metadata_mut().insert("authorization", value.clone());
        }
        Ok(request)
    }
}
