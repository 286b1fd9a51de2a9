//! The keys that an issuer signs with, as it publishes them (RFC 7517).

use std::collections::HashMap;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use thiserror::Error;

/// Keys, by their `kid`.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    named: HashMap<String, Key>,
    nameless: Vec<Key>,
}

/// A key, and the only algorithm it is for.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) algorithm: Algorithm,
    pub(crate) key: DecodingKey,
}

/// Why there are no keys.
#[derive(Debug, Error)]
pub enum UnusableKeys {
    /// They cannot be had.
    #[error("the keys cannot be read from {from}: {why}")]
    Away {
        /// Where they should be.
        from: String,
        /// What went wrong.
        why: String,
    },
    /// What is there is no JSON Web Key Set.
    #[error("{from} holds no JSON Web Key Set: {why}")]
    NoKeySet {
        /// Where it should be.
        from: String,
        /// What is wrong with it.
        why: String,
    },
    /// None of the keys can be used.
    #[error("{from} holds no public key for RS256 (2048 bits or more), ES256 or EdDSA")]
    NoneOfUse {
        /// Where it should be.
        from: String,
    },
}

// === impl Keys ===

impl Keys {
    /// Reads a JSON Web Key Set. Keys for other purposes, of other kinds, and shared secrets are left out.
    pub(crate) fn read(from: &str, text: &[u8]) -> Result<Self, UnusableKeys> {
        let set: JwkSet = serde_json::from_slice(text)
            .map_err(|error| UnusableKeys::NoKeySet { from: from.into(), why: error.to_string() })?;
        let mut keys = Self::default();
        for jwk in &set.keys {
            let Some(key) = usable(jwk) else { continue };
            match &jwk.common.key_id {
                Some(kid) => drop(keys.named.insert(kid.clone(), key)),
                None => keys.nameless.push(key),
            }
        }
        if keys.named.is_empty() && keys.nameless.is_empty() {
            return Err(UnusableKeys::NoneOfUse { from: from.into() });
        }
        Ok(keys)
    }

    /// One key under a name.
    pub(crate) fn with(mut self, kid: &str, key: Key) -> Self {
        self.named.insert(kid.into(), key);
        self
    }

    /// The key that a token says it was signed with.
    pub(crate) fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<&Key> {
        let found = kid.map_or_else(|| self.only(), |kid| self.named.get(kid));
        // A key is for one algorithm, whatever a token says.
        found.filter(|key| key.algorithm == algorithm)
    }
}

impl Keys {
    /// A token that names no key is meant for the only one there is.
    fn only(&self) -> Option<&Key> {
        let mut all = self.named.values().chain(&self.nameless);
        all.next().filter(|_| all.next().is_none())
    }
}

fn usable(jwk: &Jwk) -> Option<Key> {
    if !matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature)) {
        return None;
    }
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => Algorithm::ES256,
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => Algorithm::EdDSA,
        // A shared secret in a public document is no secret.
        _ => return None,
    };
    let meant = jwk.common.key_algorithm.map(|meant| format!("{meant:?}"));
    if meant.is_some_and(|meant| meant != format!("{algorithm:?}")) {
        return None;
    }
    Some(Key { algorithm, key: DecodingKey::from_jwk(jwk).ok()? })
}
