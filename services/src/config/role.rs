//! What a process is there for.

use std::sync::OnceLock;

use clap::ValueEnum;
use clap::builder::PossibleValue;

use crate::ContextName;

/// What a process is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Runs a context.
    Context(ContextName),
    /// Answers for the contexts that run elsewhere.
    Gateway,
}

// === impl Role ===

impl Role {
    /// The contexts among `roles`; all of them if no role is named.
    pub(crate) fn contexts(roles: &[Self]) -> Vec<ContextName> {
        if roles.is_empty() {
            return ContextName::ALL.to_vec();
        }
        let context = |role: &Self| match role {
            Self::Context(context) => Some(*context),
            Self::Gateway => None,
        };
        let mut contexts: Vec<_> = roles.iter().filter_map(context).collect();
        contexts.sort_unstable();
        contexts.dedup();
        contexts
    }
}

impl ValueEnum for Role {
    fn value_variants<'a>() -> &'a [Self] {
        static ROLES: OnceLock<Vec<Role>> = OnceLock::new();
        ROLES.get_or_init(|| ContextName::ALL.into_iter().map(Role::Context).chain([Role::Gateway]).collect())
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self {
            Self::Context(context) => context.to_possible_value(),
            Self::Gateway => Some(PossibleValue::new("gateway").help("one address for all contexts")),
        }
    }
}
