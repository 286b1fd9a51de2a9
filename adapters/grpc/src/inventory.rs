//! Inventory over gRPC.

use async_trait::async_trait;
use highstreet_domain::inventory::{CONTEXT, Command, Goods, Intake, Stock, StockName};
use highstreet_domain::kernel::ports::Filter;
use highstreet_domain::kernel::{Case, Id, Note, ProductId, ProductName, Quantity, Reference, ShopId, Standing};
use highstreet_wire::convert::{money, timestamp};
use highstreet_wire::proto::inventory as proto;
use highstreet_wire::proto::inventory::inventory_service_server::InventoryService;
use tonic::{Request, Response, Status};

use crate::Desk;
use crate::fields::Fields;
use crate::opened::Opened;
use crate::page::Wanted;
use crate::scope::{asked, refuse_beyond};
use crate::status::{not_found, of_store};

/// Inventory, inbound.
pub struct Inventory {
    /// Where calls arrive.
    pub desk: Desk<Stock>,
    /// At how many or fewer stock is low, unless somebody says otherwise.
    pub low_at: i64,
}

#[async_trait]
impl InventoryService for Inventory {
    async fn receive_stock(
        &self,
        request: Request<proto::ReceiveStockRequest>,
    ) -> Result<Response<proto::ReceiveStockResponse>, Status> {
        let Opened { call, message, terms, mut fields } = self.desk.open(request)?;
        let name = read_name(&mut fields, &message.shop_id, &message.sku);
        let product_name = fields.check("product_name", ProductName::parse(&message.product_name));
        let quantity = u32::try_from(message.quantity).ok().filter(|quantity| *quantity <= Quantity::MOST);
        let quantity = fields.check("quantity", quantity.ok_or("must be 0 to 1,000,000"));
        let unit_price =
            message.unit_price.as_ref().and_then(|unit_price| fields.money("unit_price", Some(unit_price)));
        let reorder_point = read_reorder_point(&mut fields, message.reorder_point);
        let parts = name.zip(product_name).zip(quantity);
        let ((name, product_name), quantity) = fields.finish_with(parts)?;
        let (id, case) = (name.id(), self.by_hand(&name));
        let goods = Goods { name: product_name, unit_price };
        let (intake, low_at) = (Intake::ByHand, self.low_at);
        let command = Command::Receive { name, goods, quantity, case, intake, reorder_point, low_at };
        let (id, stock) = self.desk.change(&call, terms, id, command).await?;
        Ok(Response::new(proto::ReceiveStockResponse { stock: Some(show(id, &stock)?) }))
    }

    async fn adjust_stock(
        &self,
        request: Request<proto::AdjustStockRequest>,
    ) -> Result<Response<proto::AdjustStockResponse>, Status> {
        let Opened { call, message, terms, mut fields } = self.desk.open(request)?;
        let name = read_name(&mut fields, &message.shop_id, &message.sku);
        let delta = Some(i64::from(message.delta)).filter(|delta| delta.unsigned_abs() <= Quantity::MOST.into());
        let delta = fields.check("delta", delta.ok_or("must be at most 1,000,000 either way"));
        let note = fields.check("reason", Note::parse(&message.reason));
        let reorder_point = read_reorder_point(&mut fields, message.reorder_point);
        let (name, (delta, note)) = fields.finish_with(name.zip(delta.zip(note)))?;
        let command = Command::Adjust { delta, note, reorder_point, case: self.by_hand(&name) };
        let (id, stock) = self.desk.change(&call, terms, name.id(), command).await?;
        Ok(Response::new(proto::AdjustStockResponse { stock: Some(show(id, &stock)?) }))
    }

    async fn get_stock(
        &self,
        request: Request<proto::GetStockRequest>,
    ) -> Result<Response<proto::GetStockResponse>, Status> {
        let (scope, message) = asked(request);
        let mut fields = Fields::default();
        let name = read_name(&mut fields, &message.shop_id, &message.sku);
        let id = fields.finish_with(name)?.id();
        refuse_beyond(&scope, &message.shop_id, None)?;
        // What was only ever asked for is on no list; whoever asks for it hears that there is none.
        let found = self.desk.handler.find(id).await.map_err(|error| of_store(&error))?;
        let stock = found.ok_or_else(|| not_found("stock", &message.sku))?;
        Ok(Response::new(proto::GetStockResponse { stock: Some(show(id, &stock)?) }))
    }

    async fn list_stock(
        &self,
        request: Request<proto::ListStockRequest>,
    ) -> Result<Response<proto::ListStockResponse>, Status> {
        let (scope, message) = asked(request);
        let mut fields = Fields::default();
        let filter = Filter {
            shop: fields.check("shop_id", ShopId::parse(&message.shop_id)).map(|shop| shop.to_string()),
            status: message.low_only.then(|| "LOW".into()),
            ..Filter::default()
        };
        let wanted = Wanted::new(&mut fields, filter, message.page_size, &message.page_token);
        fields.finish()?;
        let (found, next_page_token) = self.desk.list(&scope, &wanted).await?;
        let stock = found.iter().map(|(id, it)| show(*id, it)).collect::<Result<_, _>>()?;
        Ok(Response::new(proto::ListStockResponse { stock, next_page_token }))
    }
}

impl Inventory {
    /// What a movement by hand is entered under: each under a name of its own.
    fn by_hand(&self, name: &StockName) -> Case {
        let root = Reference::new(CONTEXT, self.desk.ids.next().to_string());
        Case { root, shop: name.shop.clone(), customer: String::new() }
    }
}

fn read_name(fields: &mut Fields, shop: &str, sku: &str) -> Option<StockName> {
    let shop = fields.check("shop_id", ShopId::parse(shop));
    let sku = fields.check("sku", ProductId::parse(sku));
    Some(StockName { shop: shop?, sku: sku? })
}

fn read_reorder_point(fields: &mut Fields, point: Option<i32>) -> Option<i64> {
    let allowed = |point: i32| (0..=1_000_000).contains(&point).then_some(i64::from(point));
    fields.check("reorder_point", allowed(point?).ok_or("must be 0 to 1,000,000"))
}

fn show(id: Id<Stock>, stock: &Standing<Stock>) -> Result<proto::StockItem, Status> {
    let name = stock.state.name.as_ref().ok_or_else(|| not_found("stock", &id.to_string()))?;
    let goods = stock.state.goods.as_ref();
    let status = if stock.state.is_low() { proto::StockStatus::Low } else { proto::StockStatus::Ok };
    Ok(proto::StockItem {
        shop_id: name.shop.to_string(),
        sku: name.sku.to_string(),
        product_name: goods.map_or_else(String::new, |goods| goods.name.to_string()),
        on_hand: stock.state.on_hand,
        reorder_point: stock.state.reorder_point,
        unit_price: goods.and_then(|goods| goods.unit_price.as_ref()).map(money),
        stock_id: id.to_string(),
        status: status.into(),
        revision: stock.revision.cast_signed(),
        create_time: Some(timestamp(stock.created)),
        update_time: Some(timestamp(stock.updated)),
    })
}
