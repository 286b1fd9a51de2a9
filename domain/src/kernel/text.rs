//! The small values that people name and count: parsed once at the border, valid from then on.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use core::fmt;

use serde::{Deserialize, Serialize};

use super::Money;

/// Why a text is not what its field wants; reads after the field's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidText(pub(crate) String);

impl fmt::Display for InvalidText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $range:expr, $wanted:literal, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes the text as it is, if it is what it should be.
            pub fn parse(text: &str) -> Result<Self, InvalidText> {
                let allowed: fn(char) -> bool = $allowed;
                if $range.contains(&text.chars().count()) && text.chars().all(allowed) {
                    Ok(Self(text.into()))
                } else {
                    Err(InvalidText($wanted.into()))
                }
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text! {
    /// A shop's name for itself in every address: `skanu`.
    ShopId, 1..=64, "must be 1 to 64 characters without spaces, slashes or control characters",
    |c| !c.is_whitespace() && !c.is_control() && c != '/'
}
text! {
    /// What a shop calls one of its products.
    ProductId, 1..=64, "must be 1 to 64 characters without control characters", |c| !c.is_control()
}
text! {
    /// A product's name as people read it.
    ProductName, 1..=200, "must be 1 to 200 characters without control characters", |c| !c.is_control()
}
text! {
    /// What a cinema calls one of its screenings.
    ScreeningId, 1..=64, "must be 1 to 64 characters without control characters", |c| !c.is_control()
}
text! {
    /// Who pays: a phone number or a name.
    Payer, 1..=200, "must be 1 to 200 characters without control characters", |c| !c.is_control()
}
text! {
    /// A few words of explanation; may be empty.
    Note, 0..=500, "must be at most 500 characters without control characters", |c| !c.is_control()
}

/// A phone number, kept as it was given and compared in E.164 form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Phone(Arc<str>);

/// A count of something: 1 to 1,000,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quantity(u32);

/// Something made, carried or sold, and how many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// What the shop calls it.
    pub product: ProductId,
    /// What people call it.
    pub name: ProductName,
    /// How many.
    pub quantity: Quantity,
    /// What one costs, where those who carry it have to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<Money>,
}

/// How a customer pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PaymentMethod {
    /// By card.
    Card,
    /// In cash.
    Cash,
}

// === impl Phone ===

impl Phone {
    /// E.164 (`+821012345678`) or Korean national form (`010-1234-5678`); dashes and spaces do not matter.
    pub fn parse(text: &str) -> Result<Self, InvalidText> {
        let number = Self(text.into());
        let key = number.key();
        let digits = key.strip_prefix('+').unwrap_or("");
        let written = text.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | ' '));
        let valid = (8..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        if written && valid && !digits.starts_with('0') {
            Ok(number)
        } else {
            Err(InvalidText("must be a phone number such as +821012345678 or 010-1234-5678".into()))
        }
    }

    /// The number as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What lists know a customer by who may be named by a phone number or by anything else: the number in E.164 form,
    /// or the name as it is.
    pub fn key_of(name: &str) -> String {
        Self::parse(name).map_or_else(|_| name.into(), |phone| phone.key())
    }

    /// The number in E.164 form: the same however it was written.
    pub fn key(&self) -> String {
        let bare: String = self.0.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
        match bare.strip_prefix('0') {
            Some(national) => format!("+82{national}"),
            None => bare,
        }
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// === impl Quantity ===

impl Quantity {
    /// The most there can be of one thing.
    pub const MOST: u32 = 1_000_000;
    /// One.
    pub const ONE: Self = Self(1);

    /// 1 to 1,000,000.
    pub fn new(count: i64) -> Result<Self, InvalidText> {
        match u32::try_from(count) {
            Ok(count @ 1..=Self::MOST) => Ok(Self(count)),
            _ => Err(InvalidText("must be 1 to 1,000,000".to_string())),
        }
    }

    /// The count.
    pub const fn get(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_number_is_the_same_however_it_is_written() {
        let same = ["010-1234-5678", "01012345678", "+82 10 1234 5678", "+821012345678"];
        for text in same {
            assert_eq!(Phone::parse(text).unwrap().key(), "+821012345678", "{text}");
        }
        for text in ["", "12345678", "010", "+0123456789", "call me", "+82-10-1234-5678-9999-99", "١٢٣"] {
            assert!(Phone::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn counts_and_names_have_limits() {
        assert!(Quantity::new(0).is_err());
        assert!(Quantity::new(1_000_001).is_err());
        assert_eq!(Quantity::new(1_000_000).unwrap().get(), 1_000_000);
        assert!(ShopId::parse("sk anu").is_err());
        assert!(ShopId::parse("스카누").is_ok());
        assert!(Note::parse("").is_ok());
    }
}
