//! What a caller may see and change.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Index;
use super::ports::Filter;

/// Whose data a caller may see and change: of which shops, and of which customer. What is beyond does not exist for
/// them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// All of it: the mesh itself.
    #[default]
    Everything,
    /// Some of it.
    Only(Arc<Bounds>),
}

/// Where a scope ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The shops; `None` is every shop.
    pub shops: Option<Vec<String>>,
    /// The customer, as [`Index::owner`] names them; `None` is every customer.
    pub owner: Option<String>,
}

// === impl Scope ===

impl Scope {
    /// A scope within `bounds`.
    pub fn within(bounds: Bounds) -> Self {
        if bounds == Bounds::default() { Self::Everything } else { Self::Only(Arc::new(bounds)) }
    }

    /// Whether nothing is beyond it.
    pub fn is_everything(&self) -> bool {
        *self == Self::Everything
    }

    /// Whether this is within it.
    pub fn admits(&self, index: &Index) -> bool {
        self.admits_of(&index.shop, Some(&index.owner))
    }

    /// Whether what belongs to `shop`, and to `owner` if it is anybody's, is within it. What is nobody's, such as the
    /// stock of a shop, is no single customer's either.
    pub fn admits_of(&self, shop: &str, owner: Option<&str>) -> bool {
        self.admits_shop(shop)
            && match self {
                Self::Everything => true,
                Self::Only(bounds) => bounds.owner.as_deref().is_none_or(|own| owner == Some(own)),
            }
    }

    /// Whether `shop` is within it, for at least one customer.
    pub fn admits_shop(&self, shop: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Only(bounds) => bounds.shops.as_ref().is_none_or(|shops| shops.iter().any(|own| own == shop)),
        }
    }

    /// `filter`, for what of it is within the scope; `None` if it asks for what is beyond.
    pub fn narrow(&self, filter: &Filter) -> Option<Filter> {
        let Self::Only(bounds) = self else { return Some(filter.clone()) };
        if !filter.shop.as_ref().is_none_or(|shop| self.admits_shop(shop)) {
            return None;
        }
        // Every list is a shop's: one of all shops would be of shops beyond.
        if filter.shop.is_none() && bounds.shops.is_some() {
            return None;
        }
        match (&bounds.owner, &filter.owner) {
            (Some(own), Some(wanted)) if own != wanted => None,
            (Some(own), _) => Some(Filter { owner: Some(own.clone()), ..filter.clone() }),
            (None, _) => Some(filter.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    fn index(shop: &str, owner: &str) -> Index {
        Index { shop: shop.to_string(), owner: owner.to_string(), ..Index::default() }
    }

    fn scope(shops: &[&str], owner: Option<&str>) -> Scope {
        let shops = shops.iter().map(ToString::to_string).collect();
        Scope::within(Bounds { shops: Some(shops), owner: owner.map(ToString::to_string) })
    }

    #[test]
    fn what_is_beyond_does_not_exist() {
        assert!(Scope::Everything.admits(&index("skanu", "mina")));
        let staff = scope(&["skanu"], None);
        assert!(staff.admits(&index("skanu", "mina")));
        assert!(!staff.admits(&index("gs25", "mina")));
        let mina = scope(&["skanu"], Some("mina"));
        assert!(mina.admits(&index("skanu", "mina")));
        assert!(!mina.admits(&index("skanu", "jun")), "another's");
        assert!(!mina.admits(&index("skanu", "")), "nobody's");
        assert!(!mina.admits(&index("gs25", "mina")), "her own, elsewhere");
        assert!(!scope(&[], None).admits(&index("skanu", "mina")));
        assert_eq!(Scope::within(Bounds::default()), Scope::Everything);
    }

    #[test]
    fn lists_end_where_the_scope_ends() {
        let of = |shop: Option<&str>, owner: Option<&str>| Filter {
            shop: shop.map(ToString::to_string),
            owner: owner.map(ToString::to_string),
            ..Filter::default()
        };
        let mina = scope(&["skanu"], Some("mina"));
        assert_eq!(mina.narrow(&of(Some("skanu"), None)), Some(of(Some("skanu"), Some("mina"))));
        assert_eq!(mina.narrow(&of(Some("skanu"), Some("mina"))), Some(of(Some("skanu"), Some("mina"))));
        assert_eq!(mina.narrow(&of(Some("skanu"), Some("jun"))), None);
        assert_eq!(mina.narrow(&of(Some("gs25"), None)), None);
        assert_eq!(mina.narrow(&of(None, None)), None, "a list of all shops");
        let staff = scope(&["skanu", "gs25"], None);
        assert_eq!(staff.narrow(&of(Some("gs25"), Some("jun"))), Some(of(Some("gs25"), Some("jun"))));
        let anywhere = Scope::within(Bounds { shops: None, owner: Some("mina".to_string()) });
        assert_eq!(anywhere.narrow(&of(None, None)), Some(of(None, Some("mina"))));
        assert_eq!(Scope::Everything.narrow(&of(None, None)), Some(of(None, None)));
    }
}
