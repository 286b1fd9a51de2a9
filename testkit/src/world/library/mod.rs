//! The library: readers who want a book of which there are a few copies, or none.

mod invariants;

use std::time::Duration;

use futures_util::future::{join, join_all};
use highstreet_domain::inventory::{self, Goods, Intake, StockName};
use highstreet_domain::kernel::ports::Ids;
use highstreet_domain::kernel::{Case, Id, Payer, ProductId, ProductName, Reference, ShopId};
use highstreet_domain::lending::{Command, Details, Reservation};

pub(super) use self::invariants::inspect;
use super::street::LOW_AT;
use super::visitor::Visitor;

/// The books that readers ask for; nobody ever received the second.
const BOOKS: [&str; 2] = ["demian", "ulysses"];

/// Everybody who comes to the library.
pub(super) async fn visits(visitor: Visitor) {
    let readers = 1 + visitor.dice.below(4);
    let readers = join_all((0..readers).map(|number| reserve(visitor.named(format!("reader {number}")))));
    join(receive(visitor.named("librarian".into())), readers).await;
}

fn shop() -> ShopId {
    ShopId::parse("hanbit").expect("a shop id")
}

fn book(id: &str) -> ProductId {
    ProductId::parse(id).expect("a book's number")
}

async fn receive(librarian: Visitor) {
    librarian.wait(Duration::from_secs(25)).await;
    let name = StockName { shop: shop(), sku: book(BOOKS[0]) };
    let root = Reference::new(inventory::CONTEXT, librarian.street.ids.next().to_string());
    let goods = Goods { name: ProductName::parse("데미안").expect("a title"), unit_price: None };
    let command = inventory::Command::Receive {
        name: name.clone(),
        goods,
        quantity: 1 + u32::try_from(librarian.dice.below(2)).unwrap_or(0),
        case: Case { root, shop: shop(), customer: String::new() },
        intake: Intake::ByHand,
        reorder_point: None,
        low_at: LOW_AT,
    };
    librarian.insist(&librarian.street.inventory, name.id(), &command, "ReceiveStock").await;
}

async fn reserve(reader: Visitor) {
    reader.wait(Duration::from_secs(40)).await;
    let book = book(if reader.dice.chance(80) { BOOKS[0] } else { BOOKS[1] });
    let user = Payer::parse(&reader.name).expect("a name");
    let id = Id::<Reservation>::new(reader.street.ids.next());
    let request = Command::Request(Details { shop: shop(), user, book });
    if !reader.insist(&reader.street.lending, id, &request, "RequestReservation").await {
        return;
    }
    reader.witness.remember(|testimony| testimony.reserved.push(id));
    if reader.dice.chance(45) {
        reader.wait(Duration::from_secs(15)).await;
        if reader.insist(&reader.street.lending, id, &Command::Cancel, "CancelReservation").await {
            reader.witness.remember(|testimony| testimony.given_back.push(id));
        }
    }
}
