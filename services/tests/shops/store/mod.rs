//! The convenience store, and the people in it.

use std::ops::{Deref, DerefMut};

use highstreet::config::ShopArgs;
use highstreet_wire::proto::common::Reference;
use highstreet_wire::proto::delivery::delivery_service_client::DeliveryServiceClient;
use highstreet_wire::proto::delivery::{
    CompleteDeliveryRequest, Delivery, DeliveryStatus, GetDeliveryRequest, ShipDeliveryRequest, get_delivery_request,
};
use highstreet_wire::proto::inventory::inventory_service_client::InventoryServiceClient;
use highstreet_wire::proto::inventory::{GetStockRequest, ReceiveStockRequest, StockItem};
use highstreet_wire::proto::notification::{Notification, NotificationStatus, RecipientRole};
use highstreet_wire::proto::replenishment::replenishment_service_client::ReplenishmentServiceClient;
use highstreet_wire::proto::replenishment::{
    CancelOrderRequest, GetOrderRequest, Order, OrderStatus, PlaceOrderRequest,
};
use highstreet_wire::proto::sales::sales_service_client::SalesServiceClient;
use highstreet_wire::proto::sales::{
    CancelPurchaseRequest, GetPurchaseRequest, Purchase, PurchaseStatus, RecordPurchaseRequest,
};
use highstreet_wire::proto::tracking::{Board, BoardOrder, BoardSales, GetBoardRequest};
use tonic::Status;
use tonic::transport::Channel;

use crate::common::{HighStreet, eventually, reference, won};

pub(crate) mod acceptance;
pub(crate) mod contract;
pub(crate) mod outage;

const SHOP: &str = "gs25";
const COLA: &str = "cola";
/// In seconds.
const DAY: i64 = 24 * 60 * 60;
const SEOUL_AHEAD_OF_UTC: i64 = 9 * 60 * 60;

struct Store(HighStreet);

fn of_order(order: &Order) -> Reference {
    reference("replenishment", &order.order_id)
}

fn of_purchase(purchase: &Purchase) -> Reference {
    reference("sales", &purchase.purchase_id)
}

// === impl Store ===

impl Store {
    async fn open() -> Self {
        Self::with(ShopArgs::standard()).await
    }

    async fn with(args: ShopArgs) -> Self {
        Self(HighStreet::with(args).await)
    }

    fn replenishment(&self) -> ReplenishmentServiceClient<Channel> {
        ReplenishmentServiceClient::new(self.channel.clone())
    }

    fn head_office(&self) -> DeliveryServiceClient<Channel> {
        DeliveryServiceClient::new(self.channel.clone())
    }

    fn inventory(&self) -> InventoryServiceClient<Channel> {
        InventoryServiceClient::new(self.channel.clone())
    }

    fn sales(&self) -> SalesServiceClient<Channel> {
        SalesServiceClient::new(self.channel.clone())
    }

    /// What this store is called.
    fn name(&self) -> String {
        self.shop(SHOP)
    }

    /// An order of so many colas at the head office.
    fn colas(&self, quantity: i32) -> PlaceOrderRequest {
        PlaceOrderRequest {
            shop_id: self.name(),
            sku: COLA.into(),
            product_name: "콜라".into(),
            quantity,
            unit_price: Some(won(800)),
            request_id: String::new(),
        }
    }

    /// A purchase of so many of a product.
    fn purchase_of(&self, sku: &str, quantity: i32) -> RecordPurchaseRequest {
        RecordPurchaseRequest {
            shop_id: self.name(),
            sku: sku.into(),
            quantity,
            unit_price: Some(won(1200)),
            customer_name: "Mina".into(),
            request_id: String::new(),
        }
    }

    // === Orders and their deliveries ===

    async fn order(&self, quantity: i32) -> Order {
        self.replenishment().place_order(self.colas(quantity)).await.unwrap().into_inner().order.unwrap()
    }

    async fn cancel_order(&self, order: &Order) -> Result<Order, Status> {
        let request = CancelOrderRequest { order_id: order.order_id.clone(), ..Default::default() };
        Ok(self.replenishment().cancel_order(request).await?.into_inner().order.unwrap())
    }

    async fn get_order(&self, order: &Order) -> Order {
        let request = GetOrderRequest { order_id: order.order_id.clone() };
        self.replenishment().get_order(request).await.unwrap().into_inner().order.unwrap()
    }

    /// Waits until an order is there.
    async fn ordered(&self, order: &Order, status: OrderStatus) {
        let look = || async { (self.get_order(order).await.status() == status).then_some(()) };
        eventually(status.as_str_name(), look).await;
    }

    async fn delivery(&self, order: &Order) -> Option<Delivery> {
        let target = Some(get_delivery_request::Target::Order(of_order(order)));
        self.head_office().get_delivery(GetDeliveryRequest { target }).await.ok()?.into_inner().delivery
    }

    /// Waits until head office knows of an order.
    async fn scheduled(&self, order: &Order) -> Delivery {
        eventually("the delivery", || self.delivery(order)).await
    }

    async fn ship(&self, delivery: &Delivery) -> Result<Delivery, Status> {
        let request = ShipDeliveryRequest { delivery_id: delivery.delivery_id.clone(), ..Default::default() };
        Ok(self.head_office().ship_delivery(request).await?.into_inner().delivery.unwrap())
    }

    async fn arrive(&self, delivery: &Delivery) -> Delivery {
        let request = CompleteDeliveryRequest { delivery_id: delivery.delivery_id.clone(), ..Default::default() };
        self.head_office().complete_delivery(request).await.unwrap().into_inner().delivery.unwrap()
    }

    /// Orders, and has it shipped.
    async fn order_and_ship(&self, quantity: i32) -> Order {
        let order = self.order(quantity).await;
        let shipped = self.ship(&self.scheduled(&order).await).await.unwrap();
        assert_eq!(shipped.status(), DeliveryStatus::Shipped);
        order
    }

    // === Stock and purchases ===

    async fn receive(&self, sku: &str, quantity: i32) -> StockItem {
        let request = ReceiveStockRequest {
            shop_id: self.name(),
            sku: sku.into(),
            product_name: sku.to_uppercase(),
            quantity,
            unit_price: Some(won(1200)),
            ..Default::default()
        };
        self.inventory().receive_stock(request).await.unwrap().into_inner().stock.unwrap()
    }

    async fn on_hand(&self, sku: &str) -> Option<i64> {
        let request = GetStockRequest { shop_id: self.name(), sku: sku.into() };
        Some(self.inventory().get_stock(request).await.ok()?.into_inner().stock?.on_hand)
    }

    /// Waits until there are so many.
    async fn stocked(&self, sku: &str, count: i64) {
        let look = || async { self.on_hand(sku).await.filter(|on_hand| *on_hand == count) };
        eventually(&format!("{count} {sku} in stock"), look).await;
    }

    async fn buy(&self, sku: &str, quantity: i32) -> Purchase {
        self.sales().record_purchase(self.purchase_of(sku, quantity)).await.unwrap().into_inner().purchase.unwrap()
    }

    async fn cancel_purchase(&self, purchase: &Purchase) -> Purchase {
        let request = CancelPurchaseRequest { purchase_id: purchase.purchase_id.clone(), ..Default::default() };
        self.sales().cancel_purchase(request).await.unwrap().into_inner().purchase.unwrap()
    }

    async fn get_purchase(&self, purchase: &Purchase) -> Purchase {
        let request = GetPurchaseRequest { purchase_id: purchase.purchase_id.clone() };
        self.sales().get_purchase(request).await.unwrap().into_inner().purchase.unwrap()
    }

    /// Waits until a purchase is cancelled.
    async fn given_up(&self, purchase: &Purchase) -> Purchase {
        let look =
            || async { Some(self.get_purchase(purchase).await).filter(|it| it.status() == PurchaseStatus::Cancelled) };
        eventually("the purchase is cancelled", look).await
    }

    // === The owner ===

    /// The owner's board, with the sales of this day in Korea; of today if `date` is empty.
    async fn board(&self, date: &str) -> Board {
        let request = GetBoardRequest { shop_id: self.name(), date: date.into() };
        self.tracking().get_board(request).await.unwrap().into_inner().board.unwrap()
    }

    /// What the board shows as sold on the day of a purchase and on the next: midnight may come in between.
    async fn sales_since(&self, purchase: &Purchase) -> [BoardSales; 2] {
        let made = purchase.create_time.unwrap().seconds + SEOUL_AHEAD_OF_UTC;
        let date = |seconds| prost_types::Timestamp { seconds, nanos: 0 }.to_string()[..10].to_owned();
        let (day, next) = (self.board(&date(made)).await, self.board(&date(made + DAY)).await);
        [day, next].map(|board| board.sales.unwrap())
    }

    /// Waits until the board shows an order and its delivery like this.
    async fn on_board(&self, order: &Order, status: &str, delivery_status: &str) -> BoardOrder {
        let look = || async {
            let orders = self.board("").await.orders;
            let shown = orders.into_iter().find(|it| it.order.as_ref() == Some(&of_order(order)));
            shown.filter(|it| (it.status.as_str(), it.delivery_status.as_str()) == (status, delivery_status))
        };
        eventually(&format!("{status}, {delivery_status} on the board"), look).await
    }

    /// Waits until the owner was told so many things, and tells what.
    async fn told(&self, count: usize) -> Vec<Notification> {
        eventually(&format!("{count} messages"), || async {
            let told = self.notifications(SHOP).await;
            let sent = told.iter().all(|it| it.status() == NotificationStatus::Sent);
            assert!(told.iter().all(|it| it.role() == RecipientRole::Owner), "{told:?}");
            assert!(told.len() <= count, "{told:#?}");
            (sent && told.len() == count).then_some(told)
        })
        .await
    }
}

impl Deref for Store {
    type Target = HighStreet;

    fn deref(&self) -> &HighStreet {
        &self.0
    }
}

impl DerefMut for Store {
    fn deref_mut(&mut self) -> &mut HighStreet {
        &mut self.0
    }
}
