//! The same calls where everybody says who they are: tokens, roles and limits checked by the gateway, and who calls by
//! every context.

use std::process::Command;

use highstreet_wire::proto::ordering::ordering_service_client::OrderingServiceClient;

use super::street::Ground;
use super::{Token, get, place, shown};
use crate::cafe::{SHOP, an_order};
use crate::report::Report;
use crate::{Outcome, Plan};

/// More than anybody here reaches: what counts is that it is counted.
const LIMIT: &str = "1000000";

pub(super) async fn measure(plan: &Plan, ground: &Ground, report: &mut Report) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let (key, mesh) = (folder.path().join("token-key.pem"), folder.path().join("mesh.pem"));
    let token = token(plan, &key)?;
    // Made by the same command: a key is a key.
    self::token(plan, &mesh)?;
    let (keys, mesh) = (key.with_extension("jwks.json").display().to_string(), mesh.display().to_string());
    let guarded: Vec<String> = ["--auth-jwks", &keys, "--auth-mesh-key", &mesh].map(String::from).into();
    let limited = ["--caller-rate-limit", LIMIT, "--rate-limit", LIMIT].map(String::from);

    let payment = ground.serve(plan, &["payment"], &guarded).await?;
    let at_payment = ["--peer".to_owned(), format!("payment=http://{}", payment.address)];
    let ordering = ground.serve(plan, &["ordering"], &[&guarded[..], &at_payment].concat()).await?;
    let elsewhere = ["--peer".to_owned(), "http://{context}.invalid:1".to_owned()];
    let at_ordering = ["--peer".to_owned(), format!("ordering=http://{}", ordering.address)];
    let peers = [&elsewhere[..], &at_payment, &at_ordering].concat();
    let gateway = ground.serve(plan, &["gateway"], &[&guarded[..], &limited, &peers].concat()).await?;

    let through = gateway.channels().await?;
    place(&plan.of(1), &through, Some(&token)).await?;
    report.load("PlaceOrder through the gateway, checked", &place(plan, &through, Some(&token)).await?);
    let mut client = OrderingServiceClient::new(through[0].clone());
    let order = client.place_order(shown(an_order(0), Some(&token))).await?.into_inner().order.unwrap_or_default();
    let got = get(plan, &through, &order.order_id, Some(&token)).await?;
    report.load("GetOrder through the gateway, checked", &got);
    Ok(())
}

/// A token of staff, signed with `key`, which is made if it is not there.
fn token(plan: &Plan, key: &std::path::Path) -> Outcome<Token> {
    let made =
        Command::new(&plan.server).args(["token", "--role", "staff", "--shop", SHOP, "--key"]).arg(key).output()?;
    if !made.status.success() {
        return Err(format!("no token: {}", String::from_utf8_lossy(&made.stderr)).into());
    }
    Ok(format!("Bearer {}", String::from_utf8(made.stdout)?.trim()).parse()?)
}
