//! Every RPC, by its path.

use highstreet_wire::DESCRIPTORS;
use http::Method;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, Value as Field};
use serde_json::{Value, json};

use crate::client::{Answer, Web};
use crate::street::{Gated, Gateway};

/// A path of an RPC: who it is, the verb, the template and whether it takes a body.
struct Offered {
    rpc: String,
    verb: Method,
    template: String,
    body: bool,
    streams: bool,
}

fn text(rule: &DynamicMessage, name: &str) -> Option<String> {
    let value = rule.get_field_by_name(name)?;
    value.as_str().filter(|it| !it.is_empty()).map(str::to_owned)
}

fn offered(method: &MethodDescriptor) -> Vec<Offered> {
    let extension = method.parent_pool().get_extension_by_name("google.api.http").unwrap();
    let options = method.options();
    let rule = options.get_extension(&extension);
    let rule = rule.as_message().unwrap();
    let more = rule.get_field_by_name("additional_bindings").unwrap().into_owned();
    let more: Vec<_> = more.as_list().unwrap().iter().filter_map(Field::as_message).cloned().collect();
    let read = |rule: &DynamicMessage| {
        let (verb, template) = match text(rule, "get") {
            Some(template) => (Method::GET, template),
            None => (Method::POST, text(rule, "post").unwrap()),
        };
        let streams = method.is_server_streaming();
        Offered { rpc: method.full_name().to_owned(), verb, template, body: text(rule, "body").is_some(), streams }
    };
    [rule].into_iter().chain(&more).map(read).collect()
}

fn everything() -> Vec<Offered> {
    let pool = DescriptorPool::decode(DESCRIPTORS).unwrap();
    let methods = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    methods.flat_map(|method| offered(&method)).collect()
}

/// The template with something in each of its places.
fn filled(template: &str) -> String {
    let mut path = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}').unwrap();
        path.push_str(before);
        path.push_str(match name {
            "shop_id" => "skanu",
            "context" | "order.context" => "ordering",
            "program" => "PROGRAM_STAMPS",
            "member" => "010-1234-5678",
            "sku" | "screening_id" => "latte",
            "view" => "traces",
            _ => "0197a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b",
        });
        rest = behind;
    }
    path + rest
}

async fn call(web: &Web, offered: &Offered) -> Answer {
    let path = filled(&offered.template);
    let ask = if offered.body { web.post(path, json!({})) } else { web.ask(offered.verb.clone(), path) };
    if !offered.streams {
        return ask.send().await;
    }
    // A stream that begins is an answer; this one would go on.
    let (parts, _) = ask.begin().await.into_parts();
    let body = "{}".into();
    assert_eq!(parts.headers["content-type"], "application/x-ndjson", "{}", offered.rpc);
    let headers = http::HeaderMap::from_iter([(http::header::CONTENT_TYPE, "application/json".parse().unwrap())]);
    Answer { status: parts.status, headers, body }
}

/// CAP-10, CAP-12: every RPC is called in JSON through the gateway's port, and answers as its context does: with a
/// message, or an error that says what is wrong. None is missing, and none is just not found.
#[tokio::test(flavor = "multi_thread")]
async fn cap_10_cap_12_every_rpc_is_called_in_json_through_the_gateway() {
    let gated = Gated::open().await;
    let web = gated.web();
    let everything = everything();
    assert!(everything.len() > 70, "{}", everything.len());
    for offered in everything {
        let answer = call(&web, &offered).await;
        if answer.status.is_success() {
            assert!(answer.json().is_object(), "{}: {answer:?}", offered.rpc);
            continue;
        }
        let (http, code, reason) = answer.refusal();
        assert!((400..500).contains(&http), "{} {}: {answer:?}", offered.rpc, offered.template);
        assert!(!["NO_SUCH_PATH", "METHOD_NOT_ALLOWED"].contains(&reason.as_str()), "{}: {answer:?}", offered.rpc);
        assert_ne!(code, "UNIMPLEMENTED", "{}", offered.rpc);
    }
}

/// CAP-12: what the gateway cannot reach is told from what does not exist.
#[tokio::test(flavor = "multi_thread")]
async fn a_context_that_is_away_is_unavailable() {
    let gateway = Gateway::before("http://127.0.0.1:9").await;
    let web = Web::new(&gateway.url);
    let answer = web.get("/v1/orders/0197a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b").send().await;
    assert_eq!(answer.refusal(), (503, "UNAVAILABLE".into(), "CONTEXT_UNAVAILABLE".into()));
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(web.get("/v1/nothing").send().await.refusal(), (404, "NOT_FOUND".into(), "NO_SUCH_PATH".into()));
}

/// CAP-10: each server describes what it answers, and shows it to people.
#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_describes_the_api() {
    let gated = Gated::open().await;
    let web = gated.web();
    let document: Value = web.get("/openapi.json").ok().await;
    let offered = everything();
    let paths = document["paths"].as_object().unwrap().values();
    let described: usize = paths.map(|verbs| verbs.as_object().unwrap().len()).sum();
    assert_eq!(described, offered.len());
    let page = web.get("/docs/ordering").send().await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
}
