//! A network that misbehaves: a proxy that passes on what it is sent, as the weather allows.

use std::net::SocketAddr;
use std::time::Duration;

use highstreet_testkit::Dice;
use highstreet_testkit::servers::free_port;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::sleep;

/// What happens to what is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Weather {
    /// It arrives.
    #[default]
    Clear,
    /// It arrives later.
    Delayed(Duration),
    /// It does not arrive before the weather changes, and nobody is told.
    Lost,
    /// Questions arrive, answers do not: the callee does what it is asked, and the caller never learns of it.
    Unanswered,
    /// Of a hundred pieces so many end their connection.
    Breaking(u64),
    /// Connections are closed, and new ones too.
    Cut,
}

/// A way from here to `target`.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    weather: watch::Sender<Weather>,
    serving: AbortHandle,
}

#[derive(Clone, Copy, PartialEq)]
enum Going {
    There,
    Back,
}

// === impl Proxy ===

impl Proxy {
    pub(crate) async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", free_port())).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (weather, forecast) = watch::channel(Weather::Clear);
        let serving = tokio::spawn(serve(listener, target, forecast)).abort_handle();
        Self { address, weather, serving }
    }

    pub(crate) fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, target: SocketAddr, weather: watch::Receiver<Weather>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((near, _)) = listener.accept().await else { continue };
        if *weather.borrow() != Weather::Cut {
            connections.spawn(carry(near, target, weather.clone()));
        }
        while connections.try_join_next().is_some() {}
    }
}

/// Until either side closes, or the weather does.
async fn carry(near: TcpStream, target: SocketAddr, weather: watch::Receiver<Weather>) {
    let Ok(far) = TcpStream::connect(target).await else { return };
    for stream in [&near, &far] {
        // What is late is to be late because of the weather.
        let _ = stream.set_nodelay(true);
    }
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    tokio::select! {
        () = pass(near_in, far_out, Going::There, weather.clone()) => {}
        () = pass(far_in, near_out, Going::Back, weather.clone()) => {}
        () = cut(weather) => {}
    }
}

async fn cut(mut weather: watch::Receiver<Weather>) {
    let _ = weather.wait_for(|weather| *weather == Weather::Cut).await;
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, going: Going, mut weather: watch::Receiver<Weather>) {
    let dice = Dice::new(u64::from(from.peer_addr().map_or(0, |address| address.port())));
    let mut piece = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        let now = *weather.borrow_and_update();
        match now {
            Weather::Clear => {}
            Weather::Delayed(time) => sleep(time).await,
            // TCP sends again until it arrives.
            Weather::Lost => {
                let _ = weather.wait_for(|weather| *weather != Weather::Lost).await;
            }
            // What follows would not be understood without it.
            Weather::Unanswered if going == Going::Back => {
                let _ = weather.wait_for(|weather| *weather != Weather::Unanswered).await;
                return;
            }
            Weather::Unanswered => {}
            Weather::Breaking(percent) if dice.chance(percent) => return,
            Weather::Breaking(_) => {}
            Weather::Cut => return,
        }
        if to.write_all(&piece[..length]).await.is_err() {
            return;
        }
    }
}
