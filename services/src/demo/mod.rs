//! `highstreet demo`: plays a shop's story against a running server, and tells what happens.

mod cafe;
mod tell;

use std::time::Duration;

use clap::{Args, ValueEnum};
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};

use crate::config::{ServeArgs, ShopArgs};
use crate::{ContextName, Door, Platform, Street};

/// `highstreet demo`.
#[derive(Args, Clone, Debug)]
pub struct DemoArgs {
    /// The shop whose story is played.
    #[arg(value_enum)]
    pub shop: Shop,
    /// The server to play against; one is started for the demo if none answers there.
    #[arg(long, env = "HIGHSTREET_TARGET", default_value = "http://127.0.0.1:8088")]
    pub target: String,
}

/// The shops that have a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shop {
    /// The coffee shop SKANU.
    Cafe,
}

/// Plays the story.
pub async fn play(args: DemoArgs) -> Result<(), String> {
    let endpoint = Endpoint::from_shared(args.target.clone())
        .map_err(|error| format!("--target {}: {error}; write it like http://127.0.0.1:8088", args.target))?
        .connect_timeout(Duration::from_secs(2));
    if let Ok(channel) = endpoint.connect().await {
        println!("Playing against the server at {}.", args.target);
        return story(args.shop, channel).await;
    }
    println!("No server at {}: starting one for the demo, in a folder of its own.", args.target);
    let own = OwnServer::start().await.map_err(|error| error.to_string())?;
    let channel = own.connect().await?;
    let played = story(args.shop, channel).await;
    own.stop().await;
    played
}

async fn story(shop: Shop, channel: Channel) -> Result<(), String> {
    match shop {
        Shop::Cafe => cafe::play(channel).await,
    }
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
        let platform = Platform::open(data.path(), ShopArgs::standard())?;
        let street = Street::open(platform, &ContextName::ALL).await?;
        let door = Door::bind(([127, 0, 0, 1], 0).into()).await?;
        let stop = CancellationToken::new();
        let (listening, serving) = door.open(&street, stop.clone().cancelled_owned())?;
        tokio::spawn(serving);
        Ok(Self { street, target: format!("http://{}", listening.address), stop, _data: data })
    }

    async fn connect(&self) -> Result<Channel, String> {
        let endpoint = Endpoint::from_shared(self.target.clone()).map_err(|error| error.to_string())?;
        endpoint.connect().await.map_err(|error| format!("the demo's own server does not answer: {error}"))
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
