//! Which tokens are believed.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use highstreet_domain::kernel::Timestamp;
use highstreet_domain::kernel::ports::Clock;
use highstreet_foundation::SystemClock;
use highstreet_identity::{Issuer, KeySource, LocalKey, MeshKeys, Person, Refused, Role, Verifier};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use tempfile::TempDir;

const ISSUER: &str = "https://issuer.example";
const AUDIENCE: &str = "highstreet";

/// An issuer whose keys are in a file, and whoever believes it.
struct Desk {
    folder: TempDir,
    clock: Arc<MovedClock>,
}

/// The machine's clock, some seconds ahead.
#[derive(Default)]
struct MovedClock(AtomicI64);

// === impl Desk ===

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), clock: Arc::default() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn publish(&self, keys: &str) {
        fs::write(self.file("keys.json"), keys).unwrap();
    }

    fn key(&self, name: &str) -> LocalKey {
        LocalKey::create(&self.file(name)).unwrap()
    }

    async fn verifier(&self) -> Arc<Verifier> {
        let keys = KeySource::File(self.file("keys.json"));
        let issuer = Issuer { keys, name: ISSUER.into(), audience: AUDIENCE.into() };
        Verifier::open(Some(issuer), None, self.clock.clone()).await.unwrap()
    }

    fn now(&self) -> i64 {
        self.clock.now().as_micros() / 1_000_000
    }
}

// === impl MovedClock ===

#[async_trait::async_trait]
impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(SystemClock.now().as_micros() + self.0.load(Ordering::Relaxed) * 1_000_000)
    }

    async fn until(&self, at: Timestamp) {
        SystemClock.until(at).await;
    }
}

fn mina() -> Person {
    Person {
        subject: "mina".into(),
        roles: vec![Role::Customer],
        shops: vec!["skanu".into()],
        phone: Some("010-1234-5678".into()),
        customer: None,
    }
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn claims(until: i64) -> Value {
    json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "mina", "exp": until, "roles": ["owner"], "shops": ["*"]})
}

fn not_good(refused: &Refused) -> bool {
    matches!(refused, Refused::NotGood(_))
}

/// CAP-13: a token of the issuer tells who its holder is, however the issuer signs.
#[tokio::test]
async fn eddsa_es256_and_rs256_are_believed() {
    let desk = Desk::new();
    let key = desk.key("key.pem");
    desk.publish(&key.key_set());
    let identity =
        desk.verifier().await.verify(&key.token(ISSUER, AUDIENCE, &mina(), 0, desk.now() + 60)).await.unwrap();
    assert_eq!((&*identity.subject, &identity.roles[..]), ("mina", &[Role::Customer][..]));
    assert_eq!(identity.shops.as_deref(), Some(&["skanu".to_owned()][..]));
    assert_eq!(identity.owner.as_deref(), Some("+821012345678"));

    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
    let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
    let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
    desk.publish(&json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": "ec", "x": x, "y": y}]}).to_string());
    let signed = format!("{}.{}", encoded(&json!({"alg": "ES256", "kid": "ec"})), encoded(&claims(desk.now() + 60)));
    let signature = URL_SAFE_NO_PAD.encode(pair.sign(&random, signed.as_bytes()).unwrap());
    let identity = desk.verifier().await.verify(&format!("{signed}.{signature}")).await.unwrap();
    assert_eq!((&identity.roles[..], identity.shops.as_ref()), (&[Role::Owner][..], None));

    let rs256: Value = serde_json::from_str(include_str!("rs256.json")).unwrap();
    desk.publish(&rs256["keys"].to_string());
    let verifier = desk.verifier().await;
    let identity = verifier.verify(rs256["token"].as_str().unwrap()).await.unwrap();
    assert_eq!(&identity.roles[..], [Role::Staff]);
    assert!(not_good(&verifier.verify(rs256["weak"].as_str().unwrap()).await.unwrap_err()), "1024 bits are too few");
}

/// CAP-13: whoever changes a token, or signs it with what is no secret, is not believed.
#[tokio::test]
async fn forgeries_are_refused() {
    let desk = Desk::new();
    let key = desk.key("key.pem");
    desk.publish(&key.key_set());
    let verifier = desk.verifier().await;
    let good = key.token(ISSUER, AUDIENCE, &mina(), 0, desk.now() + 60);
    verifier.verify(&good).await.unwrap();
    let parts: Vec<_> = good.split('.').collect();
    let kid = serde_json::from_str::<Value>(&key.key_set()).unwrap()["keys"][0]["kid"].clone();

    let none = format!("{}.{}.", encoded(&json!({"alg": "none", "kid": kid})), parts[1]);
    let other_claims = format!("{}.{}.{}", parts[0], encoded(&claims(desk.now() + 60)), parts[2]);
    // The public key as the secret of an HMAC.
    let public = URL_SAFE_NO_PAD.decode(public_key(&key)).unwrap();
    let signed = format!("{}.{}", encoded(&json!({"alg": "HS256", "kid": kid})), parts[1]);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &public), signed.as_bytes());
    let confused = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag));
    let of_another = desk.key("other.pem").token(ISSUER, AUDIENCE, &mina(), 0, desk.now() + 60);
    let mixed = format!("{}.{}.{}", parts[0], parts[1], of_another.split('.').nth(2).unwrap());
    let unsigned = format!("{}.{}.", parts[0], parts[1]);
    for forged in
        [none, other_claims, confused, of_another, mixed, unsigned, "x".into(), "..".into(), "a".repeat(20_000)]
    {
        let refused = verifier.verify(&forged).await.unwrap_err();
        assert!(not_good(&refused), "{forged}: {refused}");
    }
}

fn public_key(key: &LocalKey) -> String {
    serde_json::from_str::<Value>(&key.key_set()).unwrap()["keys"][0]["x"].as_str().unwrap().to_owned()
}

/// CAP-13: whom a token is of, for whom it is and until when are looked at; clocks may differ by a minute.
#[tokio::test]
async fn claims_are_looked_at() {
    let desk = Desk::new();
    let key = desk.key("key.pem");
    desk.publish(&key.key_set());
    let verifier = desk.verifier().await;
    let now = desk.now();
    let token = |issuer: &str, audience: &str, until: i64| key.token(issuer, audience, &mina(), 0, until);
    assert!(not_good(&verifier.verify(&token("https://else.example", AUDIENCE, now + 60)).await.unwrap_err()));
    assert!(not_good(&verifier.verify(&token(ISSUER, "else", now + 60)).await.unwrap_err()));
    assert_eq!(verifier.verify(&token(ISSUER, AUDIENCE, now - 90)).await.unwrap_err(), Refused::Expired);
    verifier.verify(&token(ISSUER, AUDIENCE, now - 30)).await.unwrap();
    let nobody = key.token(ISSUER, AUDIENCE, &Person::default(), 0, now + 60);
    assert!(not_good(&verifier.verify(&nobody).await.unwrap_err()));
    let context = Person { subject: "context:booking".into(), ..mina() };
    let pretends = key.token(ISSUER, AUDIENCE, &context, 0, now + 60);
    assert!(not_good(&verifier.verify(&pretends).await.unwrap_err()), "people's issuers do not speak for contexts");
}

/// CAP-13: a good token is good for as long as it says, not for as long as it is remembered.
#[tokio::test]
async fn what_was_good_expires() {
    let desk = Desk::new();
    let key = desk.key("key.pem");
    desk.publish(&key.key_set());
    let verifier = desk.verifier().await;
    let token = key.token(ISSUER, AUDIENCE, &mina(), 0, desk.now() + 100);
    verifier.verify(&token).await.unwrap();
    desk.clock.0.store(155, Ordering::Relaxed);
    verifier.verify(&token).await.unwrap();
    desk.clock.0.store(165, Ordering::Relaxed);
    assert_eq!(verifier.verify(&token).await, Err(Refused::Expired));
}

/// CAP-13: an issuer changes its keys while the server runs: the new one is believed at once, the old one no longer.
#[tokio::test]
async fn keys_change_without_a_restart() {
    let desk = Desk::new();
    let (old, new) = (desk.key("old.pem"), desk.key("new.pem"));
    desk.publish(&old.key_set());
    let verifier = desk.verifier().await;
    let by_old = old.token(ISSUER, AUDIENCE, &mina(), 0, desk.now() + 3600);
    let by_new = new.token(ISSUER, AUDIENCE, &mina(), 0, desk.now() + 3600);
    verifier.verify(&by_old).await.unwrap();
    desk.publish(&new.key_set());
    assert!(not_good(&verifier.verify(&by_new).await.unwrap_err()), "the keys were just read");
    verifier.verify(&by_old).await.unwrap();
    desk.clock.0.store(11, Ordering::Relaxed);
    verifier.verify(&by_new).await.unwrap();
    assert!(not_good(&verifier.verify(&by_old).await.unwrap_err()), "its key was taken away");
    // Keys that cannot be read leave those there are.
    desk.publish("no keys");
    desk.clock.0.store(600, Ordering::Relaxed);
    verifier.verify(&by_new).await.unwrap();
}

/// CAP-13: contexts show each other tokens of the mesh's key, of which there may be two while it changes.
#[tokio::test]
async fn contexts_know_each_other() {
    let desk = Desk::new();
    desk.key("old.pem");
    desk.key("new.pem");
    desk.key("stranger.pem");
    let keys = |names: &[&str]| {
        MeshKeys::read(names.iter().map(|name| desk.file(name)), desk.clock.clone() as Arc<dyn Clock>).unwrap()
    };
    let shown = |keys: &MeshKeys| {
        let header = keys.credentials("booking")();
        header.to_str().unwrap().trim_start_matches("Bearer ").to_owned()
    };
    let mesh = keys(&["new.pem", "old.pem"]);
    let verifier = Verifier::open(None, Some(&mesh), desk.clock.clone()).await.unwrap();
    for token in [shown(&mesh), shown(&keys(&["old.pem"]))] {
        let identity = verifier.verify(&token).await.unwrap();
        assert_eq!(identity.context.as_deref(), Some("booking"));
    }
    assert!(not_good(&verifier.verify(&shown(&keys(&["stranger.pem"]))).await.unwrap_err()));
    let person = LocalKey::read(&desk.file("old.pem")).unwrap().token(
        "highstreet-mesh",
        "highstreet-mesh",
        &mina(),
        0,
        desk.now() + 60,
    );
    assert!(not_good(&verifier.verify(&person).await.unwrap_err()), "the mesh speaks for contexts only");
    // The same one is shown until it is old.
    let credentials = mesh.credentials("booking");
    let first = credentials();
    assert_eq!(credentials(), first);
    desk.clock.0.store(200, Ordering::Relaxed);
    assert_ne!(credentials(), first);
}

/// Bad keys are told from none when a server starts.
#[tokio::test]
async fn unusable_keys_are_told() {
    let desk = Desk::new();
    let keys = KeySource::File(desk.file("keys.json"));
    let issuer = || Issuer { keys: keys.clone(), name: ISSUER.into(), audience: AUDIENCE.into() };
    let open = async || Verifier::open(Some(issuer()), None, desk.clock.clone()).await.err().unwrap().to_string();
    assert!(open().await.contains("cannot be read"));
    desk.publish("[]");
    assert!(open().await.contains("no JSON Web Key Set"));
    desk.publish(r#"{"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "s"}]}"#);
    assert!(open().await.contains("no public key"), "a shared secret is no key");
    assert!("ftp://x".parse::<KeySource>().is_err());
    assert_eq!("keys.json".parse(), Ok(KeySource::File("keys.json".into())));
}
