//! The language a visitor reads: Korean or English. What is said in them stands in `text.rs`.

use axum::response::{IntoResponse, Redirect, Response};
use http::header::{ACCEPT_LANGUAGE, SET_COOKIE};
use http::{HeaderMap, Uri};

use crate::fields::Fields;
use crate::visit::{self, Passer};

const COOKIE: &str = "lang";

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lang {
    Korean,
    English,
}

/// `POST /lang`: keeps the choice, and goes back to the page.
pub(crate) async fn switch(headers: HeaderMap, uri: Uri, fields: Fields) -> Response {
    let lang = Lang::read(fields.get("lang")).unwrap_or(Lang::Korean);
    let cookie = Passer::of(&headers, &uri).keep(COOKIE, lang.tag());
    ([(SET_COOKIE, cookie)], Redirect::to(visit::own_path(fields.get("back")))).into_response()
}

// === impl Lang ===

impl Lang {
    /// By the visitor's choice, else by what their browser asks for first, else Korean.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let asked = || {
            let accepted = headers.get(ACCEPT_LANGUAGE)?.to_str().ok()?;
            accepted.split(',').find_map(|range| Self::read(range.split([';', '-']).next()?.trim()))
        };
        visit::cookie(headers, COOKIE).and_then(Self::read).or_else(asked).unwrap_or(Self::Korean)
    }

    fn read(tag: &str) -> Option<Self> {
        match tag {
            "ko" => Some(Self::Korean),
            "en" => Some(Self::English),
            _ => None,
        }
    }

    /// As HTML calls it.
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::Korean => "ko",
            Self::English => "en",
        }
    }

    /// The other one.
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Korean => Self::English,
            Self::English => Self::Korean,
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::COOKIE;

    use super::*;

    #[test]
    fn a_choice_counts_more_than_what_the_browser_asks_for() {
        let mut headers = HeaderMap::new();
        assert_eq!(Lang::of(&headers), Lang::Korean);
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static("fr-CH, en-GB;q=0.9, ko;q=0.8"));
        assert_eq!(Lang::of(&headers), Lang::English);
        headers.insert(COOKIE, HeaderValue::from_static("visitor=x; lang=ko"));
        assert_eq!(Lang::of(&headers), Lang::Korean);
    }
}
