//! A high street, and a gateway in front of it that has nothing of its own.

use highstreet::config::{GroundArgs, ShopArgs};
use highstreet::{ContextName, Door, Platform, Street};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::Web;
use crate::common::HighStreet;

/// A gateway; what it stands in front of is elsewhere.
pub(crate) struct Gateway {
    pub(crate) url: String,
    _street: Street,
    _data: TempDir,
}

/// Every context behind one gateway, which is all that clients know.
pub(crate) struct Gated {
    _street: HighStreet,
    pub(crate) gateway: Gateway,
}

// === impl Gateway ===

impl Gateway {
    /// In front of the contexts at `url`.
    pub(crate) async fn before(url: &str) -> Self {
        Self::with(url, |_| {}).await
    }

    /// The same, otherwise configured.
    pub(crate) async fn with(url: &str, configured: impl FnOnce(&mut GroundArgs)) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut ground = GroundArgs::embedded(data.path());
        ground.peers.peers = ContextName::ALL.iter().map(|it| format!("{it}={url}").parse().unwrap()).collect();
        configured(&mut ground);
        let mut street = Street::open(Platform::open(ground, ShopArgs::standard()).await.unwrap(), &[]).await.unwrap();
        street.add_gateway().unwrap();
        let door = Door::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let (listening, serving) = door.open(&street, std::future::pending()).unwrap();
        tokio::spawn(serving);
        Self { url: format!("http://{}", listening.address), _street: street, _data: data }
    }
}

// === impl Gated ===

impl Gated {
    pub(crate) async fn open() -> Self {
        let street = HighStreet::open().await;
        let gateway = Gateway::before(&street.url()).await;
        Self { _street: street, gateway }
    }

    pub(crate) fn web(&self) -> Web {
        Web::new(&self.gateway.url)
    }
}

/// Two lattes.
pub(crate) fn lattes() -> Value {
    let price = json!({"currencyCode": "KRW", "units": "4500"});
    let line = json!({"productId": "latte", "productName": "Latte", "quantity": 2, "unitPrice": price});
    json!({"customerPhone": "010-1234-5678", "paymentMethod": "PAYMENT_METHOD_CARD", "lines": [line]})
}

/// Places an order at the coffee shop.
pub(crate) async fn order(web: &Web) -> Value {
    web.post("/v1/shops/skanu/orders", lattes()).ok().await["order"].clone()
}

/// A text field.
pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name}: {value}"))
}
