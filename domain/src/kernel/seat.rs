//! Seats of a hall: named by people, counted by nobody.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use super::InvalidText;

/// A seat, named by its row's number and its own letter: `1A`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Seat {
    row: u8,
    letter: u8,
}

/// One or more seats, each once: at most a hundred.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seats(BTreeSet<Seat>);

// === impl Seat ===

impl Seat {
    /// The most rows of a hall.
    pub const MOST_ROWS: u8 = 99;
    /// The most seats of a row: a letter each.
    pub const MOST_IN_ROW: u8 = 26;

    /// The `number`-th seat of a row, both counted from 1; `None` where no hall has one.
    pub fn at(row: u8, number: u8) -> Option<Self> {
        let there = (1..=Self::MOST_ROWS).contains(&row) && (1..=Self::MOST_IN_ROW).contains(&number);
        there.then(|| Self { row, letter: b'A' + number - 1 })
    }

    /// A row from 1 to 99 and a letter from A to Z: `1A`.
    pub fn parse(text: &str) -> Result<Self, InvalidText> {
        let wanted = || InvalidText(format!("{text:?} is no seat; name seats by row and letter, such as 1A"));
        let letter = *text.as_bytes().last().filter(|letter| letter.is_ascii_uppercase()).ok_or_else(wanted)?;
        let digits = &text[..text.len() - 1];
        let plain = digits.bytes().all(|digit| digit.is_ascii_digit()) && !digits.starts_with('0');
        let row = digits.parse().ok().filter(|row| plain && (1..=Self::MOST_ROWS).contains(row)).ok_or_else(wanted)?;
        Ok(Self { row, letter })
    }

    /// Its row, from 1.
    pub const fn row(self) -> u8 {
        self.row
    }

    /// Its place in the row, from 1.
    pub const fn number(self) -> u8 {
        self.letter - b'A' + 1
    }
}

impl fmt::Display for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.row, char::from(self.letter))
    }
}

impl TryFrom<String> for Seat {
    type Error = InvalidText;

    fn try_from(text: String) -> Result<Self, InvalidText> {
        Self::parse(&text)
    }
}

impl From<Seat> for String {
    fn from(seat: Seat) -> Self {
        seat.to_string()
    }
}

// === impl Seats ===

impl Seats {
    /// The most at once.
    pub const MOST: usize = 100;

    /// 1 to 100 seats, none of them twice.
    pub fn parse<S: AsRef<str>>(names: &[S]) -> Result<Self, InvalidText> {
        if !(1..=Self::MOST).contains(&names.len()) {
            return Err(InvalidText(format!("must name 1 to {} seats", Self::MOST)));
        }
        let mut seats = BTreeSet::new();
        for name in names {
            let seat = Seat::parse(name.as_ref()).map_err(|why| InvalidText(format!("must be seats: {why}")))?;
            if !seats.insert(seat) {
                return Err(InvalidText(format!("must name {seat} once")));
            }
        }
        Ok(Self(seats))
    }

    /// The seats in order; `None` if there is none.
    pub fn of(seats: impl IntoIterator<Item = Seat>) -> Option<Self> {
        let seats: BTreeSet<Seat> = seats.into_iter().collect();
        (!seats.is_empty()).then_some(Self(seats))
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Whether `seat` is one of them.
    pub fn contains(&self, seat: Seat) -> bool {
        self.0.contains(&seat)
    }

    /// In order of row and letter.
    pub fn iter(&self) -> impl Iterator<Item = Seat> + '_ {
        self.0.iter().copied()
    }

    /// Their names, in order.
    pub fn names(&self) -> Vec<String> {
        self.iter().map(String::from).collect()
    }
}

impl fmt::Display for Seats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_named_by_row_and_letter() {
        for name in ["1A", "9Z", "10A", "99Z"] {
            let seat = Seat::parse(name).unwrap();
            assert_eq!(seat.to_string(), name);
            assert_eq!(Seat::at(seat.row(), seat.number()), Some(seat));
        }
        for name in ["", "A", "1", "0A", "01A", "+1A", "100A", "1a", "1Ä", "A1", "1AA", " 1A"] {
            assert!(Seat::parse(name).is_err(), "{name}");
        }
        assert_eq!((Seat::at(0, 1), Seat::at(1, 27)), (None, None));
    }

    #[test]
    fn nobody_sits_twice_and_somebody_sits() {
        assert_eq!(Seats::parse(&["10B", "2B", "2A"]).unwrap().names(), ["2A", "2B", "10B"]);
        assert!(Seats::parse(&["1A", "1A"]).is_err());
        assert!(Seats::parse::<&str>(&[]).is_err());
        assert!(Seats::of([]).is_none());
    }
}
