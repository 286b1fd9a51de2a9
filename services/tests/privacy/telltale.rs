//! A customer of all shops who can be told from everybody else, and everything that would give them away.

use std::path::Path;

use highstreet_domain::kernel::ShopId;
use highstreet_domain::loyalty::{AccountName, Program};
use highstreet_wire::proto::booking::booking_service_client::BookingServiceClient;
use highstreet_wire::proto::booking::{CancelBookingRequest, CreateBookingRequest};
use highstreet_wire::proto::common::{PaymentMethod, Reference};
use highstreet_wire::proto::delivery::delivery_service_client::DeliveryServiceClient;
use highstreet_wire::proto::delivery::{CompleteDeliveryRequest, ListDeliveriesRequest, ShipDeliveryRequest};
use highstreet_wire::proto::inventory::inventory_service_client::InventoryServiceClient;
use highstreet_wire::proto::inventory::{GetStockRequest, ReceiveStockRequest};
use highstreet_wire::proto::kitchen::kitchen_service_client::KitchenServiceClient;
use highstreet_wire::proto::kitchen::{CompletePreparationRequest, ListPreparationsRequest};
use highstreet_wire::proto::lending::lending_service_client::LendingServiceClient;
use highstreet_wire::proto::lending::{
    CancelReservationRequest, GetReservationRequest, RequestReservationRequest, ReservationStatus,
};
use highstreet_wire::proto::loyalty::GetAccountRequest;
use highstreet_wire::proto::loyalty::loyalty_service_client::LoyaltyServiceClient;
use highstreet_wire::proto::ordering::ordering_service_client::OrderingServiceClient;
use highstreet_wire::proto::ordering::{
    CancelOrderRequest, GetOrderRequest, ListOrdersRequest, Order, OrderLine, PlaceOrderRequest,
};
use highstreet_wire::proto::payment::PayRequest;
use highstreet_wire::proto::payment::payment_service_client::PaymentServiceClient;
use highstreet_wire::proto::sales::RecordPurchaseRequest;
use highstreet_wire::proto::sales::sales_service_client::SalesServiceClient;
use highstreet_wire::proto::ticketing::ticketing_service_client::TicketingServiceClient;
use highstreet_wire::proto::ticketing::{CollectTicketRequest, GetTicketRequest, get_ticket_request};
use highstreet_wire::proto::tracking::tracking_service_client::TrackingServiceClient;
use highstreet_wire::proto::tracking::{GetTraceRequest, ListTracesRequest, Trace};
use tonic::transport::Channel;

use crate::common::{eventually, reference, won};

const CAFE: &str = "skanu";
const STORE: &str = "corner";
const LIBRARY: &str = "alexandria";
const CINEMA: &str = "cgv";

/// Somebody by a phone number and a name.
#[derive(Clone, Copy)]
pub(crate) struct Customer {
    pub(crate) phone: &'static str,
    pub(crate) name: &'static str,
    seats: [&'static str; 2],
}

pub(crate) const MINA: Customer = Customer { phone: "010-7777-0001", name: "Telltale 민아", seats: ["1A", "1B"] };
pub(crate) const JUN: Customer = Customer { phone: "010-8888-0002", name: "Somebody 준", seats: ["2A", "2B"] };

/// What somebody did in the shops.
#[derive(Clone)]
pub(crate) struct Life {
    pub(crate) order: Order,
    pub(crate) cases: Vec<Reference>,
}

/// What is counted in the shops, whoever did it.
#[derive(Debug, PartialEq)]
pub(crate) struct Totals {
    pub(crate) stamps: i64,
    pub(crate) points: i64,
    pub(crate) goods: i64,
    pub(crate) books: i64,
}

/// The shops, through one door.
#[derive(Clone)]
pub(crate) struct Shops(pub(crate) Channel);

// === impl Customer ===

impl Customer {
    /// Everything that says who it is: each way to write it, and the ids that were made of it.
    pub(crate) fn tells(&self) -> Vec<Vec<u8>> {
        let bare = self.phone.replace('-', "");
        let mut tells: Vec<Vec<u8>> =
            [self.phone, &bare, &bare[1..], self.name].map(|it| it.as_bytes().to_vec()).into();
        for (shop, program) in [(CAFE, Program::Stamps), (CINEMA, Program::Points)] {
            for member in [self.phone, self.name] {
                let shop = ShopId::parse(shop).unwrap();
                let id = AccountName { shop, program, member: member.into() }.id().uuid();
                tells.extend([id.to_string().into_bytes(), id.as_bytes().to_vec()]);
            }
        }
        tells
    }

    /// What of it stands in `bytes`.
    pub(crate) fn found_in(&self, bytes: &[u8]) -> Vec<String> {
        let tells = self.tells().into_iter().filter(|tell| bytes.windows(tell.len()).any(|it| it == tell.as_slice()));
        tells.map(|tell| String::from_utf8_lossy(&tell).into_owned()).collect()
    }

    /// The files below `folder` in which something of it stands.
    pub(crate) fn found_below(&self, folder: &Path) -> Vec<String> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                found.extend(self.found_below(&entry.path()));
            } else {
                let tells = self.found_in(&std::fs::read(entry.path()).unwrap_or_default());
                found.extend(tells.into_iter().map(|tell| format!("{}: {tell}", entry.path().display())));
            }
        }
        found
    }
}

// === impl Shops ===

impl Shops {
    /// What everybody needs.
    pub(crate) async fn open(&self) {
        for (shop, sku) in [(STORE, "milk"), (LIBRARY, "dune")] {
            let request = ReceiveStockRequest {
                shop_id: shop.into(),
                sku: sku.into(),
                product_name: sku.into(),
                quantity: 20,
                ..Default::default()
            };
            InventoryServiceClient::new(self.0.clone()).receive_stock(request).await.unwrap();
        }
    }

    /// Goes through all the shops, and leaves nothing open.
    pub(crate) async fn live(&self, who: Customer) -> Life {
        let order = self.drink(who).await;
        let mut cases = vec![reference("ordering", &order.order_id)];
        cases.push(self.change_ones_mind(who).await);
        cases.push(self.borrow(who).await);
        cases.push(self.buy(who).await);
        cases.extend(self.see_a_film(who).await);
        // Two contexts tell of stamps and points; until they are shown nothing more is on its way.
        for (case, event) in [(&cases[0], "Earned"), (&cases[5], "Earned")] {
            eventually("it is on the trace", || async { self.shows(case, event).await }).await;
        }
        Life { order, cases }
    }

    pub(crate) async fn order(&self, who: Customer) -> Order {
        let line = OrderLine {
            product_id: "latte".into(),
            product_name: "Latte".into(),
            quantity: 3,
            unit_price: Some(won(4500)),
        };
        let request = PlaceOrderRequest {
            shop_id: CAFE.into(),
            customer_phone: who.phone.into(),
            lines: vec![line],
            payment_method: PaymentMethod::Card.into(),
            request_id: uuid::Uuid::now_v7().to_string(),
        };
        OrderingServiceClient::new(self.0.clone()).place_order(request).await.unwrap().into_inner().order.unwrap()
    }

    /// Ordered, paid, made, delivered.
    async fn drink(&self, who: Customer) -> Order {
        let order = self.order(who).await;
        let pay = PayRequest { payment_id: order.payment_id.clone(), method: 1, ..Default::default() };
        PaymentServiceClient::new(self.0.clone()).pay(pay).await.unwrap();
        let of = |it: &Option<Reference>| it.as_ref().is_some_and(|it| it.id == order.order_id);
        let work = eventually("it is to be made", || async {
            let request = ListPreparationsRequest { shop_id: CAFE.into(), page_size: 1000, ..Default::default() };
            let listed = KitchenServiceClient::new(self.0.clone()).list_preparations(request).await.ok()?.into_inner();
            listed.preparations.into_iter().find(|it| of(&it.order))
        })
        .await;
        let ready = CompletePreparationRequest { preparation_id: work.preparation_id, ..Default::default() };
        KitchenServiceClient::new(self.0.clone()).complete_preparation(ready).await.unwrap();
        let couriers = DeliveryServiceClient::new(self.0.clone());
        let load = eventually("it is to be delivered", || async {
            let request = ListDeliveriesRequest { shop_id: CAFE.into(), page_size: 1000, ..Default::default() };
            let listed = couriers.clone().list_deliveries(request).await.ok()?.into_inner();
            listed.deliveries.into_iter().find(|it| of(&it.order))
        })
        .await;
        let delivery_id = load.delivery_id;
        let ship = ShipDeliveryRequest { delivery_id: delivery_id.clone(), ..Default::default() };
        couriers.clone().ship_delivery(ship).await.unwrap();
        let complete = CompleteDeliveryRequest { delivery_id, ..Default::default() };
        couriers.clone().complete_delivery(complete).await.unwrap();
        eventually("it is completed", || async {
            self.shows(&reference("ordering", &order.order_id), "OrderCompleted").await
        })
        .await;
        self.get(&order.order_id).await
    }

    pub(crate) async fn get(&self, order_id: &str) -> Order {
        let request = GetOrderRequest { order_id: order_id.into() };
        OrderingServiceClient::new(self.0.clone()).get_order(request).await.unwrap().into_inner().order.unwrap()
    }

    pub(crate) async fn cancel(&self, order: &Order, words: &str) {
        let request =
            CancelOrderRequest { order_id: order.order_id.clone(), reason: words.into(), ..Default::default() };
        OrderingServiceClient::new(self.0.clone()).cancel_order(request).await.unwrap();
    }

    /// Says who it is in words of their own.
    async fn change_ones_mind(&self, who: Customer) -> Reference {
        let order = self.order(who).await;
        self.cancel(&order, &format!("{} here, call me at {}", who.name, who.phone.replace('-', " "))).await;
        let case = reference("ordering", &order.order_id);
        eventually("it is cancelled", || async { self.shows(&case, "PaymentCancelled").await }).await;
        case
    }

    async fn borrow(&self, who: Customer) -> Reference {
        let request = RequestReservationRequest {
            shop_id: LIBRARY.into(),
            user_id: who.name.into(),
            book_id: "dune".into(),
            ..Default::default()
        };
        let lending = LendingServiceClient::new(self.0.clone());
        let reserved = lending.clone().request_reservation(request).await.unwrap().into_inner().reservation.unwrap();
        let reservation_id = reserved.reservation_id;
        eventually("it is confirmed", || async {
            let request = GetReservationRequest { reservation_id: reservation_id.clone() };
            let found = lending.clone().get_reservation(request).await.ok()?.into_inner().reservation?;
            (found.status() == ReservationStatus::Confirmed).then_some(())
        })
        .await;
        let cancel = CancelReservationRequest { reservation_id: reservation_id.clone(), ..Default::default() };
        lending.clone().cancel_reservation(cancel).await.unwrap();
        let case = reference("lending", &reservation_id);
        eventually("the copy is back", || async { self.shows(&case, "StockReturned").await }).await;
        case
    }

    async fn buy(&self, who: Customer) -> Reference {
        let request = RecordPurchaseRequest {
            shop_id: STORE.into(),
            sku: "milk".into(),
            quantity: 2,
            unit_price: Some(won(1500)),
            customer_name: who.name.into(),
            ..Default::default()
        };
        let recorded = SalesServiceClient::new(self.0.clone()).record_purchase(request).await.unwrap().into_inner();
        let case = reference("sales", &recorded.purchase.unwrap().purchase_id);
        eventually("it is taken from stock", || async { self.shows(&case, "StockWithdrawn").await }).await;
        case
    }

    /// One ticket is cancelled and one collected.
    async fn see_a_film(&self, who: Customer) -> [Reference; 2] {
        let bookings = BookingServiceClient::new(self.0.clone());
        let mut cases = Vec::new();
        for (customer, seat) in [(who.name, who.seats[0]), (who.phone, who.seats[1])] {
            let request = CreateBookingRequest {
                shop_id: CINEMA.into(),
                customer: customer.into(),
                screening_id: "soul".into(),
                seats: vec![seat.into()],
                total_price: Some(won(10_000)),
                payment_method: PaymentMethod::Card.into(),
                ..Default::default()
            };
            let booked = bookings.clone().create_booking(request).await.unwrap().into_inner().booking.unwrap();
            cases.push(reference("booking", &booked.booking_id));
        }
        let cancel = CancelBookingRequest { booking_id: cases[0].id.clone(), ..Default::default() };
        bookings.clone().cancel_booking(cancel).await.unwrap();
        eventually("its seat is free", || async { self.shows(&cases[0], "SeatsReleased").await }).await;
        let tickets = TicketingServiceClient::new(self.0.clone());
        let ticket = eventually("a ticket", || async {
            let target = Some(get_ticket_request::Target::BookingId(cases[1].id.clone()));
            tickets.clone().get_ticket(GetTicketRequest { target }).await.ok()?.into_inner().ticket
        })
        .await;
        let collect = CollectTicketRequest { ticket_id: ticket.ticket_id, ..Default::default() };
        tickets.clone().collect_ticket(collect).await.unwrap();
        eventually("it was seen", || async { self.shows(&cases[1], "BookingCompleted").await }).await;
        cases.try_into().unwrap()
    }

    // === Looking ===

    pub(crate) async fn trace(&self, case: &Reference) -> Option<Trace> {
        let request = GetTraceRequest { order: Some(case.clone()) };
        TrackingServiceClient::new(self.0.clone()).get_trace(request).await.ok()?.into_inner().trace
    }

    async fn shows(&self, case: &Reference, event: &str) -> Option<()> {
        let trace = self.trace(case).await?;
        trace.steps.iter().any(|step| step.event == event).then_some(())
    }

    /// How many orders, and how many traces, lists show of whoever is called so.
    pub(crate) async fn listed(&self, customer: &str) -> (usize, usize) {
        let request = ListOrdersRequest { shop_id: CAFE.into(), customer_phone: customer.into(), ..Default::default() };
        let orders = match OrderingServiceClient::new(self.0.clone()).list_orders(request).await {
            Ok(listed) => listed.into_inner().orders.len(),
            // A pseudonym is no phone number.
            Err(_) => 0,
        };
        let request = ListTracesRequest { shop_id: CAFE.into(), customer: customer.into(), ..Default::default() };
        let traces = TrackingServiceClient::new(self.0.clone()).list_traces(request).await.unwrap().into_inner();
        (orders, traces.traces.len())
    }

    pub(crate) async fn totals(&self, member: &str) -> Totals {
        Totals {
            stamps: self.balance(CAFE, 1, member).await,
            points: self.balance(CINEMA, 2, member).await,
            goods: self.stock(STORE, "milk").await,
            books: self.stock(LIBRARY, "dune").await,
        }
    }

    async fn balance(&self, shop: &str, program: i32, member: &str) -> i64 {
        let request = GetAccountRequest { shop_id: shop.into(), program, member: member.into() };
        let found = LoyaltyServiceClient::new(self.0.clone()).get_account(request).await;
        found.map_or(0, |found| found.into_inner().account.unwrap().balance)
    }

    async fn stock(&self, shop: &str, sku: &str) -> i64 {
        let request = GetStockRequest { shop_id: shop.into(), sku: sku.into() };
        let found = InventoryServiceClient::new(self.0.clone()).get_stock(request).await.unwrap().into_inner();
        found.stock.unwrap().on_hand
    }
}
