//! How amounts and times are written.

use highstreet_wire::proto::Money;
use prost_types::Timestamp;

/// Korea is nine hours ahead of UTC, all year.
const AHEAD: i64 = 9 * 3600;
const DAY: i64 = 86_400;

/// A moment as clocks in Korea show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clock {
    pub(crate) year: i64,
    pub(crate) month: i64,
    pub(crate) day: i64,
    /// Seconds since midnight.
    pub(crate) second: i64,
}

/// `₩9,000`; other currencies by their code. Nothing if there is no amount.
pub(crate) fn money(money: Option<&Money>) -> String {
    let Some(money) = money else { return String::new() };
    let sign = if money.units < 0 || money.nanos < 0 { "−" } else { "" };
    let units = grouped(money.units.unsigned_abs());
    match money.currency_code.as_str() {
        "KRW" => format!("{sign}₩{units}"),
        code => format!("{sign}{code} {units}.{:02}", money.nanos.unsigned_abs() / 10_000_000),
    }
}

/// An amount in won.
pub(crate) fn won(units: i64) -> Money {
    Money { currency_code: "KRW".into(), units, nanos: 0 }
}

/// `12,345`.
pub(crate) fn count(number: i64) -> String {
    let sign = if number < 0 { "−" } else { "" };
    format!("{sign}{}", grouped(number.unsigned_abs()))
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut written = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            written.push(',');
        }
        written.push(digit);
    }
    written
}

/// `11.21 14:32`.
pub(crate) fn time(time: Option<&Timestamp>) -> String {
    time.map(|time| Clock::of(time).short()).unwrap_or_default()
}

/// The first characters of an id, to tell it from others on a page.
pub(crate) fn short_id(id: &str) -> String {
    // Ids made one after another begin alike.
    let tail = id.len().saturating_sub(6);
    id.get(tail..).unwrap_or(id).to_owned()
}

// === impl Clock ===

impl Clock {
    pub(crate) fn of(time: &Timestamp) -> Self {
        let there = time.seconds.saturating_add(AHEAD);
        let (days, second) = (there.div_euclid(DAY), there.rem_euclid(DAY));
        // Howard Hinnant's days to civil: years begin in March, so that the leap day is the last one.
        let from_march = days + 719_468;
        let (era, of_era) = (from_march.div_euclid(146_097), from_march.rem_euclid(146_097));
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self { year, month, day, second }
    }

    /// Reads `2026-11-21T14:32`, as forms write it.
    pub(crate) fn read(written: &str) -> Option<Self> {
        let (date, time) = written.split_once('T')?;
        let mut date = date.splitn(3, '-').map(|part| part.parse().ok());
        let (year, month, day): (i64, i64, i64) = (date.next()??, date.next()??, date.next()??);
        let mut time = time.split(':').map(|part| part.parse().ok());
        let (hour, minute): (i64, i64) = (time.next()??, time.next()??);
        let sensible = (1..=12).contains(&month)
            && (1..=31).contains(&day)
            && (1970..=9999).contains(&year)
            && (0..24).contains(&hour)
            && (0..60).contains(&minute);
        sensible.then_some(Self { year, month, day, second: hour * 3600 + minute * 60 })
    }

    /// Seconds since 1970 began in Greenwich.
    pub(crate) fn seconds_of_unix(self) -> i64 {
        // The same algorithm backwards.
        let year = if self.month <= 2 { self.year - 1 } else { self.year };
        let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let month = if self.month > 2 { self.month - 3 } else { self.month + 9 };
        let of_year = (153 * month + 2) / 5 + self.day - 1;
        let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
        (era * 146_097 + of_era - 719_468) * DAY + self.second - AHEAD
    }

    /// `14:32`.
    pub(crate) fn minutes(self) -> String {
        format!("{:02}:{:02}", self.second / 3600, self.second / 60 % 60)
    }

    /// `14:32:05`.
    pub(crate) fn seconds(self) -> String {
        format!("{}:{:02}", self.minutes(), self.second % 60)
    }

    /// `11.21 14:32`.
    pub(crate) fn short(self) -> String {
        format!("{}.{} {}", self.month, self.day, self.minutes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_grouped_and_signed() {
        assert_eq!(money(Some(&won(9000))), "₩9,000");
        assert_eq!(money(Some(&won(-1_234_567))), "−₩1,234,567");
        let dollars = Money { currency_code: "USD".into(), units: 12, nanos: 500_000_000 };
        assert_eq!(money(Some(&dollars)), "USD 12.50");
        assert_eq!((money(None), count(-1000), count(0)), (String::new(), "−1,000".into(), "0".into()));
    }

    #[test]
    fn times_are_those_of_korea() {
        let clock = |seconds| Clock::of(&Timestamp { seconds, nanos: 0 });
        assert_eq!(clock(0), Clock { year: 1970, month: 1, day: 1, second: 32_400 });
        // 2026-11-20 15:30:05 UTC is past midnight in Seoul.
        assert_eq!(clock(1_795_188_605).short(), "11.21 00:30");
        assert_eq!(clock(1_795_188_605).seconds(), "00:30:05");
        // 2024-02-29 03:00 UTC.
        let read = Clock::read("2026-11-21T00:30").unwrap();
        assert_eq!(read.seconds_of_unix(), 1_795_188_600);
        assert_eq!(Clock::read("2024-02-29T12:00").unwrap().seconds_of_unix(), 1_709_175_600);
        for nonsense in ["", "2026-11-21", "2026-13-01T00:00", "2026-01-01T24:00", "soon"] {
            assert_eq!(Clock::read(nonsense), None, "{nonsense}");
        }
        assert_eq!(clock(1_709_175_600), Clock { year: 2024, month: 2, day: 29, second: 43_200 });
    }
}
