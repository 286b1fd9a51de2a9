//! Where an RPC is over HTTP, as its `google.api.http` option says.

use http::Method;
use prost_reflect::{DynamicMessage, MethodDescriptor, Value};

use crate::template::Template;

const EXTENSION: &str = "google.api.http";
const METHODS: [(&str, Method); 5] = [
    ("get", Method::GET),
    ("put", Method::PUT),
    ("post", Method::POST),
    ("delete", Method::DELETE),
    ("patch", Method::PATCH),
];

/// One way to call an RPC over HTTP.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) method: Method,
    pub(crate) template: Template,
    pub(crate) body: RuleBody,
}

/// What the body of a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RuleBody {
    /// There is none: every field that is not in the path is in the query.
    None,
    /// The whole message, but for what is in the path.
    Message,
}

/// The rules of `method`, the main one first; none if it is not offered over HTTP.
pub(crate) fn rules(method: &MethodDescriptor) -> Result<Vec<Rule>, String> {
    let Some(extension) = method.parent_pool().get_extension_by_name(EXTENSION) else { return Ok(Vec::new()) };
    let options = method.options();
    if !options.has_extension(&extension) {
        return Ok(Vec::new());
    }
    let value = options.get_extension(&extension);
    let main = value.as_message().ok_or("its option is no message")?;
    let more = main.get_field_by_name("additional_bindings");
    let more: Vec<Value> = more.and_then(|list| Some(list.as_list()?.to_vec())).unwrap_or_default();
    [main].into_iter().chain(more.iter().filter_map(Value::as_message)).map(Rule::read).collect()
}

// === impl Rule ===

impl Rule {
    fn read(rule: &DynamicMessage) -> Result<Self, String> {
        let text = |name: &str| {
            let value = rule.get_field_by_name(name)?;
            value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let pattern = METHODS.into_iter().find_map(|(name, method)| Some((method, text(name)?)));
        let (method, path) = pattern.ok_or("it has none of get, put, post, delete and patch")?;
        if let Some(field) = text("response_body") {
            return Err(format!("response_body {field:?}: answers are whole messages here"));
        }
        let body = match text("body").as_deref() {
            None => RuleBody::None,
            Some("*") => RuleBody::Message,
            Some(field) => return Err(format!("body {field:?}: a body is the whole message here, \"*\"")),
        };
        let template = Template::parse(&path).map_err(|why| format!("{path}: {why}"))?;
        Ok(Self { method, template, body })
    }
}
