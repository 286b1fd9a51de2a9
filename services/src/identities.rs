//! Who may call this process, and as whom it calls others.

use std::sync::Arc;

use highstreet_domain::kernel::ports::Clock;
use highstreet_grpc::Credentials;
use highstreet_identity::{AccessLayer, AccessTable, MeshKeys, UnusableKeys, Verifier};

use crate::config::AuthArgs;
use crate::{ContextName, StartError};

/// Whose word this process takes, and what it shows others.
pub(crate) struct Identities {
    verifier: Arc<Verifier>,
    mesh: Option<MeshKeys>,
}

// === impl Identities ===

impl Identities {
    /// As `args` say; `None` where nobody is asked who they are.
    pub(crate) async fn open(args: &AuthArgs, clock: &Arc<dyn Clock>) -> Result<Option<Self>, StartError> {
        if !args.is_on() {
            return Ok(None);
        }
        let keys = &args.auth_mesh_keys;
        let mesh = (!keys.is_empty()).then(|| MeshKeys::read(keys, clock.clone())).transpose().map_err(of_keys)?;
        let verifier = Verifier::open(args.issuer(), mesh.as_ref(), clock.clone()).await.map_err(of_keys)?;
        Ok(Some(Self { verifier, mesh }))
    }

    /// The check at the door.
    pub(crate) fn access(&self) -> Result<AccessLayer, StartError> {
        let table = AccessTable::published().map_err(|error| StartError::Config(error.to_string()))?;
        Ok(AccessLayer::new(self.verifier.clone(), table))
    }

    /// Whether this process can show other contexts who it is.
    pub(crate) fn is_known_to_the_mesh(&self) -> bool {
        self.mesh.is_some()
    }

    /// What `caller` shows other contexts.
    pub(crate) fn credentials(&self, caller: ContextName) -> Option<Credentials> {
        let mesh = self.mesh.as_ref()?;
        Some(Arc::new(mesh.credentials(caller.as_str())))
    }
}

fn of_keys(error: UnusableKeys) -> StartError {
    StartError::Config(format!("{error}; see --auth-jwks and --auth-mesh-key, and `highstreet token` to make keys"))
}
