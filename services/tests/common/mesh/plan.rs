//! What a mesh is to be like.

use std::collections::{BTreeMap, BTreeSet};

use highstreet::ContextName;
use highstreet::config::Role;

/// What a mesh is to be like: one replica of each context and one gateway, unless said otherwise.
#[derive(Clone, Default)]
pub(crate) struct Plan {
    replicas: BTreeMap<ContextName, usize>,
    replicas_of_all: Option<usize>,
    gateways: Option<usize>,
    pub(super) arguments: Vec<(Option<ContextName>, Vec<String>)>,
    /// Ways that lead through a proxy.
    pub(super) proxied: BTreeSet<Way>,
}

/// A way that a fault can befall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// From a context to one that it calls.
    Call(ContextName, ContextName),
    /// From a context to PostgreSQL.
    Store(ContextName),
    /// From a context to the broker.
    Bus(ContextName),
}

// === impl Plan ===

impl Plan {
    /// So many replicas of every context.
    pub(crate) fn replicas(mut self, count: usize) -> Self {
        self.replicas_of_all = Some(count);
        self
    }

    /// So many replicas of one context.
    pub(crate) fn replicas_of(mut self, context: ContextName, count: usize) -> Self {
        self.replicas.insert(context, count);
        self
    }

    pub(crate) fn gateways(mut self, count: usize) -> Self {
        self.gateways = Some(count);
        self
    }

    /// More arguments for every process.
    pub(crate) fn all_with(mut self, arguments: &[&str]) -> Self {
        self.arguments.push((None, arguments.iter().map(|it| (*it).to_owned()).collect()));
        self
    }

    /// More arguments for the processes of one context.
    pub(crate) fn with(mut self, context: ContextName, arguments: &[&str]) -> Self {
        self.arguments.push((Some(context), arguments.iter().map(|it| (*it).to_owned()).collect()));
        self
    }

    /// Leads this way through a proxy.
    pub(crate) fn through_proxy(mut self, way: Way) -> Self {
        self.proxied.insert(way);
        self
    }

    /// How many replicas of each context there are, and how many gateways.
    pub(super) fn parts(&self) -> Vec<(Role, usize)> {
        let of = |context: ContextName| self.replicas.get(&context).copied().or(self.replicas_of_all).unwrap_or(1);
        let contexts = ContextName::ALL.into_iter().map(|context| (Role::Context(context), of(context)));
        contexts.chain([(Role::Gateway, self.gateways.unwrap_or(1))]).collect()
    }
}
