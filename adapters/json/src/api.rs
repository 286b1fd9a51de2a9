//! The published language as it is called over HTTP: made of the descriptors once, shared by all calls.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::Duration;

use highstreet_wire::COMMENTS;
use highstreet_wire::json::pool;
use http::Method;
use http::uri::PathAndQuery;
use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, ServiceDescriptor};

use crate::comments::Comments;
use crate::field::FieldPath;
use crate::routes::Routes;
use crate::rule::{Rule, RuleBody, rules};

/// Everything that can be called.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) pool: DescriptorPool,
    /// Read when somebody asks: a server that nobody asks needs no room for them.
    pub(crate) comments: LazyLock<Comments>,
    pub(crate) routes: Routes<Binding>,
    /// By path: `/package.Service/Method`.
    pub(crate) calls: HashMap<String, Call>,
}

/// One way to call an RPC over HTTP.
#[derive(Debug)]
pub(crate) struct Binding {
    pub(crate) call: Call,
    pub(crate) changes: bool,
    pub(crate) body: RuleBody,
    /// The fields in the path, in order.
    pub(crate) fields: Vec<FieldPath>,
}

/// An RPC.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) path: PathAndQuery,
    pub(crate) input: MessageDescriptor,
    pub(crate) output: MessageDescriptor,
    pub(crate) streams: bool,
    /// It takes a stream of requests, which only gRPC can carry.
    pub(crate) takes_stream: bool,
    /// The resource in its answer and that resource's revision.
    pub(crate) revision: Option<(FieldDescriptor, FieldDescriptor)>,
}

/// How calls are made, whichever protocol they came by.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) timeout: Duration,
    pub(crate) most_bytes: usize,
    pub(crate) keep_alive: Duration,
}

// === impl Api ===

impl Api {
    /// The published language of this version. There is one, whoever asks; made when somebody asks first, because most
    /// contexts of a mesh are asked in gRPC only and need no room for it.
    pub(crate) fn get() -> &'static Self {
        static API: LazyLock<Api> =
            LazyLock::new(|| Api::read().expect("it is the same in every process, and this crate's tests read it"));
        &API
    }

    fn read() -> Result<Self, String> {
        let pool = pool().clone();
        let (mut routes, mut calls) = (Routes::default(), HashMap::new());
        for method in pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
            let wrong = |why: String| format!("{} cannot be served over HTTP: {why}", method.full_name());
            let call = Call::of(&method).map_err(wrong)?;
            for rule in rules(&method).map_err(wrong)? {
                let binding = Binding::of(&call, &rule).map_err(wrong)?;
                routes.add(rule.method, &rule.template, binding).map_err(wrong)?;
            }
            calls.insert(call.path.as_str().to_owned(), call);
        }
        Ok(Self { pool, comments: LazyLock::new(comments), routes, calls })
    }

    /// What is offered, in the order of the alphabet.
    pub(crate) fn services(&self) -> Vec<ServiceDescriptor> {
        let mut services: Vec<_> = self.pool.services().collect();
        services.sort_by(|one, other| one.full_name().cmp(other.full_name()));
        services
    }
}

fn comments() -> Comments {
    Comments::decode(COMMENTS).expect("the comments were written by the build of the crate that they come from")
}

// === impl Binding ===

impl Binding {
    fn of(call: &Call, rule: &Rule) -> Result<Self, String> {
        if call.takes_stream {
            return Err("it takes a stream of requests, which HTTP cannot carry".into());
        }
        let field = |name: &str| {
            let path = FieldPath::find(&call.input, name);
            let path = path.filter(|path| !path.field().is_list() && !path.field().is_map());
            path.ok_or_else(|| format!("{}: {} has no single field {name}", rule.template, call.input.name()))
        };
        let fields = rule.template.fields().map(field).collect::<Result<_, _>>()?;
        Ok(Self { call: call.clone(), changes: rule.method != Method::GET, body: rule.body, fields })
    }
}

// === impl Call ===

impl Call {
    fn of(method: &MethodDescriptor) -> Result<Self, String> {
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        Ok(Self {
            path: path.parse().map_err(|error| format!("{path}: {error}"))?,
            input: method.input(),
            output: method.output(),
            streams: method.is_server_streaming(),
            takes_stream: method.is_client_streaming(),
            revision: revision(&method.output()),
        })
    }
}

/// Where an answer that wraps one resource holds that resource's revision.
pub(crate) fn revision(answer: &MessageDescriptor) -> Option<(FieldDescriptor, FieldDescriptor)> {
    let of = |field: FieldDescriptor| {
        let revision = field.kind().as_message().filter(|_| !field.is_list())?.get_field_by_name("revision")?;
        (revision.kind() == Kind::Int64).then_some((field, revision))
    };
    let mut resources = answer.fields().filter_map(of);
    resources.next().filter(|_| resources.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PREFIX;

    #[test]
    fn every_rule_can_be_served_below_the_prefix() {
        let api = Api::read().unwrap();
        assert_eq!(api.routes.prefixes().collect::<Vec<_>>(), [PREFIX]);
        assert!(api.calls.values().any(|call| call.revision.is_some()));
    }
}
