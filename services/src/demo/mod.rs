//! `highstreet demo`: plays a shop's story against a running server, and tells what happens.

mod cafe;
mod cinema;
mod cinema_seat_later;
mod errands;
mod house;
mod library;
mod store;
mod tell;
mod visitor;

use std::time::Duration;

use clap::{Args, ValueEnum};
use highstreet_wire::proto::tracking::tracking_service_server;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use self::visitor::Played;
use crate::client::{Channel, ServerArgs, shown};
use crate::config::{GroundArgs, ServeArgs, ShopArgs};
use crate::{ContextName, Door, Platform, Street};

/// How long whoever is at the target may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long to wait before asking again.
const PAUSE: Duration = Duration::from_millis(20);

/// `highstreet demo`.
#[derive(Args, Clone, Debug)]
pub struct DemoArgs {
    /// The shop whose story is played.
    #[arg(value_enum)]
    pub shop: Shop,
    /// The server to play against; one is started for the demo if none answers there.
    #[command(flatten)]
    pub server: ServerArgs,
}

/// The shops that have a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shop {
    /// The convenience store.
    Store,
    /// The coffee shop SKANU.
    Cafe,
    /// The library.
    Library,
    /// The cinema where seats are chosen with the booking.
    Cinema,
    /// The cinema where seats are chosen after the payment.
    CinemaSeatLater,
    /// All five, one after another.
    All,
}

/// Plays the story.
pub async fn play(args: DemoArgs) -> Result<(), String> {
    let server = args.server.server();
    if let Ok(channel) = args.server.connect(PATIENCE).await {
        greet(channel.clone(), &server).await?;
        println!("Playing against the server at {server}.");
        return story(args.shop, channel).await;
    }
    println!("No server at {server}: starting one for the demo, in a folder of its own.");
    let own = OwnServer::start().await.map_err(|error| error.to_string())?;
    let channel = own.connect().await?;
    let played = story(args.shop, channel).await;
    own.stop().await;
    played
}

/// Makes sure that who answers at `server` runs what the stories need; waits a little for one that is still starting.
async fn greet(channel: Channel, server: &str) -> Result<(), String> {
    let mut client = HealthClient::new(channel);
    let mut answers = false;
    let greeting = async {
        loop {
            let question = HealthCheckRequest { service: tracking_service_server::SERVICE_NAME.into() };
            match client.check(question).await {
                Ok(health) if health.get_ref().status() == ServingStatus::Serving => return true,
                Ok(_) => answers = true,
                Err(status) if status.code() == Code::NotFound => answers = true,
                Err(_) => return false,
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    let serves = tokio::time::timeout(PATIENCE, greeting).await.unwrap_or(false);
    match (serves, answers) {
        (true, _) => Ok(()),
        (false, true) => {
            Err(format!("no Highstreet answers at {server} that runs tracking; the demo needs all contexts"))
        }
        (false, false) => Err(format!("no Highstreet answers at {server}; something else does")),
    }
}

async fn story(shop: Shop, channel: Channel) -> Result<(), String> {
    let played = match shop {
        Shop::Store => store::play(channel).await,
        Shop::Cafe => cafe::play(channel).await,
        Shop::Library => library::play(channel).await,
        Shop::Cinema => cinema::play(channel).await,
        Shop::CinemaSeatLater => cinema_seat_later::play(channel).await,
        Shop::All => all(channel).await,
    };
    played.map_err(|unexpected| format!("the story did not go as it should: {}", unexpected.into_string()))
}

async fn all(channel: Channel) -> Played {
    store::play(channel.clone()).await?;
    cafe::play(channel.clone()).await?;
    library::play(channel.clone()).await?;
    cinema::play(channel.clone()).await?;
    cinema_seat_later::play(channel).await
}

/// A server that lives as long as the demo.
struct OwnServer {
    street: Street,
    target: String,
    stop: CancellationToken,
    _data: tempfile::TempDir,
}

// === impl OwnServer ===

impl OwnServer {
    async fn start() -> Result<Self, Box<dyn std::error::Error>> {
        let data = tempfile::tempdir()?;
        let platform = Platform::open(GroundArgs::embedded(data.path()), ShopArgs::standard()).await?;
        let street = Street::open(platform, &ContextName::ALL).await?;
        let door = Door::bind(([127, 0, 0, 1], 0).into())?;
        let stop = CancellationToken::new();
        let (listening, serving) = door.open(&street, stop.clone().cancelled_owned())?;
        tokio::spawn(serving);
        Ok(Self { street, target: format!("http://{}", listening.address), stop, _data: data })
    }

    async fn connect(&self) -> Result<Channel, String> {
        let endpoint = Endpoint::from_shared(self.target.clone()).map_err(|error| error.to_string())?;
        let channel = endpoint.connect().await;
        let channel = channel.map_err(|error| format!("the demo's own server does not answer: {error}"))?;
        Ok(shown(channel, None))
    }

    async fn stop(self) {
        self.stop.cancel();
        self.street.close(Duration::from_secs(2)).await;
    }
}

// === impl ShopArgs ===

impl ShopArgs {
    /// The defaults of the command line.
    pub fn standard() -> Self {
        ServeArgs::standard().shops
    }
}

impl ServeArgs {
    /// The defaults of the command line.
    pub fn standard() -> Self {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            args: ServeArgs,
        }
        <Line as clap::Parser>::parse_from(["highstreet"]).args
    }
}
