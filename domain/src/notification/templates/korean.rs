//! What messages say in Korean.

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
        Cafe::OrderPlaced { drinks } => format!("주문이 접수되었습니다 (음료 {drinks}잔). 결제해 주세요."),
        Cafe::OrderPaid => "주문이 결제되었습니다. 음료를 준비하고 있습니다.".into(),
        Cafe::PreparationReady => "주문하신 음료가 준비되었습니다. 곧 배달됩니다.".into(),
        Cafe::OrderCompleted => "주문이 완료되었습니다. 맛있게 드세요.".into(),
        Cafe::OrderCancelled { paid: false } => "주문이 취소되었습니다.".into(),
        Cafe::OrderCancelled { paid: true } => "주문이 취소되었습니다. 결제하신 금액은 환불됩니다.".into(),
        Cafe::RecallRefused => "배송이 이미 완료되어 취소할 수 없습니다. 고객에게 확인해 주세요.".into(),
    }
}

fn of_store(store: &Store) -> String {
    match store {
        Store::OrderPlaced(goods) => format!("발주가 접수되었습니다: {}.", counted(goods)),
        Store::OrderShipped(goods) => format!("발주하신 상품이 출고되었습니다: {}.", counted(goods)),
        Store::OrderReceived(goods) => format!("발주하신 상품이 입고되었습니다: {}.", counted(goods)),
        Store::OrderCancelled(goods) => format!("발주가 취소되었습니다: {}.", counted(goods)),
        Store::CancellationRefused(goods) => {
            format!("발주를 취소할 수 없습니다. 이미 출고되었습니다: {}.", counted(goods))
        }
        Store::DeliveryScheduled => "배송이 준비되고 있습니다.".into(),
        Store::Delivered => "배송이 완료되었습니다.".into(),
        Store::StockShort(Goods { name, count }) => format!("재고가 부족합니다: {name} {count}개 요청."),
        Store::StockLow(Goods { name, count }) => {
            format!("재고가 얼마 남지 않았습니다: {name} {count}개. 발주해 주세요.")
        }
        Store::Purchased(goods) => format!("구매가 등록되었습니다: {}.", counted(goods)),
        Store::PurchaseCancelled { goods, out_of_stock: false } => {
            format!("구매가 취소되었습니다: {}.", counted(goods))
        }
        Store::PurchaseCancelled { goods, out_of_stock: true } => {
            format!("구매가 재고 부족으로 취소되었습니다: {}.", counted(goods))
        }
    }
}

fn of_library(library: &Library) -> &'static str {
    match library {
        Library::ReservationConfirmed => "예약 완료 되었습니다",
        Library::ReservationFailed => "예약에 실패했습니다. 남은 책이 없습니다.",
        Library::ReservationCancelled => "예약 취소 되었습니다",
    }
}

fn of_cinema(cinema: &Cinema) -> String {
    match cinema {
        Cinema::BookingReserved => "예매가 접수되었습니다. 결제해 주세요.".into(),
        Cinema::BookingPaid => "예매가 결제되었습니다. 좌석을 선택해 주세요.".into(),
        Cinema::BookingConfirmed { seats } => format!("예매가 확정되었습니다. 좌석: {}.", seats.join(", ")),
        Cinema::BookingCompleted => "예매하신 티켓을 수령하셨습니다. 즐거운 관람 되세요.".into(),
        Cinema::BookingCancelled { expired: false } => "예매가 취소되었습니다. 결제하신 금액은 환불됩니다.".into(),
        Cinema::BookingCancelled { expired: true } => {
            "예매가 시간 초과로 취소되었습니다. 결제하신 금액은 환불됩니다.".into()
        }
        Cinema::BookingFailed => "예매에 실패했습니다. 결제하신 금액은 환불됩니다.".into(),
    }
}

fn counted(Goods { name, count }: &Goods) -> String {
    format!("{name} {count}개")
}
