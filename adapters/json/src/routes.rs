//! Finds what a path and a method are for.

use std::collections::HashMap;

use http::Method;

use crate::template::{Segment, Template};

/// A tree of templates. What is named literally goes before fields; a verb, before a value that holds a colon.
#[derive(Debug)]
pub(crate) struct Routes<T> {
    root: Node<T>,
}

#[derive(Debug)]
struct Node<T> {
    literals: HashMap<String, Node<T>>,
    field: Option<Box<Node<T>>>,
    ends: Vec<End<T>>,
}

#[derive(Debug)]
struct End<T> {
    verb: Option<String>,
    method: Method,
    target: T,
}

/// What was found.
#[derive(Debug, PartialEq)]
pub(crate) enum Found<'a, T> {
    /// This, and what stands in the path for each field of the template, still encoded.
    Target(&'a T, Vec<&'a str>),
    /// The path is for other methods.
    Methods(Vec<Method>),
    /// No template is like this path.
    Nothing,
}

// === impl Routes ===

impl<T> Routes<T> {
    /// Leads from `method` and `template` to `target`; fails where they already lead to another.
    pub(crate) fn add(&mut self, method: Method, template: &Template, target: T) -> Result<(), String> {
        let mut node = &mut self.root;
        for segment in &template.segments {
            node = match segment {
                Segment::Literal(text) => node.literals.entry(text.clone()).or_default(),
                Segment::Field(_) => node.field.get_or_insert_default(),
            };
        }
        if node.ends.iter().any(|end| end.verb == template.verb && end.method == method) {
            return Err(format!("{method} {template} is taken"));
        }
        node.ends.push(End { verb: template.verb.clone(), method, target });
        Ok(())
    }

    /// The first segments that paths begin with.
    #[cfg(test)]
    pub(crate) fn prefixes(&self) -> impl Iterator<Item = &str> {
        self.root.literals.keys().map(String::as_str)
    }

    /// What `method` is for at `path`.
    pub(crate) fn find<'a>(&'a self, method: &Method, path: &'a str) -> Found<'a, T> {
        let path = path.strip_prefix('/').unwrap_or(path);
        let (before, last) = path.rsplit_once('/').map_or((None, path), |(before, last)| (Some(before), last));
        let readings = [last.rsplit_once(':').map(|(last, verb)| (last, Some(verb))), Some((last, None))];
        let mut others = Vec::new();
        for (last, verb) in readings.into_iter().flatten() {
            let segments: Vec<&str> = before.iter().flat_map(|it| it.split('/')).chain([last]).collect();
            let mut ends = Vec::new();
            self.root.walk(&segments, &mut Vec::new(), verb, &mut ends);
            if let Some((end, values)) = ends.iter().find(|(end, _)| end.method == method) {
                return Found::Target(&end.target, values.clone());
            }
            others.extend(ends.into_iter().map(|(end, _)| end.method.clone()));
        }
        if others.is_empty() { Found::Nothing } else { Found::Methods(others) }
    }
}

impl<T> Default for Routes<T> {
    fn default() -> Self {
        Self { root: Node::default() }
    }
}

// === impl Node ===

impl<T> Node<T> {
    fn walk<'a>(
        &'a self,
        segments: &[&'a str],
        values: &mut Vec<&'a str>,
        verb: Option<&str>,
        found: &mut Vec<(&'a End<T>, Vec<&'a str>)>,
    ) {
        let Some((first, rest)) = segments.split_first() else {
            let ends = self.ends.iter().filter(|end| end.verb.as_deref() == verb);
            found.extend(ends.map(|end| (end, values.clone())));
            return;
        };
        if let Some(node) = self.literals.get(*first) {
            node.walk(rest, values, verb, found);
        }
        if let Some(node) = self.field.as_ref().filter(|_| !first.is_empty()) {
            values.push(first);
            node.walk(rest, values, verb, found);
            values.pop();
        }
    }
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Self { literals: HashMap::new(), field: None, ends: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(templates: &[(Method, &str)]) -> Routes<String> {
        let mut routes = Routes::default();
        for (method, text) in templates {
            routes.add(method.clone(), &Template::parse(text).unwrap(), format!("{method} {text}")).unwrap();
        }
        routes
    }

    fn shop() -> Routes<String> {
        routes(&[
            (Method::GET, "/v1/payments/{payment_id}"),
            (Method::POST, "/v1/payments/{payment_id}:cancel"),
            (Method::GET, "/v1/payments:lookup"),
            (Method::POST, "/v1/payments:cancel"),
            (Method::GET, "/v1/shops/{shop_id}/stock/{sku}"),
            (Method::POST, "/v1/shops/{shop_id}/stock/{sku}:receive"),
            (Method::GET, "/v1/shops/{shop_id}/orders"),
            (Method::POST, "/v1/shops/{shop_id}/orders"),
            (Method::GET, "/v1/shops/main/orders"),
        ])
    }

    #[track_caller]
    fn leads(routes: &Routes<String>, method: &Method, path: &str, target: &str, values: &[&str]) {
        match routes.find(method, path) {
            Found::Target(found, read) => assert_eq!((found.as_str(), read.as_slice()), (target, values)),
            other => panic!("{method} {path}: {other:?}"),
        }
    }

    #[test]
    fn paths_lead_to_their_targets() {
        let shop = shop();
        leads(&shop, &Method::GET, "/v1/payments/7", "GET /v1/payments/{payment_id}", &["7"]);
        leads(&shop, &Method::POST, "/v1/payments/7:cancel", "POST /v1/payments/{payment_id}:cancel", &["7"]);
        leads(&shop, &Method::POST, "/v1/payments:cancel", "POST /v1/payments:cancel", &[]);
        leads(&shop, &Method::GET, "/v1/shops/s/stock/a%2Fb", "GET /v1/shops/{shop_id}/stock/{sku}", &["s", "a%2Fb"]);
        leads(&shop, &Method::GET, "/v1/shops/main/orders", "GET /v1/shops/main/orders", &[]);
        leads(&shop, &Method::POST, "/v1/shops/main/orders", "POST /v1/shops/{shop_id}/orders", &["main"]);
    }

    #[test]
    fn a_value_may_hold_a_colon() {
        let shop = shop();
        leads(&shop, &Method::GET, "/v1/shops/s/stock/a:b", "GET /v1/shops/{shop_id}/stock/{sku}", &["s", "a:b"]);
        let (path, target) = ("/v1/shops/s/stock/a:b:receive", "POST /v1/shops/{shop_id}/stock/{sku}:receive");
        leads(&shop, &Method::POST, path, target, &["s", "a:b"]);
    }

    #[test]
    fn what_leads_nowhere_is_told_apart_from_a_wrong_method() {
        let shop = shop();
        assert_eq!(shop.find(&Method::PUT, "/v1/payments:lookup"), Found::Methods(vec![Method::GET]));
        let mut methods = match shop.find(&Method::DELETE, "/v1/shops/main/orders") {
            Found::Methods(methods) => methods,
            other => panic!("{other:?}"),
        };
        methods.sort_by_key(ToString::to_string);
        methods.dedup();
        assert_eq!(methods, [Method::GET, Method::POST]);
        for path in ["/v1/payments/", "/v1/shops//orders", "/v1/nothing", "/v2/payments/7", "", "/v1/payments/7/8"] {
            assert_eq!(shop.find(&Method::GET, path), Found::Nothing, "{path}");
        }
    }

    #[test]
    fn two_for_one_path_are_refused() {
        let mut shop = shop();
        let again = Template::parse("/v1/payments/{other}:cancel").unwrap();
        assert!(shop.add(Method::POST, &again, String::new()).unwrap_err().contains("taken"));
    }
}
