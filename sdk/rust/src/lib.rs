//! Calls a Highstreet street.
//!
//! [`Street`] gives a client for each context, generated from the published language ([`proto`]). Every call through
//! them shows the token, carries a `request_id` if it creates or changes something, and is made again if the street
//! says that it is away or busy: under the same `request_id`, so that whatever the first attempt did is done once.
//!
//! ```no_run
//! use highstreet_client::proto::booking::CreateBookingRequest;
//! use highstreet_client::proto::{Money, common::PaymentMethod};
//! use highstreet_client::Street;
//!
//! # async fn book() -> Result<(), Box<dyn std::error::Error>> {
//! let street = Street::at("http://127.0.0.1:8088")?.with_token("eyJhbGciOi…")?;
//! let wish = CreateBookingRequest {
//!     shop_id: "cgv-gangnam".into(),
//!     customer: "010-1234-5678".into(),
//!     screening_id: "soul-19".into(),
//!     seats: vec!["1A".into(), "2B".into()],
//!     total_price: Some(Money { currency_code: "KRW".into(), units: 20_000, nanos: 0 }),
//!     payment_method: PaymentMethod::Card.into(),
//!     ..CreateBookingRequest::default()
//! };
//! let booking = street.booking().create_booking(wish).await?.into_inner().booking;
//! # Ok(())
//! # }
//! ```
//!
//! What is refused is a [`tonic::Status`]; [`reason`] is why, for programs.

mod method;
mod patience;
mod street;
mod visit;

pub use highstreet_wire::proto;
pub use patience::Patience;
pub use street::{Street, Unusable};
pub use visit::Visit;

use tonic_types::StatusExt as _;

/// Why a call was refused, for programs: the `reason` of the street's `ErrorInfo`, such as `SEAT_TAKEN`. `None` if the
/// refusal does not come from a street.
pub fn reason(status: &tonic::Status) -> Option<String> {
    status.get_details_error_info().map(|info| info.reason)
}
