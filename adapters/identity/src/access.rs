//! Who may call which RPC, as the `access` option in its `.proto` says.

use std::collections::HashMap;

use highstreet_domain::kernel::Scope;
use highstreet_wire::DESCRIPTORS;
use highstreet_wire::proto::common::Access;
use prost_reflect::{DescriptorPool, MethodDescriptor, Value};
use thiserror::Error;

use crate::claims::Identity;

const OPTION: &str = "highstreet.common.v1.access";
/// Whoever can reach a server may ask how it is, and what it offers.
const PUBLIC: [&str; 3] = ["/grpc.health.v1.Health/", "/grpc.reflection.v1.", "/grpc.reflection.v1alpha."];

/// Who may call each RPC.
#[derive(Debug)]
pub struct AccessTable(HashMap<String, Access>);

/// What the published language says about access cannot be read.
#[derive(Debug, Error)]
#[error("the access options of the services cannot be read: {0}")]
pub struct UnknownAccess(String);

/// What an RPC is to callers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rpc<'a> {
    /// Anybody may call it.
    Public,
    /// Whoever is named there.
    For(&'a Access),
    /// Nobody offers it.
    Unknown,
}

/// Why somebody may not call an RPC.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Denied {
    #[error("this needs {0}")]
    Needs(String),
    #[error(
        "this is about what is your own, and your token does not say who you are: it needs a phone or customer claim"
    )]
    Nameless,
}

// === impl AccessTable ===

impl AccessTable {
    /// Of all RPCs of the published language.
    pub fn published() -> Result<Self, UnknownAccess> {
        let unknown = |error: prost_reflect::DescriptorError| UnknownAccess(error.to_string());
        let pool = DescriptorPool::decode(DESCRIPTORS).map_err(unknown)?;
        let methods: Vec<_> = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()).collect();
        let table = methods.iter().map(|method| Ok((path(method), declared(&pool, method)?)));
        table.collect::<Result<_, UnknownAccess>>().map(Self)
    }

    /// The paths of the RPCs, and who may call each.
    pub fn rpcs(&self) -> impl Iterator<Item = (&str, &Access)> {
        self.0.iter().map(|(path, access)| (path.as_str(), access))
    }

    pub(crate) fn find(&self, path: &str) -> Rpc<'_> {
        match self.0.get(path) {
            Some(access) => Rpc::For(access),
            None if PUBLIC.iter().any(|public| path.starts_with(public)) => Rpc::Public,
            None => Rpc::Unknown,
        }
    }
}

fn path(method: &MethodDescriptor) -> String {
    format!("/{}/{}", method.parent_service().full_name(), method.name())
}

/// What the option says; nothing where there is none, which lets nobody in.
fn declared(pool: &DescriptorPool, method: &MethodDescriptor) -> Result<Access, UnknownAccess> {
    let option =
        pool.get_extension_by_name(OPTION).ok_or_else(|| UnknownAccess(format!("{OPTION} is not declared")))?;
    let options = method.options();
    match options.get_extension(&option).as_ref() {
        Value::Message(access) => {
            access.transcode_to().map_err(|error| UnknownAccess(format!("{}: {error}", method.full_name())))
        }
        _ => Err(UnknownAccess(format!("{OPTION} is no message"))),
    }
}

/// What of the data `identity` may see and change through an RPC with this access.
pub(crate) fn admit(access: &Access, identity: &Identity) -> Result<Scope, Denied> {
    if let Some(context) = &identity.context {
        let named = access.contexts.contains(context);
        return if named { Ok(Scope::Everything) } else { Err(Denied::Needs(needed(access))) };
    }
    let holds = |role| identity.roles.contains(&role);
    if access.signed_in || access.roles().any(holds) {
        return Ok(identity.of_shops());
    }
    if access.own().any(holds) {
        return identity.own().ok_or(Denied::Nameless);
    }
    Err(Denied::Needs(needed(access)))
}

/// Whom an RPC is for, in words.
fn needed(access: &Access) -> String {
    let roles = access.roles().chain(access.own()).map(|role| format!("the role {}", crate::claims::name_of(role)));
    let contexts = access.contexts.iter().map(|context| format!("the context {context}"));
    let all: Vec<_> = roles.chain(contexts).collect();
    if all.is_empty() { "what nobody has".into() } else { all.join(" or ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rpc_says_who_may_call_it() {
        let table = AccessTable::published().unwrap();
        let nobody = |access: &Access| *access == Access::default();
        let silent: Vec<_> = table.rpcs().filter(|(_, access)| nobody(access)).map(|(path, _)| path).collect();
        assert!(silent.is_empty(), "these say nothing: {silent:?}");
        assert!(table.rpcs().count() > 60);
    }
}
