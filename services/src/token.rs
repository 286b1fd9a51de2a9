//! `highstreet token`: tokens for trying things out.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use highstreet_domain::kernel::ports::Clock as _;
use highstreet_foundation::SystemClock;
use highstreet_identity::{LocalKey, Person, Role, name_of, role_named};

use crate::config::{AUDIENCE, LOCAL_ISSUER, duration};

/// `highstreet token`.
#[derive(Args, Clone, Debug)]
pub struct TokenArgs {
    /// What its holder is to their shops: customer, staff, owner, `head_office` or operator; may be repeated.
    #[arg(long = "role", value_parser = role, required = true)]
    pub roles: Vec<Role>,
    /// Their shops; may be repeated. All if none is named.
    #[arg(long = "shop")]
    pub shops: Vec<String>,
    /// The phone number they go by as customers.
    #[arg(long)]
    pub phone: Option<String>,
    /// The name they go by as customers, where they have no phone number.
    #[arg(long, conflicts_with = "phone")]
    pub customer: Option<String>,
    /// Who they are (`sub`): their actions are recorded under it. The first of their phone number, name and role if not
    /// set.
    #[arg(long)]
    pub subject: Option<String>,
    /// How long it is good.
    #[arg(long, default_value = "12h", value_parser = duration)]
    pub expires: Duration,
    /// The key to sign with; made if it is not there, with the key set for `serve --auth-jwks` beside it.
    #[arg(long, env = "HIGHSTREET_TOKEN_KEY", default_value = "./data/token-key.pem")]
    pub key: PathBuf,
    /// Who issues it (`iss`): the server's --auth-issuer.
    #[arg(long, env = "HIGHSTREET_AUTH_ISSUER", default_value = LOCAL_ISSUER)]
    pub issuer: String,
    /// What it is for (`aud`): the server's --auth-audience.
    #[arg(long, env = "HIGHSTREET_AUTH_AUDIENCE", default_value = AUDIENCE)]
    pub audience: String,
}

/// Prints a token.
pub fn print(args: TokenArgs) -> Result<(), String> {
    let key = key(&args.key)?;
    let now = SystemClock.now();
    let seconds = |time: highstreet_domain::kernel::Timestamp| time.as_micros().div_euclid(1_000_000);
    let until = seconds(now.after(args.expires));
    let (issuer, audience) = (args.issuer.clone(), args.audience.clone());
    println!("{}", key.token(&issuer, &audience, &args.person(), seconds(now), until));
    Ok(())
}

/// The key in `file`, made if it is not there; its key set is written beside it.
fn key(file: &Path) -> Result<LocalKey, String> {
    let is_new = !file.exists();
    let key = if is_new {
        LocalKey::create(file).map_err(|error| format!("cannot make the key {}: {error}", file.display()))?
    } else {
        LocalKey::read(file).map_err(|error| error.to_string())?
    };
    let keys = file.with_extension("jwks.json");
    if is_new || !keys.exists() {
        std::fs::write(&keys, key.key_set()).map_err(|error| format!("cannot write {}: {error}", keys.display()))?;
        eprintln!("serve with this to have tokens of {} believed: --auth-jwks {}", file.display(), keys.display());
    }
    Ok(key)
}

fn role(text: &str) -> Result<Role, &'static str> {
    role_named(text).ok_or("must be customer, staff, owner, head_office or operator")
}

// === impl TokenArgs ===

impl TokenArgs {
    fn person(self) -> Person {
        let role = self.roles.first().map(|role| name_of(*role));
        let name = self.phone.clone().or_else(|| self.customer.clone()).or(role);
        let every_shop = || vec!["*".into()];
        Person {
            subject: self.subject.or(name).unwrap_or_default(),
            roles: self.roles,
            shops: if self.shops.is_empty() { every_shop() } else { self.shops },
            phone: self.phone,
            customer: self.customer,
        }
    }
}
