//! Notifiers against gateways on real sockets.

mod gateway;
mod log;
mod mail;
mod routing;
mod webhook;

use std::sync::Arc;

use async_trait::async_trait;
use highstreet_domain::kernel::ports::Clock;
use highstreet_domain::kernel::{Case, Id, Reference, ShopId, StepKey, Timestamp};
use highstreet_domain::notification::{Letter, Locale, Notification, Recipient, Role, Sending};
use uuid::Uuid;

use crate::WebhookSettings;

pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A clock that stands at 2021-02-25T15:02:10.9Z.
struct Stopped;

#[async_trait]
impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_614_265_330_900_000)
    }

    async fn until(&self, _at: Timestamp) {
        std::future::pending::<()>().await;
    }
}

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(Stopped)
}

pub(crate) fn settings() -> WebhookSettings {
    WebhookSettings::new(SECRET.parse().unwrap())
}

pub(crate) fn a_sending() -> Sending {
    sending("skanu", Role::Customer)
}

pub(crate) fn sending(shop: &str, role: Role) -> Sending {
    let id = Id::<Notification>::new(Uuid::from_u128(7));
    let case = Case {
        root: Reference::new("ordering", "o1"),
        shop: ShopId::parse(shop).unwrap(),
        customer: "010-1234-5678".into(),
    };
    let letter = Letter {
        case,
        recipient: Recipient { role, name: "010-1234-5678".into() },
        event: "OrderPaid".into(),
        locale: Locale::Ko,
        text: "주문이 결제되었습니다.".into(),
    };
    Sending { id: id.to_string(), key: StepKey::new(id, 1), letter }
}
