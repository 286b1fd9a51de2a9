//! The API as pages for people: an overview with the table of roles, and a page for each service.

mod example;
mod html;
mod markdown;
mod overview;
mod service;

use std::collections::BTreeMap;

use crate::access::role;
use crate::api::Api;
use crate::openapi::context;

pub(crate) use overview::{conventions, roles_table};

pub(crate) const STYLE: &str = include_str!("style.css");

/// The page of what every service uses.
const SHARED: &str = "common";
/// Where that is from.
const SHARED_PACKAGES: [&str; 3] = ["highstreet.common.v1", "google.type", "google.rpc"];

/// Every page, by what stands behind `/docs/`; the overview's name is empty.
pub(crate) fn pages(api: &Api) -> BTreeMap<String, String> {
    let services = api.services();
    let page = |service| {
        let name = context(prost_reflect::ServiceDescriptor::package_name(service)).to_owned();
        let page = html::page(api, &name, &service::body(api, service));
        (name, page)
    };
    let mut pages: BTreeMap<_, _> = services.iter().map(page).collect();
    pages.insert(String::new(), html::page(api, "", &overview::body(api)));
    pages.insert(SHARED.into(), html::page(api, SHARED, &service::shared(api)));
    pages
}

/// The roles, as tokens name them.
fn roles(api: &Api) -> Vec<String> {
    let roles = api.pool.get_enum_by_name("highstreet.common.v1.Role");
    let named = roles.iter().flat_map(|roles| roles.values().skip(1).collect::<Vec<_>>());
    named.map(|value| role(value.name())).collect()
}
