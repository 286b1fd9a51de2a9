//! The words of a booking: what it may be asked, what can happen to it, what it asks of others.

use alloc::string::String;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::booking::{Billed, Details, Taken};
use super::ports::{Registration, SeatCall};
use super::refusal::{FailReason, SelectRefusal};
use crate::kernel::{
    Money, Note, Outage, Payer, PaymentMethod, ProductName, Quantity, ScreeningId, Seats, ShopId, Timestamp,
};

/// What a booking may be asked to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Make it.
    Book(Book),
    /// Seating keeps its seats for it.
    AcceptHold,
    /// Seating will not let it have the seats it asked for.
    RefuseSeats {
        /// For the how-many-th time they were asked for; 0 for those it was made with.
        ask: u32,
        /// Why.
        refusal: SeatRefusal,
    },
    /// Payment has registered it under this id.
    AcceptPayment {
        /// The payment's id.
        payment: String,
    },
    /// Payment will not have it.
    RejectPayment {
        /// Payment's reason.
        reason: String,
    },
    /// It is paid.
    AcceptMoney,
    /// The provider declined.
    DeclineMoney {
        /// The provider's reason.
        reason: String,
    },
    /// The seats it asked for are its own.
    AcceptSeats {
        /// For the how-many-th time they were asked for; 0 for those it was made with.
        ask: u32,
        /// What is shown.
        movie: ProductName,
    },
    /// Payment says whether it is paid.
    LearnPayment {
        /// For the how-many-th time seats were asked for.
        ask: u32,
        /// Whether it is.
        paid: Taken,
    },
    /// Somebody could not be asked.
    GiveUp {
        /// For the how-many-th time seats were asked for; 0 while it is being made.
        ask: u32,
        /// How.
        outage: Outage,
    },
    /// Its payment was approved.
    MarkPaid {
        /// The payment's id.
        payment: String,
    },
    /// Take these seats.
    SelectSeats(Seats),
    /// Its time to be paid, or to choose seats, may be over.
    Expire,
    /// Cancel it.
    Cancel {
        /// In the canceller's words.
        note: Note,
    },
    /// Nobody will be let in with its ticket.
    ConfirmCancellation,
    /// Somebody was let in with its ticket.
    RefuseCancellation,
    /// Its ticket was issued.
    NoteTicket {
        /// The ticket's id.
        ticket: String,
    },
    /// Its ticket was collected.
    Complete {
        /// The ticket's id.
        ticket: String,
    },
    /// Its ticket was cancelled, whoever did that.
    LoseTicket,
}

/// What a customer books.
#[derive(Clone, Debug, PartialEq)]
pub struct Book {
    /// In which cinema.
    pub shop: ShopId,
    /// By whom.
    pub customer: Payer,
    /// Which screening.
    pub screening: ScreeningId,
    /// Which seats; `None` to choose them once it is paid.
    pub seats: Option<Seats>,
    /// How many seats.
    pub quantity: Quantity,
    /// What it costs.
    pub price: Money,
    /// How it is to be paid.
    pub method: PaymentMethod,
    /// How long there is to pay it.
    pub pay_within: Duration,
    /// How long there is to choose seats once it is paid.
    pub select_within: Duration,
}

/// What can happen to a booking.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// It was taken down.
    Submitted(Details),
    /// Its seats are kept for it.
    SeatsHeld,
    /// Its payment is registered.
    PaymentRequested {
        /// The payment's id.
        payment: String,
    },
    /// Its seats are kept for it a while longer.
    HoldRenewed,
    /// The money was taken.
    PaymentMade,
    /// It did not come about.
    Failed {
        /// Why.
        reason: FailReason,
        /// Whether there is a payment to be cancelled.
        billed: Billed,
        /// Whether money was taken.
        taken: Taken,
    },
    /// Payment registered it: it exists, without seats.
    Reserved {
        /// The payment's id.
        payment: String,
    },
    /// It was paid before it had seats.
    Paid {
        /// Until when seats have to be chosen.
        seat_by: Timestamp,
    },
    /// Seats were chosen.
    SeatsAsked(Ask),
    /// It is known to be paid: the seats can be asked for.
    SelectionBegun,
    /// The seats could not be had.
    SelectionRefused(SelectRefusal),
    /// Whoever had to be asked about the seats did not answer.
    SelectionGivenUp,
    /// It is paid and has its seats.
    Confirmed {
        /// Which.
        seats: Seats,
        /// What is shown.
        movie: ProductName,
    },
    /// Its ticket was issued.
    TicketNoted {
        /// The ticket's id.
        ticket: String,
    },
    /// Its ticket was collected.
    Completed {
        /// The ticket's id.
        ticket: String,
    },
    /// It is to be cancelled, its ticket first.
    CancellationRequested {
        /// Why.
        reason: CancelReason,
        /// In the canceller's words.
        note: Note,
    },
    /// Its ticket had been collected: it is completed.
    CancellationRefused,
    /// It was cancelled.
    Cancelled,
}

/// Seats that a customer chose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Which.
    pub seats: Seats,
    /// For the how-many-th time this booking's seats are chosen, from 1.
    pub number: u32,
}

/// What a booking has to ask of others.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Keep its seats for it.
    HoldSeats(SeatCall),
    /// Register what is to be paid.
    RequestPayment(Registration),
    /// Take the money.
    Pay {
        /// The payment's id.
        payment: String,
    },
    /// Give it its seats.
    AssignSeats {
        /// Which.
        call: SeatCall,
        /// For the how-many-th time they were asked for; 0 for those it was made with.
        ask: u32,
    },
    /// Is it paid?
    AskPayment {
        /// The payment's id.
        payment: String,
        /// For the how-many-th time seats were asked for.
        ask: u32,
    },
    /// Let nobody in with its ticket.
    CancelTicket,
}

/// Why seating refuses seats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeatRefusal {
    /// Somebody else has one of them.
    Taken,
    /// The hall does not have one of them.
    NoSuchSeat,
}

/// Why a booking was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CancelReason {
    /// The customer wished it.
    Customer,
    /// It was not paid in time, or its seats were not chosen in time.
    Expired,
    /// Staff cancelled its ticket.
    TicketCancelled,
}
