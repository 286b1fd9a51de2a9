//! The contexts of one process, each of which can be stopped and started again.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use highstreet_domain::kernel::ports::StoreError;
use highstreet_sqlite::{FolderError, OpenError};
use tokio::time::timeout;

use crate::context::Mount;
use crate::front::Front;
use crate::{Context, ContextName, Platform};

/// A street: contexts on common ground.
pub struct Street {
    platform: Platform,
    contexts: BTreeMap<ContextName, Context>,
    front: Option<Arc<Front>>,
}

/// Why a street could not be opened.
#[derive(Debug)]
pub enum StartError {
    /// The data folder cannot be used.
    Folder(FolderError),
    /// A file in it cannot be opened.
    Open(OpenError),
    /// A schema cannot be opened.
    Schema(highstreet_postgres::OpenError),
    /// The store failed.
    Store(StoreError),
    /// The configuration makes no sense.
    Config(String),
    /// An address cannot be listened on.
    Listen(String),
}

// === impl Street ===

impl Street {
    /// Opens `platform` for these contexts.
    pub async fn open(platform: Platform, contexts: &[ContextName]) -> Result<Self, StartError> {
        let mut street = Self { platform, contexts: BTreeMap::new(), front: None };
        for context in contexts {
            street.start(*context).await?;
        }
        Ok(street)
    }

    /// Answers for the contexts that run elsewhere, too.
    pub fn add_gateway(&mut self) -> Result<(), StartError> {
        let here: Vec<_> = self.contexts.keys().copied().collect();
        let front = Front::of(&self.platform, &here)?;
        self.platform.switchboard.connect_beyond(front.service());
        self.front = Some(Arc::new(front));
        Ok(())
    }

    pub(crate) fn front(&self) -> Option<Arc<Front>> {
        self.front.clone()
    }

    /// Starts a context; nothing happens if it runs.
    pub async fn start(&mut self, name: ContextName) -> Result<(), StartError> {
        if !self.contexts.contains_key(&name) {
            let mut mount = Mount::new(&self.platform, name).await?;
            name.mount(&mut mount);
            self.contexts.insert(name, mount.start().await?);
        }
        Ok(())
    }

    /// Stops a context; nothing happens if it does not run.
    pub async fn stop(&mut self, name: ContextName) {
        if let Some(context) = self.contexts.remove(&name) {
            context.stop(&self.platform).await;
        }
    }

    /// What it stands on.
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    /// The contexts that run.
    pub fn contexts(&self) -> impl Iterator<Item = (ContextName, &Context)> {
        self.contexts.iter().map(|(name, context)| (*name, context))
    }

    /// Takes up nothing new, waits for work under way, at most for `grace`, then stops every context.
    pub async fn close(mut self, grace: Duration) {
        for context in self.contexts.values_mut() {
            context.rest().await;
        }
        self.platform.tasks.all.close();
        if timeout(grace, self.platform.tasks.all.wait()).await.is_err() {
            tracing::warn!("work was still under way after the grace period; it is taken up again at the next start");
        }
        while let Some((_, context)) = self.contexts.pop_first() {
            context.stop(&self.platform).await;
        }
    }
}

// === impl StartError ===

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(error) => error.fmt(f),
            Self::Open(error) => error.fmt(f),
            Self::Schema(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
            Self::Config(why) | Self::Listen(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for StartError {}

impl From<FolderError> for StartError {
    fn from(error: FolderError) -> Self {
        Self::Folder(error)
    }
}

impl From<OpenError> for StartError {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

impl From<highstreet_postgres::OpenError> for StartError {
    fn from(error: highstreet_postgres::OpenError) -> Self {
        Self::Schema(error)
    }
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
