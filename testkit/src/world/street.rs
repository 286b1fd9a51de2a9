//! The street: its contexts, each a node with a durable store, on one bus.

use std::sync::Arc;

use highstreet_domain::booking::{self, Booking, Partners};
use highstreet_domain::delivery::{Delivery, Dispatch};
use highstreet_domain::inventory::Stock;
use highstreet_domain::kernel::ports::Perform;
use highstreet_domain::kernel::{Aggregate, Message, View};
use highstreet_domain::kitchen::Preparation;
use highstreet_domain::lending::{Book, Reservation};
use highstreet_domain::loyalty::Account;
use highstreet_domain::notification::{self, Locale, Notification};
use highstreet_domain::ordering::{self, Order};
use highstreet_domain::payment::{self, Payment};
use highstreet_domain::replenishment;
use highstreet_domain::sales::Purchase;
use highstreet_domain::seating::Screening;
use highstreet_domain::ticketing::{self, Ticket};
use highstreet_domain::tracking::{self, Goods, StoreOrder, Takings, Trace};
use highstreet_domain::{delivery, inventory, kitchen, lending, loyalty, sales, seating};
use highstreet_wire as wire;

use super::Flaw;
use super::chronicle::Chronicle;
use super::host::{Context, Heard, Host};
use super::idle::{Idle, Misnaming};
use super::neighbours::{Carrier, Provider};
use super::network::Network;
use super::partners::Partner;
use super::weather::Weather;
use crate::memory::{Counted, MemoryBus, Rows, SimClock};
use crate::sim::Sim;

/// Stock is low at so many or fewer.
pub(super) const LOW_AT: i64 = 2;

/// Everything there is.
pub(super) struct Street {
    pub(super) sim: Sim,
    pub(super) clock: Arc<SimClock>,
    pub(super) ids: Arc<Counted>,
    pub(super) weather: Weather,
    pub(super) network: Network,
    pub(super) bus: MemoryBus,
    pub(super) chronicle: Chronicle,
    pub(super) replenishment: Arc<Context<replenishment::Order>>,
    pub(super) inventory: Arc<Context<Stock>>,
    pub(super) sales: Arc<Context<Purchase>>,
    pub(super) lending: Arc<Context<Reservation>>,
    pub(super) books: Rows<Book>,
    pub(super) ordering: Arc<Context<Order>>,
    pub(super) payment: Arc<Context<Payment>>,
    pub(super) kitchen: Arc<Context<Preparation>>,
    pub(super) delivery: Arc<Context<Delivery>>,
    pub(super) loyalty: Arc<Context<Account>>,
    pub(super) booking: Arc<Context<Booking>>,
    pub(super) seating: Arc<Context<Screening>>,
    pub(super) ticketing: Arc<Context<Ticket>>,
    pub(super) notification: Arc<Context<Notification>>,
    pub(super) tracking: Host,
    pub(super) traces: Rows<Trace>,
    pub(super) board: Board,
    pub(super) provider: Arc<Provider>,
    pub(super) carrier: Arc<Carrier>,
    flaw: Flaw,
}

/// What the owner of a store sees.
pub(super) struct Board {
    pub(super) orders: Rows<StoreOrder>,
    pub(super) goods: Rows<Goods>,
    pub(super) takings: Rows<Takings>,
}

/// The notifications that a message leads to.
pub(super) fn notifications(message: &Message) -> Heard<Notification> {
    let react = |fact| notification::react(fact, Locale::Ko);
    Ok(wire::notification::hear(message)?.iter().flat_map(react).collect())
}

fn rows<V: View>(host: &Host, flaw: Flaw) -> Rows<V> {
    if flaw == Flaw::FlushesSkipped { Rows::careless(&host.store) } else { Rows::new(&host.store) }
}

// === impl Street ===

impl Street {
    pub(super) fn new(sim: &Sim, flaw: Flaw, chronicle: Chronicle) -> Arc<Self> {
        let (clock, weather) = (sim.clock(), Weather::storm(sim.dice()));
        let copies = weather.clone();
        let bus = MemoryBus::routed(clock.clone(), Arc::new(move || copies.copies()));
        let network = Network::new(clock.clone(), weather.clone(), chronicle.clone());
        let host = |name| Host::new(name, sim, &weather, &bus);
        let (lending, tracking) = (host(lending::CONTEXT), host(tracking::CONTEXT));
        Arc::new(Self {
            ids: Arc::new(Counted::new(clock.clone())),
            replenishment: Context::new(host(replenishment::CONTEXT), wire::replenishment::publish, flaw),
            inventory: Context::new(host(inventory::CONTEXT), wire::inventory::publish, flaw),
            sales: Context::new(host(sales::CONTEXT), wire::sales::publish, flaw),
            books: rows(&lending, flaw),
            lending: Context::new(lending, wire::lending::publish, flaw),
            ordering: Context::new(host(ordering::CONTEXT), wire::ordering::publish, flaw),
            payment: Context::new(host(payment::CONTEXT), wire::payment::publish, flaw),
            kitchen: Context::new(host(kitchen::CONTEXT), wire::kitchen::publish, flaw),
            delivery: Context::new(host(delivery::CONTEXT), wire::delivery::publish, flaw),
            loyalty: Context::new(host(loyalty::CONTEXT), wire::loyalty::publish, flaw),
            booking: Context::new(host(booking::CONTEXT), wire::booking::publish, flaw),
            seating: Context::new(host(seating::CONTEXT), wire::seating::publish, flaw),
            ticketing: Context::new(host(ticketing::CONTEXT), wire::ticketing::publish, flaw),
            notification: Context::new(host(notification::CONTEXT), wire::notification::publish, flaw),
            traces: rows(&tracking, flaw),
            board: Board {
                orders: rows(&tracking, flaw),
                goods: rows(&tracking, flaw),
                takings: rows(&tracking, flaw),
            },
            tracking,
            provider: Provider::new(sim, network.clone(), &chronicle),
            carrier: Carrier::new(sim, network.clone()),
            sim: sim.clone(),
            clock,
            weather,
            network,
            bus,
            chronicle,
            flaw,
        })
    }

    /// Every node, by its host.
    pub(super) fn hosts(&self) -> [&Host; 14] {
        [
            &self.replenishment.host,
            &self.inventory.host,
            &self.sales.host,
            &self.lending.host,
            &self.ordering.host,
            &self.payment.host,
            &self.kitchen.host,
            &self.delivery.host,
            &self.loyalty.host,
            &self.booking.host,
            &self.seating.host,
            &self.ticketing.host,
            &self.notification.host,
            &self.tracking,
        ]
    }

    /// Starts the context called `name` on what its store holds.
    pub(super) fn boot(&self, name: &str) {
        match name {
            replenishment::CONTEXT => {
                let perform = replenishment::Performing(self.partner(replenishment::CONTEXT, &self.delivery));
                self.replenishment.boot(Arc::new(perform), wire::replenishment::HEARS, |message| {
                    Ok(wire::replenishment::hear(message)?.iter().flat_map(replenishment::react).collect())
                });
            }
            inventory::CONTEXT => self.inventory.boot(Arc::new(Idle), wire::inventory::HEARS, |message| {
                let react = |fact| inventory::react(fact, LOW_AT);
                Ok(wire::inventory::hear(message)?.iter().flat_map(react).collect())
            }),
            sales::CONTEXT => self.sales.boot(Arc::new(Idle), wire::sales::HEARS, |message| {
                Ok(wire::sales::hear(message)?.iter().flat_map(sales::react).collect())
            }),
            lending::CONTEXT => self.boot_lending(),
            ordering::CONTEXT => {
                let perform = ordering::Performing(self.partner(ordering::CONTEXT, &self.payment));
                self.ordering.boot(Arc::new(perform), wire::ordering::HEARS, |message| {
                    Ok(wire::ordering::hear(message)?.iter().flat_map(ordering::react).collect())
                });
            }
            payment::CONTEXT => self.boot_payment(),
            kitchen::CONTEXT => self.kitchen.boot(Arc::new(Idle), wire::kitchen::HEARS, |message| {
                Ok(wire::kitchen::hear(message)?.iter().flat_map(kitchen::react).collect())
            }),
            delivery::CONTEXT => self.delivery.boot(Arc::new(Idle), wire::delivery::HEARS, |message| {
                let react = |fact| delivery::react(fact, Dispatch::ByHand);
                Ok(wire::delivery::hear(message)?.iter().flat_map(react).collect())
            }),
            loyalty::CONTEXT => self.loyalty.boot(Arc::new(Idle), wire::loyalty::HEARS, |message| {
                Ok(wire::loyalty::hear(message)?.iter().flat_map(loyalty::react).collect())
            }),
            booking::CONTEXT => self.boot_booking(),
            seating::CONTEXT => self.seating.boot(Arc::new(Idle), wire::seating::HEARS, |message| {
                Ok(wire::seating::hear(message)?.iter().flat_map(seating::react).collect())
            }),
            ticketing::CONTEXT => {
                let perform = ticketing::Performing(self.partner(ticketing::CONTEXT, &self.loyalty));
                self.ticketing.boot(Arc::new(perform), wire::ticketing::HEARS, |message| {
                    Ok(wire::ticketing::hear(message)?.iter().flat_map(ticketing::react).collect())
                });
            }
            notification::CONTEXT => {
                let performing = notification::Performing(self.carrier.clone());
                self.notification.boot(Arc::new(performing), wire::notification::HEARS, notifications);
            }
            _ => self.boot_tracking(),
        }
    }

    /// What the context called `name` saved and did not flush is lost.
    pub(super) fn lose_power(&self, name: &str) {
        match name {
            lending::CONTEXT => self.books.lose_power(),
            tracking::CONTEXT => {
                self.traces.lose_power();
                self.board.orders.lose_power();
                self.board.goods.lose_power();
                self.board.takings.lose_power();
            }
            _ => {}
        }
    }

    /// Forgets every handler, so that nothing keeps the world alive.
    pub(super) fn close(&self) {
        self.replenishment.close();
        self.inventory.close();
        self.sales.close();
        self.lending.close();
        self.ordering.close();
        self.payment.close();
        self.kitchen.close();
        self.delivery.close();
        self.loyalty.close();
        self.booking.close();
        self.seating.close();
        self.ticketing.close();
        self.notification.close();
    }

    /// `callee`, as `caller` calls it.
    fn partner<A: Aggregate>(&self, caller: &'static str, callee: &Arc<Context<A>>) -> Arc<Partner<A>> {
        let (callee, network, ids) = (callee.clone(), self.network.clone(), self.ids.clone());
        Arc::new(Partner { caller, callee, network, ids })
    }

    fn boot_payment(&self) {
        let performing = payment::Performing(self.provider.clone());
        let perform: Arc<dyn Perform<Payment>> = match self.flaw {
            Flaw::KeysFollowRevision => Arc::new(Misnaming(performing, self.payment.streams.clone())),
            _ => Arc::new(performing),
        };
        self.payment.boot(perform, wire::payment::HEARS, |message| {
            Ok(wire::payment::hear(message)?.iter().flat_map(payment::react).collect())
        });
    }

    fn boot_booking(&self) {
        let perform = booking::Performing(Partners {
            seats: self.partner(booking::CONTEXT, &self.seating),
            payments: self.partner(booking::CONTEXT, &self.payment),
            tickets: self.partner(booking::CONTEXT, &self.ticketing),
        });
        self.booking.boot(Arc::new(perform), wire::booking::HEARS, |message| {
            Ok(wire::booking::hear(message)?.iter().flat_map(booking::react).collect())
        });
    }

    fn boot_lending(&self) {
        self.lending.boot(Arc::new(Idle), wire::lending::HEARS, |message| {
            Ok(wire::lending::hear(message)?.iter().flat_map(lending::react).collect())
        });
        let seeing = Arc::new(wire::lending::see_book);
        self.lending.host.project("lending-books", wire::lending::BOOKS, seeing, &self.books);
    }

    fn boot_tracking(&self) {
        let (host, board) = (&self.tracking, &self.board);
        host.node.revive();
        host.project(tracking::CONTEXT, wire::tracking::HEARS, Arc::new(wire::tracking::hear), &self.traces);
        let orders = Arc::new(wire::tracking::see_order);
        host.project("tracking-orders", wire::tracking::ORDERS, orders, &board.orders);
        let goods = Arc::new(wire::tracking::see_goods);
        host.project("tracking-goods", wire::tracking::GOODS, goods, &board.goods);
        let takings = Arc::new(wire::tracking::see_sale);
        host.project("tracking-takings", wire::tracking::TAKINGS, takings, &board.takings);
    }
}
