//! Rows under headings, for people.

use prost_types::{Duration, Timestamp};

/// What no cell is longer than.
const WIDEST: usize = 72;

/// Prints rows under their headings, each column as wide as it needs to be.
pub(super) fn print<const N: usize>(headings: [&str; N], rows: &[[String; N]]) {
    let rows: Vec<[String; N]> = rows.iter().map(|row| row.each_ref().map(|cell| shortened(cell))).collect();
    let headings = headings.map(str::to_owned);
    let width = |column: usize| {
        let cells = rows.iter().chain([&headings]).map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    for row in [&headings].into_iter().chain(&rows) {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        println!("{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}

/// `3m 20s`: as much of it as matters.
pub(super) fn length(time: Option<&Duration>) -> String {
    let seconds = time.map_or(0, |time| u64::try_from(time.seconds).unwrap_or(0));
    let whole = match seconds {
        0..60 => seconds,
        60..3600 => seconds - seconds % 5,
        _ => seconds - seconds % 60,
    };
    humantime::format_duration(std::time::Duration::from_secs(whole)).to_string()
}

/// A time as people and programs read it: RFC 3339, to the second.
pub(super) fn moment(time: Option<&Timestamp>) -> String {
    let Some(time) = time else { return String::new() };
    let since_epoch = std::time::Duration::from_secs(u64::try_from(time.seconds).unwrap_or(0));
    humantime::format_rfc3339_seconds(std::time::UNIX_EPOCH + since_epoch).to_string()
}

fn shortened(text: &str) -> String {
    let line: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if line.chars().count() <= WIDEST {
        return line;
    }
    line.chars().take(WIDEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_is_shortened_and_stays_in_its_line() {
        assert_eq!(shortened("a\nb"), "a b");
        let long = shortened(&"주".repeat(200));
        assert_eq!((long.chars().count(), long.ends_with('…')), (WIDEST, true));
    }

    #[test]
    fn times_are_read_by_people() {
        assert_eq!(length(Some(&Duration { seconds: 203, nanos: 1 })), "3m 20s");
        assert_eq!(length(Some(&Duration { seconds: 7_261, nanos: 0 })), "2h 1m");
        assert_eq!(moment(Some(&Timestamp { seconds: 0, nanos: 5 })), "1970-01-01T00:00:00Z");
        assert_eq!(moment(None), "");
    }
}
