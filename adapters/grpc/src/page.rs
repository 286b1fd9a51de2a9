//! Page tokens: where a page ended, and of which list.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use highstreet_domain::kernel::ports::{Filter, Page};
use highstreet_domain::kernel::{Fingerprint, Scope, Timestamp};
use tonic::Status;
use uuid::Uuid;

use crate::fields::Fields;
use crate::status::beyond_scope;

const DEFAULT_SIZE: usize = 50;
const MOST: i32 = 1000;
const FILTER_BYTES: usize = 8;

/// A list as it was asked for.
pub(crate) struct Wanted {
    pub(crate) filter: Filter,
    pub(crate) page: Page,
}

// === impl Wanted ===

impl Wanted {
    /// Reads the paging fields of a list request with this filter.
    pub(crate) fn new(fields: &mut Fields, filter: Filter, page_size: i32, page_token: &str) -> Self {
        let size = size_of(fields, page_size);
        let after = (!page_token.is_empty()).then(|| decode(page_token, &filter));
        if after == Some(None) {
            fields.wrong("page_token", "must be the next_page_token of a list with the same filters");
        }
        Self { filter, page: Page { size, after: after.flatten() } }
    }

    /// What of the list `scope` admits.
    pub(crate) fn within(&self, scope: &Scope) -> Result<Filter, Status> {
        scope.narrow(&self.filter).ok_or_else(beyond_scope)
    }

    /// What the store is asked for: one more than the page, to know whether there is another.
    pub(crate) fn one_more(&self) -> Page {
        Page { size: self.page.size + 1, ..self.page }
    }

    /// Cuts `found` to the page, and returns the token of the next, if there is one.
    pub(crate) fn cut<T>(&self, found: &mut Vec<T>, place: impl Fn(&T) -> (Timestamp, Uuid)) -> String {
        if found.len() <= self.page.size {
            return String::new();
        }
        found.truncate(self.page.size);
        found.last().map_or_else(String::new, |last| encode(place(last), &self.filter))
    }
}

/// How much a page is to hold.
pub(crate) fn size_of(fields: &mut Fields, page_size: i32) -> usize {
    match page_size {
        0 => DEFAULT_SIZE,
        // AIP-158: more than the most is taken for the most.
        1.. => usize::try_from(page_size.min(MOST)).unwrap_or(DEFAULT_SIZE),
        _ => {
            fields.wrong("page_size", "must not be negative");
            DEFAULT_SIZE
        }
    }
}

fn encode((time, id): (Timestamp, Uuid), filter: &Filter) -> String {
    let mut bytes = Vec::with_capacity(32);
    bytes.extend(time.as_micros().to_be_bytes());
    bytes.extend(id.as_bytes());
    bytes.extend(of_filter(filter));
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(token: &str, filter: &Filter) -> Option<(Timestamp, Uuid)> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (time, rest) = bytes.split_first_chunk::<8>()?;
    let (id, of) = rest.split_first_chunk::<16>()?;
    (of == of_filter(filter)).then(|| (Timestamp::from_micros(i64::from_be_bytes(*time)), Uuid::from_bytes(*id)))
}

fn of_filter(filter: &Filter) -> [u8; FILTER_BYTES] {
    let fingerprint = Fingerprint::of(format!("{filter:?}").as_bytes()).uuid().into_bytes();
    std::array::from_fn(|at| fingerprint[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_belongs_to_its_filter() {
        let skanu = Filter { shop: Some("skanu".into()), ..Filter::default() };
        let place = (Timestamp::from_micros(-7), Uuid::from_u128(9));
        let token = encode(place, &skanu);
        assert_eq!(decode(&token, &skanu), Some(place));
        assert_eq!(decode(&token, &Filter::default()), None);
        assert_eq!(decode("?", &skanu), None);
        assert_eq!(decode("", &skanu), None);
    }
}
