//! A street, and the way into each of its contexts.

use std::fmt;

use highstreet_wire::proto;
use http::{HeaderValue, Request, Response};
use tonic::body::Body;
use tonic::transport::{ClientTlsConfig, Endpoint};
use tower::util::{BoxCloneSyncService, ServiceExt as _};
use tower::{BoxError, Service};

use crate::patience::Patience;
use crate::visit::Visit;

/// A street: what its contexts are called through. Cheap to clone; clones share one connection.
#[derive(Clone)]
pub struct Street {
    visit: Visit,
}

/// Why a street cannot be called like this.
#[derive(Debug)]
pub enum Unusable {
    /// The address is none, or TLS cannot be set up for it.
    Address(tonic::transport::Error),
    /// The token has characters that cannot be sent.
    Token,
}

// === impl Street ===

impl Street {
    /// The street at this address, such as `http://127.0.0.1:8088`; with TLS and this machine's authorities if it begins
    /// with `https://`. It is connected to when it is first called, and again whenever the connection is lost.
    pub fn at(address: impl Into<String>) -> Result<Self, Unusable> {
        let address = address.into();
        let encrypted = address.starts_with("https://");
        let mut endpoint = Endpoint::from_shared(address).map_err(Unusable::Address)?;
        if encrypted {
            let tls = ClientTlsConfig::new().with_native_roots();
            endpoint = endpoint.tls_config(tls).map_err(Unusable::Address)?;
        }
        Ok(Self::over(endpoint.connect_lazy()))
    }

    /// The street that this leads to: a [`tonic::transport::Channel`] that you set up yourself, or anything else that
    /// carries gRPC.
    pub fn over<C>(carrier: C) -> Self
    where
        C: Service<Request<Body>, Response = Response<Body>> + Clone + Send + Sync + 'static,
        C::Error: Into<BoxError>,
        C::Future: Send + 'static,
    {
        let carrier = BoxCloneSyncService::new(carrier.map_err(Into::into));
        Self { visit: Visit { carrier, bearer: None, patience: Patience::default() } }
    }

    /// The same street, called by whoever this JSON Web Token says.
    pub fn with_token(mut self, token: &str) -> Result<Self, Unusable> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.trim())).map_err(|_| Unusable::Token)?;
        bearer.set_sensitive(true);
        self.visit.bearer = Some(bearer);
        Ok(self)
    }

    /// The same street, called with this much patience.
    #[must_use]
    pub fn with_patience(mut self, patience: Patience) -> Self {
        self.visit.patience = patience;
        self
    }

    /// What every call goes through, for a client that is generated from something else.
    pub fn visit(&self) -> Visit {
        self.visit.clone()
    }
}

impl fmt::Debug for Street {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bearer = self.visit.bearer.as_ref().map(|_| "…");
        f.debug_struct("Street").field("bearer", &bearer).field("patience", &self.visit.patience).finish()
    }
}

/// A way into each context.
macro_rules! contexts {
    ($($context:ident: $module:ident::$client:ident, $what:literal;)*) => {
        impl Street {
            $(
                #[doc = $what]
                pub fn $context(&self) -> proto::$context::$module::$client<Visit> {
                    proto::$context::$module::$client::new(self.visit())
                }
            )*
        }

        #[cfg(test)]
        const CONTEXTS: &[&str] = &[$(stringify!($context)),*];
    };
}

contexts! {
    replenishment: replenishment_service_client::ReplenishmentServiceClient, "Orders of goods (발주).";
    inventory: inventory_service_client::InventoryServiceClient, "Stock (상품/재고).";
    sales: sales_service_client::SalesServiceClient, "Purchases (구매).";
    lending: lending_service_client::LendingServiceClient, "Reservations of books (도서 예약).";
    ordering: ordering_service_client::OrderingServiceClient, "Orders of drinks (주문).";
    payment: payment_service_client::PaymentServiceClient, "Payments (결제).";
    kitchen: kitchen_service_client::KitchenServiceClient, "What is made (제조).";
    delivery: delivery_service_client::DeliveryServiceClient, "Deliveries (배송).";
    loyalty: loyalty_service_client::LoyaltyServiceClient, "Stamps and points (스탬프/포인트).";
    booking: booking_service_client::BookingServiceClient, "Bookings (예매).";
    seating: seating_service_client::SeatingServiceClient, "Screenings and their seats (좌석).";
    ticketing: ticketing_service_client::TicketingServiceClient, "Tickets (티켓).";
    notification: notification_service_client::NotificationServiceClient, "Messages (알림).";
    tracking: tracking_service_client::TrackingServiceClient, "What became of an order (마이페이지).";
    operations: operations_service_client::OperationsServiceClient, "What waits and what could not be read, for operators.";
}

// === impl Unusable ===

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(_) => {
                f.write_str("no address of a street: write it as http://host:port or https://host:port")
            }
            Self::Token => f.write_str("no JSON Web Token: it has letters, digits, dashes, underscores and dots only"),
        }
    }
}

impl std::error::Error for Unusable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Address(error) => Some(error),
            Self::Token => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use highstreet_wire::json::POOL;

    use super::CONTEXTS;

    #[test]
    fn every_context_has_a_client() {
        let mut published: Vec<String> =
            POOL.services().filter_map(|it| Some(it.package_name().split('.').nth(1)?.to_owned())).collect();
        let mut here = CONTEXTS.to_vec();
        published.sort_unstable();
        here.sort_unstable();
        assert_eq!(here, published);
    }
}
