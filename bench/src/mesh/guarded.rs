//! The same calls where everybody says who they are: tokens, roles and limits checked by the gateway, and who calls by
//! every context.

use std::process::Command;

use tempfile::TempDir;

use super::orders::Token;
use super::street::Ground;
use crate::cafe::SHOP;
use crate::child::Server;
use crate::{Outcome, Plan};

/// More than anybody here reaches: what counts is that it is counted.
const LIMIT: &str = "1000000";

/// A gateway that asks who calls and counts, before contexts that ask as well.
pub(super) struct Guarded {
    pub(super) gateway: Server,
    pub(super) token: Token,
    _behind: [Server; 2],
    _keys: TempDir,
}

// === impl Guarded ===

impl Guarded {
    pub(super) async fn start(plan: &Plan, ground: &Ground) -> Outcome<Self> {
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
        Ok(Self { gateway, token, _behind: [payment, ordering], _keys: folder })
    }
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
