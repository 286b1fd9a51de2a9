//! Who may call an RPC, as its `access` option says.

use std::fmt;

use prost_reflect::{DynamicMessage, Kind, MethodDescriptor, ReflectMessage, Value};
use serde_json::json;

const EXTENSION: &str = "highstreet.common.v1.access";
const PREFIX: &str = "ROLE_";

/// Who may call an RPC.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Access {
    /// For all data of their shops.
    roles: Vec<String>,
    /// For what is their own.
    own: Vec<String>,
    signed_in: bool,
    contexts: Vec<String>,
}

/// Who may call `method`; nobody, if nothing is said.
pub(crate) fn of(method: &MethodDescriptor) -> Access {
    let options = method.options();
    let extension = method.parent_pool().get_extension_by_name(EXTENSION);
    let said = extension.filter(|extension| options.has_extension(extension));
    let said = said.map(|extension| options.get_extension(&extension).into_owned());
    said.as_ref().and_then(Value::as_message).map(Access::read).unwrap_or_default()
}

// === impl Access ===

impl Access {
    fn read(said: &DynamicMessage) -> Self {
        let signed_in = said.get_field_by_name("signed_in").and_then(|it| it.as_bool()).unwrap_or_default();
        Self { roles: names(said, "roles"), own: names(said, "own"), signed_in, contexts: names(said, "contexts") }
    }

    /// Whether a column of the table of roles has a mark: `own` for what is the caller's own.
    pub(crate) fn mark(&self, role: &str) -> &'static str {
        let has = |roles: &[String]| roles.iter().any(|it| it == role);
        if has(&self.roles) || self.signed_in {
            return "yes";
        }
        if has(&self.own) { "own" } else { "" }
    }

    /// All of them by name: those who call for themselves first, the contexts last.
    pub(crate) fn callers(self) -> Vec<String> {
        let signed_in = self.signed_in.then(|| "signed in".to_owned());
        self.own.into_iter().chain(self.roles).chain(signed_in).chain(self.contexts).collect()
    }

    /// The contexts that call it by themselves.
    pub(crate) fn contexts(&self) -> String {
        self.contexts.join(", ")
    }

    /// For programs.
    pub(crate) fn json(&self) -> serde_json::Value {
        json!({"roles": self.roles, "own": self.own, "signedIn": self.signed_in, "contexts": self.contexts})
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut callers = self.roles.clone();
        if self.signed_in {
            callers.push("whoever is signed in".into());
        }
        callers.extend(self.own.iter().map(|role| format!("{role} (what is their own)")));
        callers.extend(self.contexts.iter().map(|context| format!("context {context}")));
        if callers.is_empty() { f.write_str("nobody") } else { f.write_str(&callers.join(", ")) }
    }
}

/// The names in a list: of roles in lower case, as tokens say them.
fn names(said: &DynamicMessage, list: &str) -> Vec<String> {
    let Some(field) = said.descriptor().get_field_by_name(list) else { return Vec::new() };
    let name = |value: &Value| match (value, field.kind()) {
        (Value::String(name), _) => Some(name.clone()),
        (Value::EnumNumber(number), Kind::Enum(roles)) => Some(role(roles.get_value(*number)?.name())),
        _ => None,
    };
    said.get_field(&field).as_list().unwrap_or_default().iter().filter_map(name).collect()
}

/// `ROLE_HEAD_OFFICE` is `head_office` in a token.
pub(crate) fn role(name: &str) -> String {
    name.trim_start_matches(PREFIX).to_lowercase()
}

#[cfg(test)]
mod tests {
    use highstreet_wire::DESCRIPTORS;
    use prost_reflect::DescriptorPool;

    use super::*;

    fn access(service: &str, method: &str) -> Access {
        let pool = DescriptorPool::decode(DESCRIPTORS).unwrap();
        let service = pool.get_service_by_name(service).unwrap();
        let found = service.methods().find(|it| it.name() == method).unwrap();
        of(&found)
    }

    #[test]
    fn the_option_is_read() {
        let order = access("highstreet.ordering.v1.OrderingService", "PlaceOrder");
        assert_eq!(order.to_string(), "staff, owner, customer (what is their own)");
        assert_eq!(["owner", "customer", "head_office"].map(|role| order.mark(role)), ["yes", "own", ""]);
        let pay = access("highstreet.payment.v1.PaymentService", "RequestPayment");
        assert_eq!(pay.json()["contexts"], json!(["ordering", "booking"]));
        assert_eq!(Access::default().to_string(), "nobody");
    }
}
