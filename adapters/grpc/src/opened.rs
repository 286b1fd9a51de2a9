//! Requests that create or change something: what all of them bring along is read in one place.

use highstreet_domain::kernel::{Fingerprint, Phone, Scope};
use highstreet_wire::proto::{
    booking, delivery, inventory, kitchen, lending, loyalty, notification, ordering, payment, replenishment, sales,
    seating, ticketing,
};
use prost::Message;
use tonic::{Request, Status};
use uuid::Uuid;

use crate::call::Call;
use crate::fields::Fields;
use crate::status::beyond_scope;

/// A request that creates or changes something.
pub(crate) trait Changing: Message {
    /// Its RPC: a `request_id` is unique for each.
    const METHOD: &'static str;

    /// Takes `request_id` out, so that what is left is the request's content.
    fn take_request_id(&mut self) -> String;

    /// The revision the caller insists on; none where something is created.
    fn expected_revision(&self) -> Option<i64>;

    /// Whether it is about what `scope` admits, as far as the request itself tells: what is created says whose it
    /// will be, what is changed is looked at when it is found.
    fn is_within(&self, scope: &Scope) -> bool;
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
    pub(crate) fn new(request: Request<R>, call: Call) -> Result<Self, Status> {
        let mut message = request.into_inner();
        if !call.scope.is_everything() && !message.is_within(&call.scope) {
            return Err(beyond_scope());
        }
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
        Ok(Self { call, message, terms, fields })
    }
}

macro_rules! changing {
    (@one $request:ty, $method:literal, $expected:expr, $within:expr) => {
        impl Changing for $request {
            const METHOD: &'static str = $method;

            fn take_request_id(&mut self) -> String {
                std::mem::take(&mut self.request_id)
            }

            fn expected_revision(&self) -> Option<i64> {
                let expected: fn(&Self) -> Option<i64> = $expected;
                expected(self)
            }

            fn is_within(&self, scope: &Scope) -> bool {
                let within: fn(&Self, &Scope) -> bool = $within;
                within(self, scope)
            }
        }
    };
    (
        create { $($created:ty => $create:literal $(of $owner:ident)?),* $(,)? }
        change { $($changed:ty => $change:literal),* $(,)? }
    ) => {
        $(changing!(@one $created, $create, |_| None, |message, scope| {
            let owner: Option<String> = None$(.or(Some(Phone::key_of(&message.$owner))))?;
            scope.admits_of(&message.shop_id, owner.as_deref())
        });)*
        $(changing!(@one $changed, $change, |message| message.expected_revision, |_, _| true);)*
    };
}

changing! {
    create {
        ordering::PlaceOrderRequest => "PlaceOrder" of customer_phone,
        payment::RequestPaymentRequest => "RequestPayment" of payer,
        loyalty::GrantPointsRequest => "GrantPoints" of member,
        replenishment::PlaceOrderRequest => "replenishment.PlaceOrder",
        inventory::ReceiveStockRequest => "ReceiveStock",
        sales::RecordPurchaseRequest => "RecordPurchase" of customer_name,
        lending::RequestReservationRequest => "RequestReservation" of user_id,
        booking::CreateBookingRequest => "CreateBooking" of customer,
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
