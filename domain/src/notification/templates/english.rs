//! What messages say in English.

use alloc::format;
use alloc::string::String;

use crate::notification::{Cafe, Cinema, Goods, Happening, Library, Store};

pub(super) fn text(happening: &Happening) -> String {
    match happening {
        Happening::Cafe(cafe) => of_cafe(*cafe),
        Happening::Store(store) => of_store(store),
        Happening::Library(library) => of_library(library).into(),
        Happening::Cinema(cinema) => of_cinema(cinema),
    }
}

fn of_cafe(cafe: Cafe) -> String {
    match cafe {
        Cafe::OrderPlaced { drinks } => format!("Order received (drinks: {drinks}). Please pay."),
        Cafe::OrderPaid => "Order paid. Your drinks are being made.".into(),
        Cafe::PreparationReady => "Order ready. Your drinks are on their way soon.".into(),
        Cafe::OrderCompleted => "Order completed. Enjoy!".into(),
        Cafe::OrderCancelled { paid: false } => "Order cancelled.".into(),
        Cafe::OrderCancelled { paid: true } => "Order cancelled. What you paid will be refunded.".into(),
        Cafe::RecallRefused => {
            "Delivery cannot be recalled: it was completed before its order was cancelled. Please check.".into()
        }
    }
}

fn of_store(store: &Store) -> String {
    match store {
        Store::OrderPlaced(goods) => format!("Order placed with head office: {}.", counted(goods)),
        Store::OrderShipped(goods) => format!("Order shipped: {}.", counted(goods)),
        Store::OrderReceived(goods) => format!("Order received into stock: {}.", counted(goods)),
        Store::OrderCancelled(goods) => format!("Order cancelled: {}.", counted(goods)),
        Store::CancellationRefused(goods) => {
            format!("Order cannot be cancelled, it is on its way: {}.", counted(goods))
        }
        Store::DeliveryScheduled => "Delivery is being prepared.".into(),
        Store::Delivered => "Delivery has arrived.".into(),
        Store::StockShort(Goods { name, count }) => format!("Stock is short: {name}, {count} wanted."),
        Store::StockLow(Goods { name, count }) => format!("Stock is low: {name}, {count} left. Please order."),
        Store::Purchased(goods) => format!("Purchase recorded: {}.", counted(goods)),
        Store::PurchaseCancelled { goods, out_of_stock: false } => format!("Purchase cancelled: {}.", counted(goods)),
        Store::PurchaseCancelled { goods, out_of_stock: true } => {
            format!("Purchase cancelled, there was not enough in stock: {}.", counted(goods))
        }
    }
}

fn of_library(library: &Library) -> &'static str {
    match library {
        Library::ReservationConfirmed => "Reservation completed.",
        Library::ReservationFailed => "Reservation failed: no copy is left.",
        Library::ReservationCancelled => "Reservation cancelled.",
    }
}

fn of_cinema(cinema: &Cinema) -> String {
    match cinema {
        Cinema::BookingReserved => "Booking received. Please pay.".into(),
        Cinema::BookingPaid => "Booking paid. Please pick your seats.".into(),
        Cinema::BookingConfirmed { seats } => format!("Booking confirmed. Seats: {}.", seats.join(", ")),
        Cinema::BookingCompleted => "Booking completed: your ticket was collected. Enjoy the film!".into(),
        Cinema::BookingCancelled { expired: false } => "Booking cancelled. What you paid will be refunded.".into(),
        Cinema::BookingCancelled { expired: true } => {
            "Booking cancelled, because time ran out. What you paid will be refunded.".into()
        }
        Cinema::BookingFailed => "Booking failed. What you paid will be refunded.".into(),
    }
}

fn counted(Goods { name, count }: &Goods) -> String {
    format!("{count} × {name}")
}
