//! Requests that create or change something: what all of them bring along is read in one place.

use highstreet_domain::kernel::Fingerprint;
use highstreet_wire::proto::{
    booking, delivery, inventory, kitchen, lending, loyalty, notification, ordering, payment, replenishment, sales,
    seating, ticketing,
};
use prost::Message;
use tonic::Request;
use uuid::Uuid;

use crate::call::Call;
use crate::fields::Fields;

/// A request that creates or changes something.
pub(crate) trait Changing: Message {
    /// Its RPC: a `request_id` is unique for each.
    const METHOD: &'static str;

    /// Takes `request_id` out, so that what is left is the request's content.
    fn take_request_id(&mut self) -> String;

    /// The revision the caller insists on; none where something is created.
    fn expected_revision(&self) -> Option<i64>;
}

/// A request, opened: its message, on which terms it is to be carried out, and what was found wrong so far.
pub(crate) struct Opened<R> {
    pub(crate) call: Call,
    pub(crate) message: R,
    pub(crate) terms: Terms,
    pub(crate) fields: Fields,
}

/// On which terms a call wants to be carried out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) method: &'static str,
    pub(crate) request_id: Option<(Uuid, Fingerprint)>,
    pub(crate) expected_revision: Option<u64>,
}

// === impl Opened ===

impl<R: Changing> Opened<R> {
    pub(crate) fn new(request: Request<R>, call: Call) -> Self {
        let mut message = request.into_inner();
        let mut fields = Fields::default();
        let request_id = message.take_request_id();
        let request_id = (!request_id.is_empty())
            .then(|| fields.uuid("request_id", &request_id))
            .flatten()
            .map(|id| (id, Fingerprint::of(&message.encode_to_vec())));
        let expected_revision = message.expected_revision().and_then(|revision| {
            fields.check("expected_revision", u64::try_from(revision).map_err(|_| "must not be negative"))
        });
        let terms = Terms { method: R::METHOD, request_id, expected_revision };
        Self { call, message, terms, fields }
    }
}

macro_rules! changing {
    (@one $request:ty, $method:literal, $message:ident, $expected:expr) => {
        impl Changing for $request {
            const METHOD: &'static str = $method;

            fn take_request_id(&mut self) -> String {
                std::mem::take(&mut self.request_id)
            }

            fn expected_revision(&self) -> Option<i64> {
                let $message = self;
                $expected
            }
        }
    };
    (create { $($created:ty => $create:literal),* $(,)? } change { $($changed:ty => $change:literal),* $(,)? }) => {
        $(changing!(@one $created, $create, _message, None);)*
        $(changing!(@one $changed, $change, message, message.expected_revision);)*
    };
}

changing! {
    create {
        ordering::PlaceOrderRequest => "PlaceOrder",
        payment::RequestPaymentRequest => "RequestPayment",
        loyalty::GrantPointsRequest => "GrantPoints",
        replenishment::PlaceOrderRequest => "replenishment.PlaceOrder",
        inventory::ReceiveStockRequest => "ReceiveStock",
        sales::RecordPurchaseRequest => "RecordPurchase",
        lending::RequestReservationRequest => "RequestReservation",
        booking::CreateBookingRequest => "CreateBooking",
        seating::OpenScreeningRequest => "OpenScreening",
        seating::HoldSeatsRequest => "HoldSeats",
        seating::AssignSeatsRequest => "AssignSeats",
        seating::ReleaseSeatsRequest => "ReleaseSeats",
    }
    change {
        ordering::CancelOrderRequest => "CancelOrder",
        payment::PayRequest => "Pay",
        payment::CancelPaymentRequest => "CancelPayment",
        kitchen::CompletePreparationRequest => "CompletePreparation",
        delivery::ShipDeliveryRequest => "ShipDelivery",
        delivery::CompleteDeliveryRequest => "CompleteDelivery",
        delivery::CancelDeliveryRequest => "CancelDelivery",
        notification::ResendNotificationRequest => "ResendNotification",
        replenishment::CancelOrderRequest => "replenishment.CancelOrder",
        inventory::AdjustStockRequest => "AdjustStock",
        sales::CancelPurchaseRequest => "CancelPurchase",
        lending::CancelReservationRequest => "CancelReservation",
        booking::SelectSeatsRequest => "SelectSeats",
        booking::CancelBookingRequest => "CancelBooking",
        ticketing::CollectTicketRequest => "CollectTicket",
        ticketing::CancelTicketRequest => "CancelTicket",
    }
}
