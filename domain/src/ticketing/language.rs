//! The words of a ticket: what it may be asked, what can happen to it, what it asks of others, what it refuses.

use alloc::string::String;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::ports::Grant;
use super::ticket::Admission;
use crate::kernel::{self, Kind, Outage};

/// What a ticket may be asked to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Issue it.
    Issue(Admission),
    /// Its holder is here.
    Collect,
    /// The points of this attempt are granted.
    AcceptPoints {
        /// Which attempt.
        attempt: u32,
    },
    /// Loyalty will not grant the points of this attempt.
    RefusePoints {
        /// Which attempt.
        attempt: u32,
        /// Loyalty's reason.
        reason: String,
    },
    /// Loyalty could not be asked.
    GiveUp {
        /// In which attempt.
        attempt: u32,
        /// How.
        outage: Outage,
    },
    /// Nobody is to be let in with it.
    Cancel(Canceller),
}

/// Who cancels a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Canceller {
    /// Somebody who knows the ticket.
    Holder,
    /// The booking it is for, which may not have one yet.
    Booking,
}

/// What can happen to a ticket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// It was issued.
    Issued(Admission),
    /// What was cancelled before it was issued would have been this.
    Voided(Admission),
    /// Its holder is here, and points are being granted.
    CollectionStarted {
        /// For the how-many-th time, from 1.
        attempt: u32,
    },
    /// Loyalty was not reached: nothing was granted.
    CollectionNotBegun,
    /// Loyalty refused.
    CollectionRefused {
        /// Loyalty's reason.
        reason: String,
    },
    /// Loyalty did not answer: what it granted in this attempt is to be taken back.
    CollectionGivenUp {
        /// Which attempt.
        attempt: u32,
    },
    /// Its holder was let in.
    Collected {
        /// The attempt whose points were granted.
        attempt: u32,
    },
    /// Nobody is let in with it.
    Cancelled {
        /// The attempt whose points are to be taken back, if one was under way.
        attempt: Option<u32>,
    },
}

/// What a ticket has to ask of loyalty.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Grant the points of a collected ticket.
    GrantPoints(Grant),
}

/// Why a ticket does not do what it is asked.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Rejection {
    /// There is no such ticket.
    #[error("there is no such ticket")]
    NotFound,
    /// Its holder was let in.
    #[error("this ticket was collected already")]
    AlreadyCollected,
    /// It was cancelled.
    #[error("this ticket is cancelled; do not let its holder in")]
    AlreadyCancelled,
    /// Somebody else is at it.
    #[error("this ticket is being collected; look again in a moment")]
    BeingCollected,
    /// Loyalty refused.
    #[error("this ticket cannot be collected, because its points are refused: {0}")]
    PointsRefused(String),
}

// === impl Rejection ===

impl kernel::Rejection for Rejection {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::AlreadyCollected | Self::AlreadyCancelled | Self::PointsRefused(_) => Kind::Precondition,
            Self::BeingCollected => Kind::Aborted,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "TICKET_NOT_FOUND",
            Self::AlreadyCollected => "TICKET_ALREADY_COLLECTED",
            Self::AlreadyCancelled => "TICKET_CANCELLED",
            Self::BeingCollected => "TICKET_BEING_COLLECTED",
            Self::PointsRefused(_) => "POINTS_REFUSED",
        }
    }
}
