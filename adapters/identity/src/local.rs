//! A key of one's own: makes tokens for trying things out, and those of the mesh.

use std::fs;
use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde::Serialize;
use serde_json::json;

use crate::claims::{Role, name_of};
use crate::keys::UnusableKeys;
use crate::ring_crypto;

const PEM_LINE: usize = 64;

/// An Ed25519 key pair.
pub struct LocalKey {
    id: String,
    public: Vec<u8>,
    signing: EncodingKey,
}

/// Whom a token is made for.
#[derive(Clone, Debug, Default)]
pub struct Person {
    /// The token's subject.
    pub subject: String,
    /// What they are to their shops.
    pub roles: Vec<Role>,
    /// Their shops; `*` is every shop.
    pub shops: Vec<String>,
    /// The phone number they go by as customers.
    pub phone: Option<String>,
    /// The name they go by as customers, where they have no phone number.
    pub customer: Option<String>,
}

// === impl LocalKey ===

impl LocalKey {
    /// Reads a key (PKCS #8 in PEM).
    pub fn read(file: &Path) -> Result<Self, UnusableKeys> {
        let from = file.display().to_string();
        let der = PrivatePkcs8KeyDer::from_pem_file(file)
            .map_err(|error| UnusableKeys::Away { from: from.clone(), why: error.to_string() })?;
        Self::of(der.secret_pkcs8_der()).ok_or(UnusableKeys::Away { from, why: "it is no Ed25519 key".into() })
    }

    /// Makes a key, and writes it to a new file that only its owner may read.
    pub fn create(file: &Path) -> io::Result<Self> {
        let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
            .map_err(|_| io::Error::other("this machine gives no random numbers"))?;
        let key = Self::of(der.as_ref()).ok_or_else(|| io::Error::other("the key that was made is none"))?;
        write_secret(file, &pem(der.as_ref()))?;
        Ok(key)
    }

    fn of(der: &[u8]) -> Option<Self> {
        ring_crypto::install();
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok()?;
        let public = pair.public_key().as_ref().to_vec();
        let id = URL_SAFE_NO_PAD.encode(&digest(&SHA256, &public).as_ref()[..9]);
        Some(Self { id, public, signing: EncodingKey::from_ed_der(der) })
    }

    /// The public key.
    pub(crate) fn public(&self) -> &[u8] {
        &self.public
    }

    /// Its `kid`.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The JSON Web Key Set that tokens of this key are checked with.
    pub fn key_set(&self) -> String {
        let x = URL_SAFE_NO_PAD.encode(&self.public);
        let key = json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": self.id, "x": x});
        format!("{:#}\n", json!({"keys": [key]}))
    }

    /// A token of `issuer` for `person`, for the services called `audience`, good from `now` on until `until`, both in
    /// seconds since 1970.
    pub fn token(&self, issuer: &str, audience: &str, person: &Person, now: i64, until: i64) -> String {
        let roles: Vec<_> = person.roles.iter().map(|role| name_of(*role)).collect();
        let mut claims = json!({
            "iss": issuer, "aud": audience, "sub": person.subject, "iat": now, "exp": until,
            "roles": roles, "shops": person.shops,
        });
        if let Some(phone) = &person.phone {
            claims["phone"] = json!(phone);
        }
        if let Some(customer) = &person.customer {
            claims["customer"] = json!(customer);
        }
        self.sign(&claims)
    }

    pub(crate) fn sign(&self, claims: &impl Serialize) -> String {
        let header = Header { kid: Some(self.id.clone()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, claims, &self.signing).expect("the key was read, and claims are plain values")
    }
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(PEM_LINE).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
}

fn write_secret(file: &Path, text: &str) -> io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;

    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?.write_all(text.as_bytes())
}
