//! What a token says about who holds it.

use std::sync::Arc;

use highstreet_domain::kernel::{Bounds, Phone, Scope};
pub(crate) use highstreet_wire::call::CONTEXT;
pub use highstreet_wire::proto::common::Role;
use serde::Deserialize;

/// In `shops`: all of them.
const EVERY_SHOP: &str = "*";

/// A token's claims, as they are written.
#[derive(Debug, Deserialize)]
pub(crate) struct Claims {
    pub(crate) sub: String,
    pub(crate) exp: i64,
    #[serde(default)]
    pub(crate) nbf: Option<i64>,
    #[serde(default)]
    pub(crate) roles: Vec<String>,
    #[serde(default)]
    pub(crate) shops: Vec<String>,
    #[serde(default)]
    pub(crate) phone: Option<String>,
    #[serde(default)]
    pub(crate) customer: Option<String>,
}

/// Who holds a token that was found good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Whom the issuer means; `context:NAME` for a context.
    pub subject: Arc<str>,
    /// The context, where it is one.
    pub context: Option<String>,
    /// What they are to their shops. Roles that are not known here are left out.
    pub roles: Vec<Role>,
    /// Their shops; `None` is every shop.
    pub shops: Option<Vec<String>>,
    /// The customer they are, by phone number or name, as data is kept under it.
    pub owner: Option<String>,
}

// === impl Identity ===

impl Identity {
    /// Whom an issuer of people's tokens means. A context is none: those have tokens of the mesh.
    pub(crate) fn of_person(claims: Claims) -> Option<Self> {
        if claims.sub.is_empty() || claims.sub.starts_with(CONTEXT) {
            return None;
        }
        let owner = claims.phone.or(claims.customer).filter(|name| !name.trim().is_empty());
        let everywhere = claims.shops.iter().any(|shop| shop == EVERY_SHOP);
        Some(Self {
            subject: claims.sub.into(),
            context: None,
            roles: claims.roles.iter().filter_map(|name| role_named(name)).collect(),
            shops: (!everywhere).then_some(claims.shops),
            owner: owner.map(|name| Phone::key_of(&name)),
        })
    }

    /// The context that the mesh means.
    pub(crate) fn of_context(claims: &Claims) -> Option<Self> {
        let context = claims.sub.strip_prefix(CONTEXT).filter(|name| !name.is_empty())?.to_owned();
        let subject = claims.sub.as_str().into();
        Some(Self { subject, context: Some(context), roles: Vec::new(), shops: None, owner: None })
    }

    /// All data of their shops.
    pub(crate) fn of_shops(&self) -> Scope {
        Scope::within(Bounds { shops: self.shops.clone(), owner: None })
    }

    /// What is their own; `None` where the token does not say which customer they are.
    pub(crate) fn own(&self) -> Option<Scope> {
        let owner = Some(self.owner.clone()?);
        Some(Scope::within(Bounds { shops: self.shops.clone(), owner }))
    }
}

/// A role by its name, such as `head_office`.
pub fn role_named(name: &str) -> Option<Role> {
    Role::from_str_name(&format!("ROLE_{}", name.to_ascii_uppercase())).filter(|role| *role != Role::Unspecified)
}

/// A role, as tokens name it.
pub fn name_of(role: Role) -> String {
    role.as_str_name().trim_start_matches("ROLE_").to_ascii_lowercase()
}
