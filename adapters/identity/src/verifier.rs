//! Checks tokens.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use highstreet_domain::kernel::Timestamp;
use highstreet_domain::kernel::ports::Clock;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Header, Validation};
use ring::digest::{SHA256, digest};
use thiserror::Error;
use tokio::sync::Mutex;

use crate::claims::{Claims, Identity};
use crate::fetch::Fetch;
use crate::keys::{Keys, UnusableKeys};
use crate::mesh::{MESH, MeshKeys};
use crate::ring_crypto;
use crate::source::KeySource;

/// How much clocks may differ.
const LEEWAY: Duration = Duration::from_mins(1);
/// Tokens that name an unknown key do not have the keys read more often than this.
const LOOKS_APART: Duration = Duration::from_secs(10);
/// Keys that were taken away are noticed after this.
const LOOK_AGAIN: Duration = Duration::from_mins(5);
/// So many tokens are remembered as good; some hundred bytes each.
const MOST_REMEMBERED: usize = 10_000;
const LONGEST: usize = 16 * 1024;

/// Whose tokens are believed.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// Where its keys are.
    pub keys: KeySource,
    /// Its name: the tokens' `iss`.
    pub name: String,
    /// What its tokens must be for: one of their `aud`.
    pub audience: String,
}

/// Checks tokens, of people against the keys of their issuer, of contexts against those of the mesh.
pub struct Verifier {
    issuer: Option<Issuer>,
    mesh: Option<Keys>,
    fetch: Fetch,
    clock: Arc<dyn Clock>,
    known: RwLock<Known>,
    looking: Mutex<()>,
}

#[derive(Default)]
struct Known {
    keys: Arc<Keys>,
    looked: Option<Timestamp>,
    /// Why the last look found nothing.
    failure: Option<String>,
    /// Tokens that were found good with these keys, by their hash, and until when they are.
    good: HashMap<[u8; 32], (Timestamp, Arc<Identity>)>,
}

/// Why a token is not believed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// It cannot be checked now.
    #[error("tokens cannot be checked now: {0}; try again")]
    NoKeys(String),
    /// It is no token, or not of a kind that is believed.
    #[error("the token is not good: {0}")]
    NotGood(&'static str),
    /// It was good.
    #[error("the token has expired; get a new one")]
    Expired,
}

// === impl Verifier ===

impl Verifier {
    /// Believes `issuer`, where there is one, and the mesh, where it has keys. Reads the issuer's keys once; keys in a
    /// file have to be there, those elsewhere may come later.
    pub async fn open(
        issuer: Option<Issuer>,
        mesh: Option<&MeshKeys>,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, UnusableKeys> {
        ring_crypto::install();
        let mesh = mesh.map(MeshKeys::believed);
        let fetch = Fetch::new();
        let this = Self { issuer, mesh, fetch, clock, known: RwLock::default(), looking: Mutex::default() };
        if let Some(Issuer { keys, .. }) = &this.issuer {
            match this.look(this.clock.now()).await {
                Err(error) if matches!(keys, KeySource::File(_)) => return Err(error),
                Err(error) => tracing::warn!(%error, "tokens cannot be checked yet"),
                Ok(()) => {}
            }
        }
        Ok(Arc::new(this))
    }

    /// Who holds this token.
    pub async fn verify(self: &Arc<Self>, token: &str) -> Result<Arc<Identity>, Refused> {
        let now = self.clock.now();
        if token.len() > LONGEST {
            return Err(Refused::NotGood("it is too long"));
        }
        let hash: [u8; 32] = digest(&SHA256, token.as_bytes()).as_ref().try_into().unwrap_or_default();
        self.look_again(now);
        if let Some((_, identity)) = self.read_known().good.get(&hash).filter(|(until, _)| *until > now) {
            return Ok(identity.clone());
        }
        let header = jsonwebtoken::decode_header(token).map_err(|error| refusal(error.kind()))?;
        let (until, identity) = match self.of_mesh(token, &header, now) {
            Some(found) => found?,
            None => self.of_person(token, &header, now).await?,
        };
        let identity = Arc::new(identity);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.good.len() >= MOST_REMEMBERED {
            known.good.clear();
        }
        known.good.insert(hash, (until, identity.clone()));
        Ok(identity)
    }

    /// The context that the token is of, if it was signed with a key of the mesh.
    fn of_mesh(&self, token: &str, header: &Header, now: Timestamp) -> Option<Result<(Timestamp, Identity), Refused>> {
        let kid = header.kid.as_deref()?;
        let keys = self.mesh.as_ref()?;
        keys.find(Some(kid), header.alg)?;
        Some(read(keys, (token, header), (MESH, MESH), now).and_then(|claims| {
            let until = end(&claims);
            let context = Identity::of_context(&claims).ok_or(Refused::NotGood("it names no context"))?;
            Ok((until, context))
        }))
    }

    async fn of_person(&self, token: &str, header: &Header, now: Timestamp) -> Result<(Timestamp, Identity), Refused> {
        let Some(issuer) = &self.issuer else { return Err(Refused::NotGood("it is not of the mesh")) };
        let mut keys = self.keys();
        if keys.find(header.kid.as_deref(), header.alg).is_none() {
            // Perhaps the key is new.
            self.look_for_new(now).await;
            keys = self.keys();
        }
        if let (None, Some(why)) = (keys.find(header.kid.as_deref(), header.alg), self.failure()) {
            return Err(Refused::NoKeys(why));
        }
        let claims = read(&keys, (token, header), (&issuer.name, &issuer.audience), now)?;
        let until = end(&claims);
        let person = Identity::of_person(claims).ok_or(Refused::NotGood("its subject is nobody"))?;
        Ok((until, person))
    }

    // === Keys ===

    fn read_known(&self) -> std::sync::RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn keys(&self) -> Arc<Keys> {
        self.read_known().keys.clone()
    }

    fn failure(&self) -> Option<String> {
        self.read_known().failure.clone()
    }

    fn looked_within(&self, time: Duration, now: Timestamp) -> bool {
        self.read_known().looked.is_some_and(|looked| now.since(looked) < time)
    }

    /// Has the keys read if that was long ago; nobody waits for it, but goes on with those there are.
    fn look_again(self: &Arc<Self>, now: Timestamp) {
        if self.issuer.is_none() || self.looked_within(LOOK_AGAIN, now) || self.looking.try_lock().is_err() {
            return;
        }
        let this = self.clone();
        tokio::spawn(async move {
            if let Ok(_looking) = this.looking.try_lock()
                && !this.looked_within(LOOK_AGAIN, now)
            {
                tell_failure(this.look(now).await);
            }
        });
    }

    /// Reads the keys unless that was just done; everybody who needs a new one waits for it.
    async fn look_for_new(&self, now: Timestamp) {
        let _looking = self.looking.lock().await;
        if !self.looked_within(LOOKS_APART, now) {
            tell_failure(self.look(now).await);
        }
    }

    async fn look(&self, now: Timestamp) -> Result<(), UnusableKeys> {
        let Some(issuer) = &self.issuer else { return Ok(()) };
        let found = issuer.keys.read(&self.fetch).await;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.looked = Some(now);
        match found {
            // What was found good may have been signed with a key that is gone.
            Ok(keys) => {
                *known = Known { keys: Arc::new(keys), looked: Some(now), ..Known::default() };
                Ok(())
            }
            Err(error) => {
                known.failure = Some(error.to_string());
                Err(error)
            }
        }
    }
}

fn tell_failure(looked: Result<(), UnusableKeys>) {
    if let Err(error) = looked {
        tracing::warn!(%error, "the keys that tokens are checked with stay as they were");
    }
}

/// When a token is no longer good, whatever the difference between clocks.
fn end(claims: &Claims) -> Timestamp {
    seconds(claims.exp).after(LEEWAY)
}

fn read(
    keys: &Keys,
    (token, header): (&str, &Header),
    (issuer, audience): (&str, &str),
    now: Timestamp,
) -> Result<Claims, Refused> {
    let key = keys.find(header.kid.as_deref(), header.alg);
    let key = key.ok_or(Refused::NotGood("it was signed with a key that is not known here"))?;
    let mut validation = Validation::new(key.algorithm);
    // By the clock port, below.
    validation.validate_exp = false;
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let read = jsonwebtoken::decode::<Claims>(token, &key.key, &validation);
    let claims = read.map_err(|error| refusal(error.kind()))?.claims;
    if end(&claims) <= now {
        return Err(Refused::Expired);
    }
    if claims.nbf.is_some_and(|begin| seconds(begin) > now.after(LEEWAY)) {
        return Err(Refused::NotGood("it is not valid yet"));
    }
    Ok(claims)
}

fn seconds(time: i64) -> Timestamp {
    Timestamp::from_micros(time.saturating_mul(1_000_000))
}

fn refusal(why: &ErrorKind) -> Refused {
    Refused::NotGood(match why {
        ErrorKind::InvalidIssuer => "it is of another issuer",
        ErrorKind::InvalidAudience => "it is for another audience",
        ErrorKind::InvalidSignature => "its signature is not its key's",
        ErrorKind::MissingRequiredClaim(_) => "it lacks one of exp, iss, aud and sub",
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => "it must be signed with RS256, ES256 or EdDSA",
        _ => "it is no JSON Web Token that can be read here",
    })
}
