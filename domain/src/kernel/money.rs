//! Amounts of money, exact to a billionth of the unit.

use core::fmt;
use core::str;

use serde::{Deserialize, Serialize};

const NANOS_PER_UNIT: i128 = 1_000_000_000;

/// An ISO 4217 currency code, such as `KRW`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "alloc::string::String", into = "alloc::string::String")]
pub struct Currency([u8; 3]);

/// An amount in one currency. Never a float: sums are exact or refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// What it is counted in.
    pub currency: Currency,
    /// Whole units, such as won.
    pub units: i64,
    /// Billionths of a unit, of the same sign as `units`.
    pub nanos: i32,
}

/// Why an amount is no amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidMoney {
    /// The currency is not three capital letters.
    Currency,
    /// `nanos` is out of range or its sign is not that of `units`.
    Nanos,
    /// Two currencies in one sum.
    Mixed,
    /// The result does not fit.
    Overflow,
}

// === impl Currency ===

impl Currency {
    /// South Korean won.
    pub const KRW: Self = Self(*b"KRW");

    /// Three capital letters.
    pub fn parse(code: &str) -> Result<Self, InvalidMoney> {
        match code.as_bytes() {
            &[a, b, c] if [a, b, c].iter().all(u8::is_ascii_uppercase) => Ok(Self([a, b, c])),
            _ => Err(InvalidMoney::Currency),
        }
    }

    /// The three letters.
    pub fn as_str(&self) -> &str {
        // Three ASCII letters, by construction.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<alloc::string::String> for Currency {
    type Error = InvalidMoney;

    fn try_from(code: alloc::string::String) -> Result<Self, InvalidMoney> {
        Self::parse(&code)
    }
}

impl From<Currency> for alloc::string::String {
    fn from(currency: Currency) -> Self {
        currency.as_str().into()
    }
}

// === impl Money ===

impl Money {
    /// An amount whose parts agree with each other.
    pub fn new(currency: Currency, units: i64, nanos: i32) -> Result<Self, InvalidMoney> {
        let in_range = i128::from(nanos).abs() < NANOS_PER_UNIT;
        let same_sign = units == 0 || nanos == 0 || (units > 0) == (nanos > 0);
        if in_range && same_sign { Ok(Self { currency, units, nanos }) } else { Err(InvalidMoney::Nanos) }
    }

    /// Nothing, in `currency`.
    pub const fn zero(currency: Currency) -> Self {
        Self { currency, units: 0, nanos: 0 }
    }

    /// Whether it is below zero.
    pub const fn is_negative(self) -> bool {
        self.units < 0 || self.nanos < 0
    }

    /// The sum of two amounts in the same currency.
    pub fn plus(self, other: Self) -> Result<Self, InvalidMoney> {
        if self.currency != other.currency {
            return Err(InvalidMoney::Mixed);
        }
        Self::from_nanos(self.currency, self.in_nanos() + other.in_nanos())
    }

    /// `count` times this amount.
    pub fn times(self, count: u32) -> Result<Self, InvalidMoney> {
        Self::from_nanos(self.currency, self.in_nanos() * i128::from(count))
    }

    // An i64 of units times 10^9 times a u32 stays below 2^127.
    fn in_nanos(self) -> i128 {
        i128::from(self.units) * NANOS_PER_UNIT + i128::from(self.nanos)
    }

    fn from_nanos(currency: Currency, nanos: i128) -> Result<Self, InvalidMoney> {
        let units = i64::try_from(nanos / NANOS_PER_UNIT).map_err(|_| InvalidMoney::Overflow)?;
        let nanos = i32::try_from(nanos % NANOS_PER_UNIT).map_err(|_| InvalidMoney::Overflow)?;
        Ok(Self { currency, units, nanos })
    }
}

impl fmt::Display for InvalidMoney {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Currency => "must be three capital letters, such as KRW",
            Self::Nanos => "nanos must lie within ±999,999,999 and have the sign of units",
            Self::Mixed => "all prices must be in the same currency",
            Self::Overflow => "is too large",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_exact_and_carry() {
        let usd = Currency::parse("USD").unwrap();
        let a = Money::new(usd, 1, 999_999_999).unwrap();
        let b = Money::new(usd, 0, 1).unwrap();
        assert_eq!(a.plus(b), Money::new(usd, 2, 0));
        assert_eq!(b.times(1_000_000_000), Money::new(usd, 1, 0));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let most = Money::new(Currency::KRW, i64::MAX, 0).unwrap();
        assert_eq!(most.times(2), Err(InvalidMoney::Overflow));
        assert_eq!(most.plus(Money::zero(Currency::parse("USD").unwrap())), Err(InvalidMoney::Mixed));
        assert_eq!(Money::new(Currency::KRW, 1, -1), Err(InvalidMoney::Nanos));
        assert_eq!(Currency::parse("won"), Err(InvalidMoney::Currency));
    }
}
