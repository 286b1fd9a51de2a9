//! How contexts show each other who they are: with tokens that they make themselves, of a key that only they have.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use highstreet_domain::kernel::Timestamp;
use highstreet_domain::kernel::ports::Clock;
use http::HeaderValue;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Serialize;

use crate::claims::CONTEXT;
use crate::keys::{Key, Keys, UnusableKeys};
use crate::local::LocalKey;

/// The issuer and audience of the mesh's own tokens.
pub(crate) const MESH: &str = "highstreet-mesh";
const LASTS: Duration = Duration::from_mins(5);
/// A token is made anew when it has less than this left.
const AT_LEAST: Duration = Duration::from_mins(2);

/// The keys of the mesh: the first signs what this process sends, all are believed. Two at a time let a mesh change its
/// key without a break: add the new one behind the old one everywhere, then put it first, then take the old one away.
#[derive(Clone)]
pub struct MeshKeys {
    keys: Arc<Vec<LocalKey>>,
    clock: Arc<dyn Clock>,
}

#[derive(Serialize)]
struct ContextClaims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    iat: i64,
    exp: i64,
}

// === impl MeshKeys ===

impl MeshKeys {
    /// Reads Ed25519 keys (PKCS #8 in PEM).
    pub fn read<P: AsRef<Path>>(
        files: impl IntoIterator<Item = P>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, UnusableKeys> {
        let keys = files.into_iter().map(|file| LocalKey::read(file.as_ref())).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(UnusableKeys::NoneOfUse { from: "the list of the mesh's keys".into() });
        }
        Ok(Self { keys: Arc::new(keys), clock })
    }

    /// What `context` sends with its calls, as an `authorization` header; made anew before it expires.
    pub fn credentials(&self, context: &str) -> impl Fn() -> HeaderValue + Send + Sync + use<> {
        let (this, subject) = (self.clone(), format!("{CONTEXT}{context}"));
        let last: Mutex<Option<(Timestamp, HeaderValue)>> = Mutex::default();
        move || {
            let now = this.clock.now();
            let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, header)) = last.as_ref().filter(|(until, _)| until.since(now) > AT_LEAST) {
                return header.clone();
            }
            let header = this.token(&subject, now);
            *last = Some((now.after(LASTS), header.clone()));
            header
        }
    }

    fn token(&self, subject: &str, now: Timestamp) -> HeaderValue {
        let iat = now.as_micros().div_euclid(1_000_000);
        let exp = now.after(LASTS).as_micros().div_euclid(1_000_000);
        let token = self.keys[0].sign(&ContextClaims { iss: MESH, aud: MESH, sub: subject, iat, exp });
        // A token is letters, digits, dashes and dots.
        HeaderValue::try_from(format!("Bearer {token}")).unwrap_or_else(|_| HeaderValue::from_static("Bearer"))
    }

    /// The keys that are believed.
    pub(crate) fn believed(&self) -> Keys {
        self.keys.iter().fold(Keys::default(), |keys, key| {
            let public = Key { algorithm: Algorithm::EdDSA, key: DecodingKey::from_ed_der(key.public()) };
            keys.with(key.id(), public)
        })
    }
}
