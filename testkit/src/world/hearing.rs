//! Who listens to what, and what each makes of it: the anti-corruption layer of the world.

use std::sync::Arc;

use highstreet_domain::kernel::{Case, Hearing, Id, Message, Seeing, Undecodable};
use highstreet_domain::notification::{Happening, Locale, Notification};
use highstreet_domain::ordering::Order;
use highstreet_domain::{delivery, kitchen, loyalty, notification, ordering, payment, tracking};
use uuid::Uuid;

use super::language::{News, Told};

/// One subscription of a context.
pub(super) struct Hears<A: highstreet_domain::kernel::Aggregate> {
    pub(super) source: &'static str,
    pub(super) names: &'static [&'static str],
    pub(super) hearing: Hearing<A>,
}

/// What tracking projects, by context.
pub(super) const TRACKED: [(&str, &[&str]); 5] = [
    (ordering::CONTEXT, &["OrderPlaced", "OrderPaid", "OrderCompleted", "OrderCancelled"]),
    (
        payment::CONTEXT,
        &["PaymentRequested", "PaymentApproved", "PaymentDeclined", "PaymentCancelled", "PaymentRefunded"],
    ),
    (kitchen::CONTEXT, &["PreparationStarted", "PreparationReady", "PreparationCancelled"]),
    (delivery::CONTEXT, &["DeliveryScheduled", "Shipped", "Delivered", "DeliveryCancelled", "RecallRefused"]),
    (loyalty::CONTEXT, &["Earned", "Reversed"]),
];

pub(super) fn ordering() -> Vec<Hears<Order>> {
    use ordering::{Fact, react};
    vec![
        hears(payment::CONTEXT, &["PaymentApproved", "PaymentCancelled"], |told, _| {
            let order = order_of(&told.case)?;
            Ok(match told.news {
                News::PaymentApproved => {
                    let payment = Id::<payment::Payment>::made_for(&told.case.root).to_string();
                    react(&Fact::PaymentApproved { order, payment })
                }
                News::PaymentCancelled { by_staff: true } => react(&Fact::PaymentCancelledByStaff(order)),
                _ => vec![],
            })
        }),
        hears(delivery::CONTEXT, &["Delivered"], |told, _| Ok(react(&Fact::Delivered(order_of(&told.case)?)))),
    ]
}

pub(super) fn payment() -> Vec<Hears<payment::Payment>> {
    use payment::{Fact, react};
    vec![hears(ordering::CONTEXT, &["OrderCancelled", "OrderCompleted"], |told, _| {
        let order = told.case.root;
        Ok(match told.news {
            News::OrderCancelled { .. } => {
                react(&Fact::OrderCancelled { order, reason: highstreet_domain::kernel::Note::default() })
            }
            _ => react(&Fact::OrderCompleted { order }),
        })
    })]
}

pub(super) fn kitchen() -> Vec<Hears<kitchen::Preparation>> {
    use kitchen::{Fact, Work, react};
    vec![hears(ordering::CONTEXT, &["OrderPaid", "OrderCancelled"], |told, _| {
        let (case, order) = (told.case.clone(), told.case.root);
        Ok(match told.news {
            News::OrderPaid { items, .. } => react(&Fact::OrderPaid(Work { case, order, items })),
            _ => react(&Fact::OrderCancelled(case)),
        })
    })]
}

pub(super) fn delivery() -> Vec<Hears<delivery::Delivery>> {
    use delivery::{Dispatch, Fact, Load, react};
    let by_hand = |fact: &Fact| react(fact, Dispatch::ByHand);
    vec![
        hears(kitchen::CONTEXT, &["PreparationReady"], move |told, _| {
            let (case, order) = (told.case.clone(), told.case.root);
            let News::PreparationReady { items } = told.news else { return Ok(vec![]) };
            Ok(by_hand(&Fact::PreparationReady(Load { case, order, items })))
        }),
        hears(ordering::CONTEXT, &["OrderCancelled"], move |told, _| Ok(by_hand(&Fact::OrderCancelled(told.case)))),
    ]
}

pub(super) fn loyalty() -> Vec<Hears<loyalty::Account>> {
    use loyalty::{Fact, react};
    vec![hears(ordering::CONTEXT, &["OrderPaid", "OrderCancelled"], |told, _| {
        Ok(match told.news {
            News::OrderPaid { drinks, .. } => react(&Fact::OrderPaid { case: told.case, drinks }),
            News::OrderCancelled { paid: true } => react(&Fact::PaidOrderCancelled(told.case)),
            _ => vec![],
        })
    })]
}

pub(super) fn notification() -> Vec<Hears<Notification>> {
    let hear = |told: Told, message: &Message| Ok(notifications(told, message));
    vec![
        hears(ordering::CONTEXT, &["OrderPlaced", "OrderPaid", "OrderCompleted", "OrderCancelled"], hear),
        hears(kitchen::CONTEXT, &["PreparationReady"], hear),
        hears(delivery::CONTEXT, &["RecallRefused"], hear),
    ]
}

/// The notifications that a message leads to.
pub(super) fn notifications(told: Told, message: &Message) -> Vec<(Id<Notification>, notification::Command)> {
    let happening = match told.news {
        News::OrderPlaced { drinks } => Happening::OrderPlaced { drinks },
        News::OrderPaid { .. } => Happening::OrderPaid,
        News::PreparationReady { .. } => Happening::PreparationReady,
        News::OrderCompleted => Happening::OrderCompleted,
        News::OrderCancelled { paid } => Happening::OrderCancelled { paid },
        News::RecallRefused => Happening::RecallRefused,
        _ => return vec![],
    };
    let fact = notification::Fact { message: message.id, case: told.case, event: message.name.clone(), happening };
    notification::react(&fact, Locale::Ko)
}

pub(super) fn tracking() -> Seeing<tracking::Trace> {
    Arc::new(|message| {
        let told = Told::read(message)?;
        let step = tracking::Step {
            time: message.time,
            context: message.source.to_string(),
            id: message.subject,
            revision: told.revision,
            event: message.name.clone(),
            status: String::new(),
        };
        Ok(Some(tracking::Fact { case: told.case, step }))
    })
}

/// The order that everything in a case belongs to.
pub(super) fn order_of(case: &Case) -> Result<Id<Order>, Undecodable> {
    Uuid::parse_str(&case.root.id).map(Id::new).map_err(|error| Undecodable(error.to_string()))
}

type Heard<A> = Result<Vec<(Id<A>, <A as highstreet_domain::kernel::Aggregate>::Command)>, Undecodable>;

fn hears<A: highstreet_domain::kernel::Aggregate>(
    source: &'static str,
    names: &'static [&'static str],
    hear: impl Fn(Told, &Message) -> Heard<A> + Send + Sync + 'static,
) -> Hears<A> {
    Hears { source, names, hearing: Arc::new(move |message| hear(Told::read(message)?, message)) }
}
