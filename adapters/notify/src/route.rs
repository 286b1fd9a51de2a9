//! Which messages go where.

use std::error::Error;
use std::str::FromStr;

use highstreet_domain::kernel::ShopId;
use highstreet_domain::notification::{Letter, Role};
use thiserror::Error as ThisError;

const ROLES: [Role; 3] = [Role::Owner, Role::Customer, Role::Staff];

/// A place and the messages that go there, as configuration writes them: `SHOP/ROLE=PLACE`, with `*` for any shop or any
/// role. The place is a [`WebhookUrl`](crate::WebhookUrl) or a [`MailAddress`](crate::MailAddress).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route<T> {
    /// Which messages.
    pub of: Takes,
    /// Where to.
    pub to: T,
}

/// Which messages go one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Takes {
    /// The shop; `None` is any.
    pub shop: Option<ShopId>,
    /// To whom; `None` is anybody.
    pub role: Option<Role>,
}

/// Why a text is no route.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
pub enum InvalidRoute {
    /// It has not the three parts of one.
    #[error(
        "a route is written SHOP/ROLE=PLACE, such as skanu/owner=https://example.com/hook or skanu/owner=mina@example.com"
    )]
    Form,
    /// Its shop could be none.
    #[error("the shop of a route {0}, or be `*`")]
    Shop(String),
    /// There is no such role.
    #[error("the role of a route must be owner, customer, staff or `*`, and is `{0}`")]
    Role(String),
    /// Its place is none.
    #[error("{0}")]
    Place(String),
}

// === impl Takes ===

impl Takes {
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

// === impl Route ===

impl<T: FromStr<Err: Error>> FromStr for Route<T> {
    type Err = InvalidRoute;

    fn from_str(text: &str) -> Result<Self, InvalidRoute> {
        // A shop's name may hold `=`, but no slash.
        let (shop, rest) = text.split_once('/').ok_or(InvalidRoute::Form)?;
        let (role, place) = rest.split_once('=').ok_or(InvalidRoute::Form)?;
        let of = Takes { shop: parse_shop(shop)?, role: parse_role(role)? };
        Ok(Self { of, to: place.parse().map_err(|error: T::Err| InvalidRoute::Place(error.to_string()))? })
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
    use crate::{InvalidUrl, MailAddress, WebhookUrl};

    fn route(text: &str) -> Result<Route<WebhookUrl>, InvalidRoute> {
        text.parse()
    }

    #[test]
    fn routes_are_read_as_they_are_written() {
        let exact = route("skanu/owner=https://example.com/hook?a=b").unwrap();
        assert_eq!(exact.of, Takes { shop: Some(ShopId::parse("skanu").unwrap()), role: Some(Role::Owner) });
        assert_eq!(exact.to.uri().to_string(), "https://example.com/hook?a=b");

        let any = route("*/*=http://localhost:9000/").unwrap();
        assert_eq!(any.of, Takes { shop: None, role: None });

        let mail: Route<MailAddress> = "skanu/staff=bar+orders@example.com".parse().unwrap();
        assert_eq!(mail.to.to_string(), "bar+orders@example.com");
    }

    #[test]
    fn what_is_no_route_is_told_why() {
        assert_eq!(route("skanu"), Err(InvalidRoute::Form));
        assert_eq!(route("skanu/owner"), Err(InvalidRoute::Form));
        assert!(matches!(route("/owner=https://example.com"), Err(InvalidRoute::Shop(_))));
        assert_eq!(route("*/Owner=https://example.com"), Err(InvalidRoute::Role("Owner".into())));
        for url in ["", "/hook", "example.com", "ftp://example.com", "https://"] {
            assert_eq!(
                route(&format!("*/*={url}")),
                Err(InvalidRoute::Place(InvalidUrl::NotHttp.to_string())),
                "{url}"
            );
        }
        let credentials = Err(InvalidRoute::Place(InvalidUrl::Credentials.to_string()));
        assert_eq!(route("*/*=https://me:secret@example.com"), credentials);
        for address in ["", "mina", "mina@", "@example.com", "mina example.com"] {
            let mail: Result<Route<MailAddress>, _> = format!("*/*={address}").parse();
            assert!(matches!(mail, Err(InvalidRoute::Place(_))), "{address}");
        }
    }
}
