//! The rules of a high street: what a shop may do, what follows from it, and nothing else.
//!
//! Every bounded context is three pure functions over a state ([`kernel::Aggregate`]): `decide` holds the rules,
//! `evolve` says what happened, `due` names what the state is waiting to do. Everything around them (storing,
//! publishing, retrying, expiring) is written once, in [`kernel`], against ports that adapters implement.
//!
//! To add a context: write its aggregate in a module of its own, its policy beside it (what it does about what
//! others published), and prove the laws with `testkit::laws`. Contexts never import each other: each declares the
//! facts it listens to in its own words.
#![no_std]

extern crate alloc;

pub mod booking;
pub mod delivery;
pub mod inventory;
pub mod kernel;
pub mod kitchen;
pub mod lending;
pub mod loyalty;
pub mod notification;
pub mod ordering;
pub mod payment;
pub mod replenishment;
pub mod sales;
pub mod seating;
pub mod ticketing;
pub mod tracking;
