//! Contexts as other contexts call them: over the same bad network as everybody else.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use highstreet_domain::booking::{
    self, Assigned, Called, Held, Learned, Paid, SeatCall, SeatRefusal, Taken, Withdrawn,
};
use highstreet_domain::delivery::{self, Delivery};
use highstreet_domain::kernel::ports::{Ids, Run};
use highstreet_domain::kernel::{
    Aggregate, Case, Cause, Claim, ClaimKey, Failure, Fingerprint, Handler, Id, Note, Payer, Reference, Rejection,
    Request, ShopId, Standing, Unanswered,
};
use highstreet_domain::loyalty::{self, Account, AccountName, Program};
use highstreet_domain::ordering;
use highstreet_domain::payment::{self, Bill, By, Payment};
use highstreet_domain::replenishment;
use highstreet_domain::seating::{self, Change, Guest, Screening, ScreeningName};
use highstreet_domain::ticketing::{self, Canceller, Grant, Granted, Ticket};

use super::host::Context;
use super::network::Network;
use crate::memory::Counted;

/// How long seats are kept for a booking.
const HOLD_FOR: Duration = Duration::from_secs(20);
const POINTS: u64 = 100;

/// A context, as `caller` calls it.
pub(super) struct Partner<A: Aggregate> {
    pub(super) caller: &'static str,
    pub(super) callee: Arc<Context<A>>,
    pub(super) network: Network,
    pub(super) ids: Arc<Counted>,
}

/// What the callee says: where it stands, or why not.
type Said<A> = Result<Standing<A>, <A as Aggregate>::Rejection>;

// === impl Partner ===

impl<A: Aggregate> Partner<A> {
    async fn ask(&self, id: Id<A>, command: A::Command, run: &Run) -> Result<Said<A>, Unanswered> {
        let cause = Cause::unique(self.ids.next());
        self.send(id, Request::new(command, cause, run.origin.clone())).await
    }

    /// Asks under a `request_id` that is the same for every attempt.
    async fn ask_once(&self, id: Id<A>, command: A::Command, run: &Run) -> Result<Said<A>, Unanswered> {
        let key = ClaimKey::new(self.caller, "step", run.key.uuid());
        let fingerprint = Fingerprint::of(format!("{command:?}").as_bytes());
        let request = Request::new(command, Cause::of_claim(key), run.origin.clone());
        self.send(id, Request { claim: Some(Claim { key, fingerprint }), ..request }).await
    }

    async fn send(&self, id: Id<A>, request: Request<A>) -> Result<Said<A>, Unanswered> {
        let what = format!("{} asks {:?} of {} {id}", self.caller, request.command, A::NAME);
        let work = move |handler: Handler<A>| async move { handler.handle(id, request).await };
        match self.network.call(&self.callee, &what, work).await? {
            Ok((_, standing)) => Ok(Ok(standing)),
            Err(Failure::Rejected(rejection)) => Ok(Err(rejection)),
            // It may have been committed all the same.
            Err(failure) => Err(Unanswered::unknown(failure.to_string())),
        }
    }

    /// What is there, without asking for anything.
    async fn look(&self, id: Id<A>) -> Result<Standing<A>, Unanswered> {
        let what = format!("{} looks at {} {id}", self.caller, A::NAME);
        let work = move |handler: Handler<A>| async move { handler.find(id).await };
        match self.network.call(&self.callee, &what, work).await? {
            Ok(found) => found.ok_or_else(|| Unanswered::unknown("there is none")),
            Err(error) => Err(Unanswered::unknown(error.to_string())),
        }
    }
}

fn reason(rejection: &impl Rejection) -> String {
    rejection.reason().to_owned()
}

#[async_trait]
impl ordering::Payments for Partner<Payment> {
    async fn register(
        &self,
        order: &Reference,
        registration: &ordering::Registration,
        run: &Run,
    ) -> Result<ordering::Registered, Unanswered> {
        let ordering::Registration { shop, payer, amount, method } = registration.clone();
        let case = Case { root: order.clone(), shop, customer: payer.clone() };
        let payer = Payer::parse(&payer).expect("a phone number is a payer");
        let bill = Bill { case, order: order.clone(), payer, amount, method, screening: None };
        let id = Id::made_for(order);
        Ok(match self.ask(id, payment::Command::Request(bill), run).await? {
            Ok(_) => ordering::Registered::As { payment: id.to_string() },
            Err(rejection) => ordering::Registered::Refused { reason: reason(&rejection) },
        })
    }

    async fn cancel(&self, order: &Reference, run: &Run) -> Result<(), Unanswered> {
        let cancellation = payment::Cancellation { reason: Note::default(), by: By::Order };
        self.ask(Id::made_for(order), payment::Command::Cancel(cancellation), run).await.map(drop)
    }

    fn unreachable(&self) -> Option<Unanswered> {
        self.network.unreachable(&self.callee)
    }
}

#[async_trait]
impl booking::Payments for Partner<Payment> {
    async fn register(
        &self,
        called: Called<'_>,
        registration: &booking::Registration,
    ) -> Result<booking::Registered, Unanswered> {
        let booking::Registration { shop, payer, amount, method, screening } = registration.clone();
        let order = called.booking.clone();
        let case = Case { root: order.clone(), shop, customer: payer.to_string() };
        let id = Id::made_for(&order);
        let bill = Bill { case, order, payer, amount, method, screening: Some(screening) };
        Ok(match self.ask(id, payment::Command::Request(bill), called.run).await? {
            Ok(_) => booking::Registered::As { payment: id.to_string() },
            Err(rejection) => booking::Registered::Refused { reason: reason(&rejection) },
        })
    }

    async fn pay(&self, called: Called<'_>, _payment: &str) -> Result<Paid, Unanswered> {
        let unknown = || Err(Unanswered::unknown("the provider has not answered yet"));
        let id = Id::made_for(called.booking);
        match self.ask_once(id, payment::Command::Pay { method: None }, called.run).await? {
            Ok(standing) => match standing.state {
                Payment::Approved { .. } => Ok(Paid::Yes),
                Payment::Declined { reason, .. } => Ok(Paid::Declined { reason }),
                Payment::Cancelled { .. } => Ok(Paid::Declined { reason: "ALREADY_CANCELLED".into() }),
                Payment::Processing { .. } | Payment::Requested(_) | Payment::Unborn => unknown(),
            },
            Err(payment::Rejection::AlreadyPaid) => Ok(Paid::Yes),
            Err(payment::Rejection::Processing) => unknown(),
            Err(rejection) => Ok(Paid::Declined { reason: reason(&rejection) }),
        }
    }

    async fn learn(&self, called: Called<'_>, _payment: &str) -> Result<Learned, Unanswered> {
        let standing = self.look(Id::made_for(called.booking)).await?;
        let approved = matches!(standing.state, Payment::Approved { .. });
        Ok(Learned(if approved { Taken::Yes } else { Taken::No }))
    }

    fn unreachable(&self) -> Option<Unanswered> {
        self.network.unreachable(&self.callee)
    }
}

impl Partner<Screening> {
    async fn ask_for(
        &self,
        called: Called<'_>,
        call: &SeatCall,
        command: impl FnOnce(Change) -> seating::Command,
    ) -> Result<Said<Screening>, Unanswered> {
        let name = ScreeningName { shop: call.shop.clone(), screening: call.screening.clone() };
        let guest = Guest { booking: called.booking.id.clone(), customer: call.customer.clone() };
        let id = name.id();
        self.ask(id, command(Change { name, guest, revision: called.run.since }), called.run).await
    }
}

fn refusal(rejection: &seating::Rejection) -> SeatRefusal {
    match rejection {
        seating::Rejection::NoSuchSeat(_) => SeatRefusal::NoSuchSeat,
        _ => SeatRefusal::Taken,
    }
}

#[async_trait]
impl booking::Seats for Partner<Screening> {
    async fn hold(&self, called: Called<'_>, call: &SeatCall) -> Result<Held, Unanswered> {
        let seats = call.seats.clone();
        let hold = |change| seating::Command::Hold { change, seats, hold_for: HOLD_FOR };
        Ok(match self.ask_for(called, call, hold).await? {
            Ok(_) => Held::Yes,
            Err(rejection) => Held::Refused(refusal(&rejection)),
        })
    }

    async fn assign(&self, called: Called<'_>, call: &SeatCall) -> Result<Assigned, Unanswered> {
        let seats = call.seats.clone();
        match self.ask_for(called, call, |change| seating::Command::Assign { change, seats }).await? {
            Ok(standing) => {
                let opened = standing.state.opened.expect("a screening with seats is open");
                Ok(Assigned::Yes { movie: opened.details.movie })
            }
            Err(rejection) => Ok(Assigned::Refused(refusal(&rejection))),
        }
    }

    fn unreachable(&self) -> Option<Unanswered> {
        self.network.unreachable(&self.callee)
    }
}

#[async_trait]
impl booking::Tickets for Partner<Ticket> {
    async fn cancel(&self, called: Called<'_>) -> Result<Withdrawn, Unanswered> {
        let command = ticketing::Command::Cancel(Canceller::Booking);
        match self.ask(Id::made_for(called.booking), command, called.run).await? {
            Ok(_) => Ok(Withdrawn::Yes),
            Err(ticketing::Rejection::AlreadyCollected) => Ok(Withdrawn::Collected),
            Err(rejection) => Err(Unanswered::unknown(rejection.to_string())),
        }
    }
}

#[async_trait]
impl ticketing::Points for Partner<Account> {
    async fn grant(&self, reference: &Reference, grant: &Grant, run: &Run) -> Result<Granted, Unanswered> {
        let name = AccountName { shop: grant.shop.clone(), program: Program::Points, member: grant.member.clone() };
        let (id, reference, root) = (name.id(), reference.clone(), Some(grant.root.clone()));
        let command = loyalty::Command::Earn { name, reference, amount: POINTS, root };
        Ok(match self.ask(id, command, run).await? {
            Ok(_) => Granted::Yes,
            Err(rejection) => Granted::Refused { reason: reason(&rejection) },
        })
    }
}

#[async_trait]
impl replenishment::Deliveries for Partner<Delivery> {
    async fn cancel(
        &self,
        order: &Reference,
        shop: &ShopId,
        run: &Run,
    ) -> Result<replenishment::Cancellation, Unanswered> {
        let case = Case { root: order.clone(), shop: shop.clone(), customer: String::new() };
        let command = delivery::Command::Cancel { case: Some(case) };
        Ok(match self.ask(Id::made_for(order), command, run).await? {
            Ok(_) => replenishment::Cancellation::Done,
            Err(_) => replenishment::Cancellation::TooLate,
        })
    }
}
