//! `serve gateway`: this process answers for the contexts that run elsewhere, too.

use std::sync::Arc;

use highstreet_gateway::{Gateway, HealthSettings, Refusal, watch_health};
use highstreet_grpc::{PeerFailure, Reach, Traced, unavailable};
use highstreet_wire::DESCRIPTORS;
use prost::Message;
use prost_types::FileDescriptorSet;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;
use tonic::Status;

use crate::switchboard::AnyService;
use crate::{ContextName, Platform, StartError};

/// The contexts elsewhere, and the ways to them.
pub(crate) struct Front {
    ways: Vec<Way>,
}

/// The way to one context.
struct Way {
    reach: Reach,
    services: Vec<String>,
}

// === impl Front ===

impl Front {
    /// In front of every context but those that run `here`.
    pub(crate) fn of(platform: &Platform, here: &[ContextName]) -> Result<Self, StartError> {
        let mut ways = Vec::new();
        for context in ContextName::ALL.into_iter().filter(|context| !here.contains(context)) {
            let reach = platform.channel(context).map(|channel| channel.reach()).ok_or_else(|| {
                StartError::Config(format!(
                    "the gateway does not know where {context} is; say so with --peer http://{{context}}:8088 or \
                     --peer {context}=http://…"
                ))
            })?;
            platform.offices.reach(context.as_str(), reach.clone());
            let reach = Reach::new(Traced::new(context.as_str(), reach));
            ways.push(Way { reach, services: services_of(context)? });
        }
        Ok(Self { ways })
    }

    /// Answers for them.
    pub(crate) fn service(&self) -> AnyService {
        let routes = self.ways.iter().flat_map(|way| {
            let through = |service: &String| (service.clone(), way.reach.clone());
            way.services.iter().map(through).collect::<Vec<_>>()
        });
        AnyService::new(Gateway::new(routes, Arc::new(refuse)))
    }

    /// The names of their services.
    pub(crate) fn services(&self) -> impl Iterator<Item = &String> {
        self.ways.iter().flat_map(|way| &way.services)
    }

    /// Tells how they are, until it is dropped.
    pub(crate) fn watch(&self, told: &UnboundedSender<(String, bool)>) -> JoinSet<()> {
        let watch = |way: &Way| {
            let (reach, told) = (way.reach.clone(), told.clone());
            let tell = move |service: &str, serves| {
                // Whoever listens is gone only when this is going too.
                let _ = told.send((service.to_owned(), serves));
            };
            watch_health(reach, way.services.clone(), HealthSettings::default(), tell)
        };
        self.ways.iter().map(watch).collect()
    }
}

/// The services in a context's package.
fn services_of(context: ContextName) -> Result<Vec<String>, StartError> {
    let described = FileDescriptorSet::decode(DESCRIPTORS)
        .map_err(|error| StartError::Config(format!("the services' descriptors cannot be read: {error}")))?;
    let package = format!("highstreet.{context}.v1");
    let files = described.file.iter().filter(|file| file.package() == package);
    Ok(files.flat_map(|file| &file.service).map(|service| format!("{package}.{}", service.name())).collect())
}

fn refuse(refusal: &Refusal) -> Status {
    match refusal {
        Refusal::Unknown(_) => Status::unimplemented(format!("{refusal}; list them with grpcurl HOST:PORT list")),
        Refusal::Unanswered { service, why } => match why.downcast_ref::<PeerFailure>() {
            Some(failure) if !failure.is_not_sent() => unavailable(
                "CONNECTION_BROKEN",
                &format!("{service} was asked and did not answer: {why}; repeat with the same request_id"),
            ),
            _ => unavailable("CONTEXT_UNAVAILABLE", &format!("{service} is not there; try again")),
        },
        Refusal::Interrupted(_) => unavailable("CONNECTION_BROKEN", &format!("{refusal}; try again")),
    }
}
