//! What messages say, by event and language.

use alloc::format;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::policy::Happening;

/// A language that messages are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Locale {
    /// Korean.
    #[default]
    Ko,
    /// English.
    En,
}

/// What to say of `happening` in `locale`.
pub fn text(happening: &Happening, locale: Locale) -> String {
    match locale {
        Locale::Ko => korean(happening),
        Locale::En => english(happening),
    }
}

fn korean(happening: &Happening) -> String {
    match happening {
        Happening::OrderPlaced { drinks } => format!("주문이 접수되었습니다 (음료 {drinks}잔). 결제해 주세요."),
        Happening::OrderPaid => "주문이 결제되었습니다. 음료를 준비하고 있습니다.".into(),
        Happening::PreparationReady => "주문하신 음료가 준비되었습니다. 곧 배달됩니다.".into(),
        Happening::OrderCompleted => "주문이 완료되었습니다. 맛있게 드세요.".into(),
        Happening::OrderCancelled { paid: false } => "주문이 취소되었습니다.".into(),
        Happening::OrderCancelled { paid: true } => "주문이 취소되었습니다. 결제하신 금액은 환불됩니다.".into(),
        Happening::RecallRefused => "배송이 이미 완료되어 취소할 수 없습니다. 고객에게 확인해 주세요.".into(),
    }
}

fn english(happening: &Happening) -> String {
    match happening {
        Happening::OrderPlaced { drinks } => format!("Order received (drinks: {drinks}). Please pay."),
        Happening::OrderPaid => "Order paid. Your drinks are being made.".into(),
        Happening::PreparationReady => "Order ready. Your drinks are on their way soon.".into(),
        Happening::OrderCompleted => "Order completed. Enjoy!".into(),
        Happening::OrderCancelled { paid: false } => "Order cancelled.".into(),
        Happening::OrderCancelled { paid: true } => "Order cancelled. What you paid will be refunded.".into(),
        Happening::RecallRefused => {
            "Delivery cannot be recalled: it was completed before its order was cancelled. Please check.".into()
        }
    }
}

// === impl Locale ===

impl Locale {
    /// The language's code (ISO 639-1).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ko => "ko",
            Self::En => "en",
        }
    }
}

impl core::str::FromStr for Locale {
    type Err = &'static str;

    fn from_str(code: &str) -> Result<Self, Self::Err> {
        match code {
            "ko" => Ok(Self::Ko),
            "en" => Ok(Self::En),
            _ => Err("must be ko or en"),
        }
    }
}
