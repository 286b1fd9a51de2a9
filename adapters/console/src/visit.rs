//! Who is looking at a page: what their browser's cookies and headers say.

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Redirect, Response};
use form_urlencoded::Serializer;
use http::header::{COOKIE, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Uri};

use crate::calls::Calls;
use crate::fields::Fields;
use crate::lang::Lang;
use crate::{Console, SignIn, token};

pub(crate) const VISITOR: &str = "visitor";
pub(crate) const TOKEN: &str = "token";
pub(crate) const SHOPS: &str = "shops";
/// In front of the names of cookies that come over TLS: no other host, and no plain connection, can have set them.
const OVER_TLS: &str = "__Host-";
/// A year, in seconds.
const KEPT_FOR: u32 = 31_536_000;

/// Whoever comes by, signed in or not.
#[derive(Clone, Debug)]
pub(crate) struct Passer {
    pub(crate) lang: Lang,
    pub(crate) shops: Shops,
    /// The page they are on, to come back to.
    pub(crate) path: String,
    over_tls: bool,
}

/// Somebody signed in, and their way to the services.
#[derive(Clone)]
pub(crate) struct Visit {
    pub(crate) passer: Passer,
    pub(crate) lang: Lang,
    pub(crate) who: Who,
    pub(crate) shops: Shops,
    pub(crate) calls: Calls,
    /// What the address says behind its `?`.
    pub(crate) asked: Fields,
}

/// Who somebody is.
#[derive(Clone, Debug)]
pub(crate) struct Who {
    /// A customer's phone number or name; what others are called.
    pub(crate) name: String,
    /// What they may do, as far as they say.
    pub(crate) roles: Vec<Role>,
    /// What shows it to the services.
    pub(crate) token: Option<String>,
}

/// What somebody is to a shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Customer,
    Staff,
    Owner,
    HeadOffice,
    Operator,
}

/// The shops somebody looks at, one of each kind.
#[derive(Clone, Debug)]
pub(crate) struct Shops {
    pub(crate) cafe: String,
    pub(crate) cinema: String,
    pub(crate) library: String,
    pub(crate) store: String,
}

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let pairs = || {
        let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='))
    };
    let over_tls = pairs().find(|(key, _)| key.strip_prefix(OVER_TLS) == Some(name));
    over_tls.or_else(|| pairs().find(|(key, _)| *key == name)).map(|(_, value)| value)
}

/// A path on this server; `/` if it is none.
pub(crate) fn own_path(path: &str) -> &str {
    let own = path.starts_with('/')
        && !path[1..].starts_with(['/', '\\'])
        && path.bytes().all(|byte| byte.is_ascii_graphic());
    if own { path } else { "/" }
}

/// Whoever has this cookie, by the way visitors sign in here.
pub(crate) fn who(headers: &HeaderMap, sign_in: &SignIn) -> Option<Who> {
    match sign_in {
        SignIn::Open => {
            let said = Fields::read(cookie(headers, VISITOR)?.as_bytes());
            let role = Role::read(said.get("role"))?;
            Some(Who { name: said.get("name").to_owned(), roles: vec![role], token: None })
        }
        SignIn::Token | SignIn::Oidc { .. } => token::read(cookie(headers, TOKEN)?),
    }
}

// === impl Passer ===

impl Passer {
    pub(crate) fn of(headers: &HeaderMap, uri: &Uri) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let over_tls = uri.scheme_str() == Some("https")
            || text("x-forwarded-proto") == "https"
            || text(ORIGIN.as_str()).starts_with("https://");
        let shops = cookie(headers, SHOPS).map(|shops| Shops::read(&Fields::read(shops.as_bytes())));
        Self { lang: Lang::of(headers), shops: shops.unwrap_or_default(), path: uri.path().to_owned(), over_tls }
    }

    /// The same on another page.
    pub(crate) fn on(&self, path: &str) -> Self {
        Self { path: path.to_owned(), ..self.clone() }
    }

    /// Whoever is known to come over TLS, as the console's own address says.
    pub(crate) fn at(self, address: &str) -> Self {
        Self { over_tls: self.over_tls || address.starts_with("https://"), ..self }
    }

    /// What makes the browser keep this for as long as somebody needs to sign in elsewhere.
    pub(crate) fn keep_shortly(&self, name: &str, value: &str) -> HeaderValue {
        self.cookie(name, value, 600)
    }

    /// What makes the browser keep this.
    pub(crate) fn keep(&self, name: &str, value: &str) -> HeaderValue {
        self.cookie(name, value, KEPT_FOR)
    }

    /// What makes the browser forget it.
    pub(crate) fn forget(&self, name: &str) -> HeaderValue {
        self.cookie(name, "", 0)
    }

    fn cookie(&self, name: &str, value: &str, age: u32) -> HeaderValue {
        let (prefix, secure) = if self.over_tls { (OVER_TLS, "; Secure") } else { ("", "") };
        let cookie = format!("{prefix}{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}");
        HeaderValue::try_from(cookie).unwrap_or_else(|_| HeaderValue::from_static("lang=ko"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Passer {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&parts.headers, &parts.uri))
    }
}

// === impl Visit ===

impl Visit {
    pub(crate) fn new(console: &Console, passer: Passer, who: Who, asked: Fields) -> Self {
        let calls = Calls::new(console.way.clone(), who.token.as_deref());
        Self { lang: passer.lang, shops: passer.shops.clone(), calls, passer, who, asked }
    }
}

impl FromRequestParts<Console> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let Some(who) = who(&parts.headers, &console.settings.sign_in) else {
            return Err(Redirect::to("/").into_response());
        };
        let asked = Fields::read(parts.uri.query().unwrap_or_default().as_bytes());
        Ok(Self::new(console, Passer::of(&parts.headers, &parts.uri), who, asked))
    }
}

// === impl Who ===

impl Who {
    pub(crate) fn is_any_of(&self, roles: &[Role]) -> bool {
        self.roles.iter().any(|role| roles.contains(role))
    }

    /// The page they want to see first.
    pub(crate) fn home(&self) -> &'static str {
        match self.roles.first() {
            Some(Role::Owner) => "/board",
            Some(Role::Staff | Role::HeadOffice) => "/counter",
            Some(Role::Operator) => "/operations",
            Some(Role::Customer) | None => "/my",
        }
    }
}

// === impl Role ===

impl Role {
    pub(crate) const ALL: [Self; 5] = [Self::Customer, Self::Staff, Self::Owner, Self::HeadOffice, Self::Operator];

    /// As tokens call it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Staff => "staff",
            Self::Owner => "owner",
            Self::HeadOffice => "head_office",
            Self::Operator => "operator",
        }
    }

    pub(crate) fn read(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

// === impl Shops ===

impl Shops {
    /// What a form says; the usual ones where it says nothing.
    pub(crate) fn read(fields: &Fields) -> Self {
        let usual = Self::default();
        let named = |name: &str, usual: String| match fields.get(name) {
            "" => usual,
            shop => shop.to_owned(),
        };
        Self {
            cafe: named("cafe", usual.cafe),
            cinema: named("cinema", usual.cinema),
            library: named("library", usual.library),
            store: named("store", usual.store),
        }
    }

    /// For a cookie.
    pub(crate) fn written(&self) -> String {
        let pairs =
            [("cafe", &self.cafe), ("cinema", &self.cinema), ("library", &self.library), ("store", &self.store)];
        Serializer::new(String::new()).extend_pairs(pairs).finish()
    }
}

impl Default for Shops {
    fn default() -> Self {
        Self { cafe: "skanu".into(), cinema: "cgv".into(), library: "hanbit-library".into(), store: "gs25".into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn going_back_never_leads_elsewhere() {
        assert_eq!(own_path("/counter?done=x#kitchen"), "/counter?done=x#kitchen");
        for elsewhere in ["//evil.example", "/\\evil.example", "https://evil.example", "", "/a\r\nb"] {
            assert_eq!(own_path(elsewhere), "/", "{elsewhere}");
        }
    }

    #[test]
    fn a_cookie_over_tls_counts_more_and_is_named_for_it() {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_static("lang=en; __Host-lang=ko"));
        assert_eq!(cookie(&headers, "lang"), Some("ko"));
        headers.insert(ORIGIN, HeaderValue::from_static("https://shop.example"));
        let passer = Passer::of(&headers, &Uri::from_static("/"));
        let kept = passer.keep("lang", "en");
        assert_eq!(kept, "__Host-lang=en; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax; Secure");
        headers.insert(ORIGIN, HeaderValue::from_static("http://127.0.0.1:8088"));
        let kept = Passer::of(&headers, &Uri::from_static("/")).forget("lang");
        assert_eq!(kept, "lang=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    }
}
