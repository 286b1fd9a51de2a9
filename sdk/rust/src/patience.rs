//! How often and for how long a call is made again.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// How often and for how long a call is made again that a street could not answer: because it, or what it needs, is
/// away (`UNAVAILABLE`), or because it was asked too much (`RESOURCE_EXHAUSTED` with `RetryInfo`).
///
/// It waits as long as `RetryInfo` says and up to a quarter longer, so that not all come back at once; where it says
/// nothing, twice as long each time, from [`Patience::first`]. Never longer than the call's own deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How often it is called at most, the first time counted. 1: never again.
    pub attempts: u32,
    /// The first wait, where nobody says how long.
    pub first: Duration,
    /// The longest single wait. Who is told to wait longer gives up.
    pub longest: Duration,
    /// How long all waits and attempts may take together; no wait is begun that would end later.
    pub in_all: Duration,
}

// === impl Patience ===

impl Patience {
    /// Calls once.
    pub const NONE: Self = Self { attempts: 1, ..Self::DEFAULT };

    const DEFAULT: Self = Self {
        attempts: 5,
        first: Duration::from_millis(100),
        longest: Duration::from_secs(10),
        in_all: Duration::from_secs(30),
    };

    /// How long to wait after `attempts` of them, the last of which was refused with `status`; `None` to give up.
    /// `chance` is from 0 to 1.
    pub(crate) fn wait(&self, attempts: u32, status: &Status, chance: f64) -> Option<Duration> {
        if attempts >= self.attempts {
            return None;
        }
        let told = status.get_details_retry_info().and_then(|info| info.retry_delay);
        match (status.code(), told) {
            (Code::Unavailable | Code::ResourceExhausted, Some(told)) => {
                (told <= self.longest).then(|| told.mul_f64(1.0 + chance / 4.0))
            }
            (Code::Unavailable, None) => {
                let doubled = self.first.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1)));
                Some(doubled.min(self.longest).mul_f64(f64::midpoint(1.0, chance)))
            }
            // Too much of something that waiting does not change, such as a message that is too long; or an answer.
            _ => None,
        }
    }
}

impl Default for Patience {
    /// Five attempts within half a minute.
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn told(code: Code, wait: Duration) -> Status {
        Status::with_error_details(code, "", ErrorDetails::with_retry_info(Some(wait)))
    }

    #[test]
    fn it_waits_as_long_as_it_is_told_and_a_little_longer() {
        let patience = Patience::default();
        for code in [Code::Unavailable, Code::ResourceExhausted] {
            assert_eq!(patience.wait(1, &told(code, 400 * MS), 0.0), Some(400 * MS));
            assert_eq!(patience.wait(4, &told(code, 400 * MS), 1.0), Some(500 * MS));
        }
    }

    #[test]
    fn it_waits_twice_as_long_each_time_where_nobody_says() {
        let away = Status::unavailable("");
        let waits = |chance| (1..5).map(|made| Patience::default().wait(made, &away, chance)).collect::<Vec<_>>();
        assert_eq!(waits(1.0), [100, 200, 400, 800].map(|ms| Some(ms * MS)));
        assert_eq!(waits(0.0), [50, 100, 200, 400].map(|ms| Some(ms * MS)));
        let patience = Patience { attempts: u32::MAX, ..Patience::default() };
        assert_eq!(patience.wait(1000, &away, 1.0), Some(patience.longest));
    }

    #[test]
    fn it_gives_up() {
        let patience = Patience::default();
        assert_eq!(patience.wait(5, &Status::unavailable(""), 0.0), None, "after five attempts");
        assert_eq!(patience.wait(1, &told(Code::Unavailable, 11_000 * MS), 0.0), None, "told to wait too long");
        assert_eq!(patience.wait(1, &Status::resource_exhausted(""), 0.0), None, "not told to come back");
        assert_eq!(patience.wait(1, &told(Code::Aborted, MS), 0.0), None, "answered");
        assert_eq!(Patience::NONE.wait(1, &Status::unavailable(""), 0.0), None);
    }
}
