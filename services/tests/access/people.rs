//! The people of two streets, and the keys that their tokens are made with.

use std::path::Path;
use std::sync::Arc;

use highstreet::ContextName;
use highstreet::config::{AuthArgs, GroundArgs, LOCAL_ISSUER};
use highstreet_domain::kernel::ports::Clock as _;
use highstreet_foundation::SystemClock;
use highstreet_identity::{KeySource, LocalKey, MeshKeys, Person, Role};
use tempfile::TempDir;

pub(crate) const MINE: &str = "mine";
pub(crate) const THEIRS: &str = "theirs";
pub(crate) const MINA: &str = "010-1111-2222";
pub(crate) const JUN: &str = "010-3333-4444";

/// Makes tokens that a server of its own believes.
pub(crate) struct People {
    folder: TempDir,
    key: LocalKey,
}

// === impl People ===

impl People {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = LocalKey::create(&folder.path().join("key.pem")).unwrap();
        std::fs::write(folder.path().join("keys.json"), key.key_set()).unwrap();
        LocalKey::create(&folder.path().join("mesh.pem")).unwrap();
        Self { folder, key }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The ground of a server that believes them, in a folder called `name`.
    pub(crate) fn ground(&self, name: &str) -> GroundArgs {
        let ground = GroundArgs::embedded(&self.folder().join(name));
        let auth = AuthArgs {
            auth_jwks: Some(KeySource::File(self.folder().join("keys.json"))),
            auth_mesh_keys: vec![self.folder().join("mesh.pem")],
            ..ground.auth
        };
        GroundArgs { auth, ..ground }
    }

    /// A token for somebody who is this to `shop`.
    pub(crate) fn token(&self, roles: &[Role], shop: &str, phone: Option<&str>) -> String {
        let person = Person {
            subject: phone.unwrap_or("somebody").into(),
            roles: roles.to_vec(),
            shops: vec![shop.into()],
            phone: phone.map(str::to_owned),
            customer: None,
        };
        let now = SystemClock.now().as_micros() / 1_000_000;
        self.key.token(LOCAL_ISSUER, "highstreet", &person, now, now + 3600)
    }

    /// What a context shows its peers.
    pub(crate) fn context(&self, context: ContextName) -> String {
        let keys = MeshKeys::read([self.folder().join("mesh.pem")], Arc::new(SystemClock)).unwrap();
        let header = keys.credentials(context.as_str())();
        header.to_str().unwrap().trim_start_matches("Bearer ").to_owned()
    }
}
