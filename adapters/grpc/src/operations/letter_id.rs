//! What operators call a dead letter.

use std::fmt;

use highstreet_domain::kernel::ports::DeadLetter;

/// A dead letter's id among those of its context: its place among those of its listener, after the listener's name
/// where that is not the context's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LetterId {
    context: String,
    pub(super) listener: String,
    pub(super) place: u64,
}

// === impl LetterId ===

impl LetterId {
    pub(super) fn of(context: &str, letter: &DeadLetter) -> Self {
        Self { context: context.to_owned(), listener: letter.listener.clone(), place: letter.place }
    }

    /// `12`, or `tracking-orders.12`: only names that begin with the context's are its own.
    pub(super) fn read(context: &str, text: &str) -> Option<Self> {
        let (listener, place) = text.rsplit_once('.').unwrap_or((context, text));
        let own = listener == context || listener.strip_prefix(context).is_some_and(|rest| rest.starts_with('-'));
        let place = place.parse().ok().filter(|_| own)?;
        Some(Self { context: context.to_owned(), listener: listener.to_owned(), place })
    }
}

impl fmt::Display for LetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.listener == self.context {
            write!(f, "{}", self.place)
        } else {
            write!(f, "{}.{}", self.listener, self.place)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_written() {
        for text in ["12", "tracking-orders.12"] {
            assert_eq!(LetterId::read("tracking", text).unwrap().to_string(), text);
        }
        assert_eq!(LetterId::read("tracking", "12").unwrap().listener, "tracking");
        for bad in ["", "x", "tracking.", "lending-books.3", "trackingorders.1", "-1"] {
            assert_eq!(LetterId::read("tracking", bad), None, "{bad}");
        }
    }
}
