//! The path templates of `google.api.http`: `/v1/orders/{order_id}:cancel`.

use std::fmt;

/// A path with places for fields, and perhaps a verb of its own behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    pub(crate) segments: Vec<Segment>,
    pub(crate) verb: Option<String>,
}

/// What stands between two slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    /// Just this.
    Literal(String),
    /// The value of a field, such as `order.id`.
    Field(String),
}

// === impl Template ===

impl Template {
    /// Reads a template; or says why it cannot be served.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let path = text.strip_prefix('/').ok_or("it must begin with a slash")?;
        // A colon within braces belongs to a pattern.
        let (path, verb) = match path.rfind(':').filter(|colon| !path[*colon..].contains(['}', '/'])) {
            Some(colon) => (&path[..colon], Some(path[colon + 1..].to_owned())),
            None => (path, None),
        };
        if verb.as_deref() == Some("") {
            return Err("a verb must follow the colon".into());
        }
        let segments = path.split('/').map(Segment::parse).collect::<Result<_, _>>()?;
        Ok(Self { segments, verb })
    }

    /// The names of the fields in it, in order.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Field(name) => Some(name.as_str()),
            Segment::Literal(_) => None,
        })
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.segments {
            match segment {
                Segment::Literal(text) => write!(f, "/{text}")?,
                Segment::Field(name) => write!(f, "/{{{name}}}")?,
            }
        }
        self.verb.iter().try_for_each(|verb| write!(f, ":{verb}"))
    }
}

// === impl Segment ===

impl Segment {
    fn parse(text: &str) -> Result<Self, String> {
        let Some(field) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
            if text.is_empty() || text.contains(['{', '}', '*', ':']) {
                return Err(format!("{text:?} is neither a plain segment nor one field in braces"));
            }
            return Ok(Self::Literal(text.to_owned()));
        };
        // `{field=*}` says the same as `{field}`; longer patterns would match several segments.
        let name = field.strip_suffix("=*").unwrap_or(field);
        if name.is_empty() || !name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_' || it == '.') {
            return Err(format!("{text:?} does not name a field of one segment"));
        }
        Ok(Self::Field(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_read_and_written() {
        for text in ["/v1/orders/{order_id}:cancel", "/v1/traces/{order.context}/{order.id}", "/v1/payments:lookup"] {
            assert_eq!(Template::parse(text).unwrap().to_string(), text);
        }
        let template = Template::parse("/v1/{order_id=*}:cancel").unwrap();
        assert_eq!(template.fields().collect::<Vec<_>>(), ["order_id"]);
        assert_eq!(template.verb.as_deref(), Some("cancel"));
    }

    #[test]
    fn what_would_not_be_found_is_refused() {
        for bad in
            ["v1", "/", "/v1//a", "/v1/*", "/v1/{a=b/*}", "/v1/{a=**}", "/v1/{}", "/v1/a{b}", "/v1/a:", "/v1/a:b/c"]
        {
            assert!(Template::parse(bad).is_err(), "{bad}");
        }
    }
}
