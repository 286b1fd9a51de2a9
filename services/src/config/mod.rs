//! What can be configured: every option is a flag and an environment variable.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use clap::Args;
use highstreet_domain::notification::Locale;
use highstreet_notify::{MailAddress, Route, Secret, SmtpUrl, WebhookUrl};
use highstreet_provider::SimulatedOutage;
use http::Uri;

mod auth;
mod ground;
mod peers;
mod role;
mod telemetry;
mod tls;
mod web;

pub use auth::{AUDIENCE, AuthArgs, LOCAL_ISSUER};
pub use ground::{BusArgs, BusPlace, GroundArgs, StoreChoice, StorePlace};
pub use peers::{PeerArgs, PeerChoice};
pub use role::Role;
pub use telemetry::TelemetryArgs;
pub use tls::TlsArgs;
pub use web::WebArgs;

/// `highstreet serve`.
#[derive(Args, Clone, Debug)]
pub struct ServeArgs {
    /// The contexts to run in this process, all of them if none is named; and `gateway`, to answer for those that run
    /// elsewhere too.
    #[arg(value_name = "CONTEXT")]
    pub roles: Vec<Role>,
    /// Where gRPC is served.
    #[arg(long, env = "HIGHSTREET_LISTEN", default_value = "127.0.0.1:8088", value_parser = address)]
    pub listen: SocketAddr,
    /// Where /livez, /readyz and /metrics are served.
    #[arg(long, env = "HIGHSTREET_ADMIN", default_value = "127.0.0.1:8089", value_parser = address)]
    pub admin: SocketAddr,
    /// How long to go on answering after a stop signal, so that balancers notice that this server is not ready.
    #[arg(long, env = "HIGHSTREET_DRAIN", default_value = "0s", value_parser = duration)]
    pub drain: Duration,
    /// How long calls under way may take to finish at a stop.
    #[arg(long, env = "HIGHSTREET_GRACE", default_value = "10s", value_parser = duration)]
    pub grace: Duration,
    /// Where traces and metrics go.
    #[command(flatten)]
    pub telemetry: TelemetryArgs,
    /// What the contexts stand on.
    #[command(flatten)]
    pub ground: GroundArgs,
    /// How the shops are run.
    #[command(flatten)]
    pub shops: ShopArgs,
}

/// How the shops are run.
#[derive(Args, Clone, Debug)]
pub struct ShopArgs {
    /// How long customers have to pay before their order or booking expires.
    #[arg(long, env = "HIGHSTREET_PAY_WITHIN", default_value = "15m", value_parser = duration)]
    pub pay_within: Duration,
    /// At how many pieces or fewer stock is low, unless somebody says otherwise of a product.
    #[arg(long, env = "HIGHSTREET_REORDER_POINT", default_value_t = 5)]
    pub reorder_point: u32,
    /// How long seats are kept for a booking that is being made; longer than that takes, which is half a minute at most.
    #[arg(long, env = "HIGHSTREET_HOLD_FOR", default_value = "5m", value_parser = duration)]
    pub hold_for: Duration,
    /// How long customers have to choose seats once a booking without any is paid, before it is cancelled.
    #[arg(long, env = "HIGHSTREET_SELECT_WITHIN", default_value = "30m", value_parser = duration)]
    pub select_within: Duration,
    /// Under which name the cinemas go; shown with every booking.
    #[arg(long, env = "HIGHSTREET_BRAND", default_value = "Highstreet Cinema")]
    pub brand: String,
    /// Ship deliveries as soon as they are scheduled.
    #[arg(long, env = "HIGHSTREET_AUTO_SHIP")]
    pub auto_ship: bool,
    /// The language of notifications: ko or en.
    #[arg(long, env = "HIGHSTREET_LOCALE", default_value = "ko")]
    pub locale: Locale,
    /// Where notifications are posted: `SHOP/ROLE=URL`, `*` for any shop or role. Without one they go to the log.
    #[arg(long = "webhook", env = "HIGHSTREET_WEBHOOKS", value_name = "SHOP/ROLE=URL", value_delimiter = ',')]
    pub webhooks: Vec<Route<WebhookUrl>>,
    /// The secret that webhooks are signed with (base64, at least 24 bytes, `whsec_` in front if you like).
    #[arg(long, env = "HIGHSTREET_WEBHOOK_SECRET", hide_env_values = true)]
    pub webhook_secret: Option<Secret>,
    /// Where notifications are mailed: `SHOP/ROLE=ADDRESS`, `*` for any shop or role. Whoever is known by an e-mail
    /// address is mailed there, unless a route says otherwise.
    #[arg(long = "mail", env = "HIGHSTREET_MAIL", value_name = "SHOP/ROLE=ADDRESS", value_delimiter = ',')]
    pub mail: Vec<Route<MailAddress>>,
    /// The server that takes mail: `smtps://user:password@host:port`, or `smtp://…` for STARTTLS, which is a must for
    /// passwords that leave this machine.
    #[arg(long, env = "HIGHSTREET_SMTP_URL", hide_env_values = true)]
    pub smtp_url: Option<SmtpUrl>,
    /// Who mail is from.
    #[arg(long, env = "HIGHSTREET_SMTP_FROM", value_name = "ADDRESS")]
    pub smtp_from: Option<MailAddress>,
    /// How long the simulated payment provider takes: `500ms`, or from-to as in `400ms..620ms`.
    #[arg(long, env = "HIGHSTREET_PROVIDER_LATENCY", default_value = "0s", value_parser = duration_range)]
    pub provider_latency: RangeInclusive<Duration>,
    /// The share of payments that the simulated provider declines, 0 to 1.
    #[arg(long, env = "HIGHSTREET_PROVIDER_DECLINE_RATE", default_value_t = 0.0)]
    pub provider_decline_rate: f64,
    /// Whether the simulated provider is out of order: none, refuses or hangs.
    #[arg(long, env = "HIGHSTREET_PROVIDER_OUTAGE", default_value = "none")]
    pub provider_outage: SimulatedOutage,
    /// How many payments the simulated provider takes at once; any number if not set.
    #[arg(long, env = "HIGHSTREET_PROVIDER_CONCURRENCY")]
    pub provider_concurrency: Option<usize>,
}

/// An address to listen on.
pub fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "must be an IP address and a port; write it like 127.0.0.1:8088")
}

/// An address to ask, by number or by name.
pub fn host_and_port(text: &str) -> Result<String, &'static str> {
    let port = text.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port.parse::<u16>());
    if matches!(port, Some(Ok(_))) {
        Ok(text.to_owned())
    } else {
        Err("must be a host and a port; write it like 127.0.0.1:8089 or payment:8089")
    }
}

/// A server's address, as clients write it.
pub fn target(text: &str) -> Result<Uri, &'static str> {
    const WANTED: &str = "must be where a server listens; write it like http://127.0.0.1:8088";
    let uri: Uri = text.parse().map_err(|_| WANTED)?;
    match uri.scheme_str() {
        Some("http" | "https") if uri.authority().is_some() => Ok(uri),
        _ => Err(WANTED),
    }
}

pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| format!("{error}; write it like 15m or 400ms"))
}

fn duration_range(text: &str) -> Result<RangeInclusive<Duration>, String> {
    let (from, to) = text.split_once("..").unwrap_or((text, text));
    let (from, to) = (duration(from)?, duration(to)?);
    if from > to { Err("must go from the shorter to the longer".into()) } else { Ok(from..=to) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_numbers() {
        assert!(address("[::1]:8088").is_ok());
        assert!(address("localhost:8088").unwrap_err().contains("write it like 127.0.0.1:8088"));
    }

    #[test]
    fn who_is_asked_has_a_name_or_a_number() {
        for good in ["127.0.0.1:8089", "[::1]:8089", "payment:8089"] {
            assert_eq!(host_and_port(good).as_deref(), Ok(good));
        }
        for nonsense in ["payment", ":8089", "payment:", "payment:grpc", "payment:70000", ""] {
            assert!(host_and_port(nonsense).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn a_target_is_a_scheme_and_an_authority() {
        assert!(target("http://localhost:8088").is_ok());
        for nonsense in ["nonsense", "127.0.0.1:8088", "http://", "ftp://127.0.0.1", "/a", ""] {
            assert!(target(nonsense).is_err(), "{nonsense}");
        }
        assert!(target("https://localhost:8088").is_ok());
    }

    #[test]
    fn ranges_are_read() {
        assert_eq!(duration_range("1s"), Ok(Duration::from_secs(1)..=Duration::from_secs(1)));
        let range = Duration::from_millis(400)..=Duration::from_millis(620);
        assert_eq!(duration_range("400ms..620ms"), Ok(range));
        assert!(duration_range("2s..1s").is_err());
        assert!(duration_range("soon").is_err());
    }
}
