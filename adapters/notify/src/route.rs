//! Which messages go to which webhook.

use std::str::FromStr;

use highstreet_domain::kernel::ShopId;
use highstreet_domain::notification::{Letter, Role};
use thiserror::Error;

use crate::{InvalidUrl, WebhookUrl};

const ROLES: [Role; 3] = [Role::Owner, Role::Customer, Role::Staff];

/// A webhook and the messages that go to it, as configuration writes them: `SHOP/ROLE=URL`, with `*` for any shop or
/// any role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The shop; `None` is any.
    pub shop: Option<ShopId>,
    /// To whom; `None` is anybody.
    pub role: Option<Role>,
    /// Where to.
    pub url: WebhookUrl,
}

/// Why a text is no route.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidRoute {
    /// It has not the three parts of one.
    #[error("a route is written SHOP/ROLE=URL, such as skanu/owner=https://example.com/hook")]
    Form,
    /// Its shop could be none.
    #[error("the shop of a route {0}, or be `*`")]
    Shop(String),
    /// There is no such role.
    #[error("the role of a route must be owner, customer, staff or `*`, and is `{0}`")]
    Role(String),
    /// Its URL is none.
    #[error(transparent)]
    Url(#[from] InvalidUrl),
}

// === impl Route ===

impl Route {
    /// Whether `letter` may go this way.
    pub(crate) fn takes(&self, letter: &Letter) -> bool {
        self.shop.as_ref().is_none_or(|shop| *shop == letter.case.shop)
            && self.role.is_none_or(|role| role == letter.recipient.role)
    }

    /// Greater for a route that takes less. Naming the shop counts for more than naming the role.
    pub(crate) const fn specificity(&self) -> (bool, bool) {
        (self.shop.is_some(), self.role.is_some())
    }
}

impl FromStr for Route {
    type Err = InvalidRoute;

    fn from_str(text: &str) -> Result<Self, InvalidRoute> {
        // A shop's name may hold `=`, but no slash.
        let (shop, rest) = text.split_once('/').ok_or(InvalidRoute::Form)?;
        let (role, url) = rest.split_once('=').ok_or(InvalidRoute::Form)?;
        Ok(Self { shop: parse_shop(shop)?, role: parse_role(role)?, url: url.parse()? })
    }
}

fn parse_shop(text: &str) -> Result<Option<ShopId>, InvalidRoute> {
    match text {
        "*" => Ok(None),
        name => ShopId::parse(name).map(Some).map_err(|error| InvalidRoute::Shop(error.to_string())),
    }
}

fn parse_role(text: &str) -> Result<Option<Role>, InvalidRoute> {
    match text {
        "*" => Ok(None),
        name => match ROLES.into_iter().find(|role| role.as_str() == name) {
            Some(role) => Ok(Some(role)),
            None => Err(InvalidRoute::Role(name.into())),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(text: &str) -> Result<Route, InvalidRoute> {
        text.parse()
    }

    #[test]
    fn routes_are_read_as_they_are_written() {
        let exact = route("skanu/owner=https://example.com/hook?a=b").unwrap();
        assert_eq!(exact.shop, Some(ShopId::parse("skanu").unwrap()));
        assert_eq!(exact.role, Some(Role::Owner));
        assert_eq!(exact.url.uri().to_string(), "https://example.com/hook?a=b");

        let any = route("*/*=http://localhost:9000/").unwrap();
        assert_eq!((any.shop, any.role), (None, None));
    }

    #[test]
    fn what_is_no_route_is_told_why() {
        assert_eq!(route("skanu"), Err(InvalidRoute::Form));
        assert_eq!(route("skanu/owner"), Err(InvalidRoute::Form));
        assert!(matches!(route("/owner=https://example.com"), Err(InvalidRoute::Shop(_))));
        assert_eq!(route("*/Owner=https://example.com"), Err(InvalidRoute::Role("Owner".into())));
        for url in ["", "/hook", "example.com", "ftp://example.com", "https://"] {
            assert_eq!(route(&format!("*/*={url}")), Err(InvalidRoute::Url(InvalidUrl::NotHttp)), "{url}");
        }
        assert_eq!(route("*/*=https://me:secret@example.com"), Err(InvalidRoute::Url(InvalidUrl::Credentials)));
    }
}
