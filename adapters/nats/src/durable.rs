//! Durable consumers: one per listener and source, shared by the listener's replicas.

use std::collections::BTreeSet;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::consumer::pull::Config;
use async_nats::jetstream::consumer::{AckPolicy, Consumer};
use async_nats::jetstream::stream::{ConsumerError, ConsumerErrorKind};
use highstreet_domain::kernel::ports::{StoreError, Subscription};

use crate::names::Names;
use crate::pull::Pull;
use crate::streams::Streams;

/// Another replica may be making the same consumer.
const TRIES: usize = 5;
const HEARS: &str = "hears ";

/// nats-server 2.9 has one time of making in memory and another one after its first restart, later by as long as it took
/// to make a folder: microseconds. Where it took longer, a consumer is taken for another, which costs one more delivery
/// of what was in hand; taking another for the same would lose what it gave out.
const SAME: u128 = 10_000_000;

/// When a durable consumer was made, in nanoseconds. One made anew knows nothing of what the old one gave out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Made(i128);

// === impl Made ===

impl Made {
    pub(crate) fn is_another_than(self, other: Self) -> bool {
        self.0.abs_diff(other.0) > SAME
    }
}

// === impl Streams ===

impl Streams {
    /// Makes the durable consumer of a subscription, and its stream, or brings them up to date.
    pub(crate) async fn join(&self, subscription: &Subscription) -> Result<Made, StoreError> {
        let stream = self.events(&subscription.source);
        let name = stream.name.clone();
        self.ensure(stream).await?;
        self.ensure_durable(&name, |heard| self.listening(subscription, heard)).await
    }

    /// The same for what the subscription tries again.
    pub(crate) async fn join_retries(&self, subscription: &Subscription) -> Result<Made, StoreError> {
        let Subscription { consumer, source, .. } = subscription;
        let stream = self.retries();
        let name = stream.name.clone();
        self.ensure(stream).await?;
        let filter_subject = self.names.retries(consumer, source);
        let plain = self.plain_durable(Names::retries_durable(consumer, source));
        self.ensure_durable(&name, |_| Config { filter_subject: filter_subject.clone(), ..plain.clone() }).await
    }

    /// Removes a durable consumer that does not answer, so that it is made anew; unless something was ever acknowledged
    /// there, which would be forgotten.
    ///
    /// One that nats-server 2.9 made while it was still making the stream never says anything, until the server is
    /// started again.
    pub(crate) async fn replace_mute(&self, Pull { stream, durable, .. }: &Pull) -> Result<(), StoreError> {
        let found: Result<Consumer<Config>, _> = self.link.jetstream.get_consumer_from_stream(durable, stream).await;
        let Ok(found) = found else { return Ok(()) };
        if found.cached_info().ack_floor.consumer_sequence > 0 {
            return Ok(());
        }
        tracing::warn!(stream, durable, "a consumer never answered; it is made anew");
        let removed = self.link.jetstream.delete_consumer_from_stream(durable, stream).await;
        removed.map(drop).map_err(|error| self.link.failed(&error))
    }

    /// Removes a durable consumer, if it is there.
    pub(crate) async fn remove_durable(&self, stream: &str, durable: &str) -> Result<(), StoreError> {
        let found: Result<Consumer<Config>, _> = self.link.jetstream.get_consumer_from_stream(durable, stream).await;
        match found {
            Ok(_) => {
                let removed = self.link.jetstream.delete_consumer_from_stream(durable, stream).await;
                removed.map(drop).map_err(|error| self.link.failed(&error))
            }
            Err(error) if has_code(&error, ErrorCode::CONSUMER_NOT_FOUND) => Ok(()),
            Err(error) if has_code(&error, ErrorCode::STREAM_NOT_FOUND) => Ok(()),
            Err(error) => Err(self.link.failed(&error)),
        }
    }

    /// The names of the events that the listener wants, if not this replica of it: as it says now.
    pub(crate) async fn hears(&self, subscription: &Subscription) -> Result<BTreeSet<String>, StoreError> {
        let (stream, durable) =
            (self.names.events_stream(&subscription.source), Names::durable(&subscription.consumer));
        let found: Result<Consumer<Config>, _> = self.link.jetstream.get_consumer_from_stream(durable, stream).await;
        let found = found.map_err(|error| self.link.failed(&error))?;
        Ok(heard_by(&found))
    }

    /// What a listener wants of a source. Servers before 2.10 know no lists of filters (and ignore them in silence):
    /// there the consumer gets everything, and what nobody wants is acknowledged unseen. It stays one consumer, because
    /// several would not keep the order of an aggregate's events of different names. Names are only added: an old
    /// replica that joins again must not take from the newer ones what it does not know.
    fn listening(&self, subscription: &Subscription, heard: &BTreeSet<String>) -> Config {
        let Subscription { consumer, source, names } = subscription;
        let names: BTreeSet<&str> = names.iter().chain(heard).map(String::as_str).collect();
        let plain = Config {
            description: Some(format!("{HEARS}{}", names.iter().copied().collect::<Vec<_>>().join(", "))),
            ..self.plain_durable(Names::durable(consumer))
        };
        if self.link.client.is_server_compatible(2, 10, 0) {
            let filter_subjects = names.iter().map(|name| self.names.events_named(source, name)).collect();
            Config { filter_subjects, ..plain }
        } else {
            // Nothing else is in the stream; and with a filter, however wide, the server counts what is left of every
            // subject again and again.
            plain
        }
    }

    fn plain_durable(&self, name: String) -> Config {
        Config {
            durable_name: Some(name),
            ack_policy: AckPolicy::Explicit,
            ack_wait: self.settings.ack_wait,
            // An outage may last as long as it likes.
            max_deliver: -1,
            max_ack_pending: self.settings.most_unsettled.into(),
            ..Config::default()
        }
    }

    /// `wanted` says what the consumer is to be like, given the names that it hears already.
    async fn ensure_durable(
        &self,
        stream: &str,
        wanted: impl Fn(&BTreeSet<String>) -> Config,
    ) -> Result<Made, StoreError> {
        let jetstream = &self.link.jetstream;
        let new = wanted(&BTreeSet::new());
        let durable = new.durable_name.clone().unwrap_or_default();
        for _ in 0..TRIES {
            let found: Result<Consumer<Config>, _> = jetstream.get_consumer_from_stream(&durable, stream).await;
            let found = match found {
                Ok(found) => {
                    let wanted = wanted(&heard_by(&found));
                    if is_as_wanted(&found, &wanted) {
                        Ok(found)
                    } else {
                        // Made as it is wanted, or changed to be so: to the broker that is one request.
                        jetstream.create_consumer_on_stream(wanted, stream).await
                    }
                }
                Err(error) if has_code(&error, ErrorCode::CONSUMER_NOT_FOUND) => {
                    jetstream.create_consumer_on_stream(new.clone(), stream).await
                }
                Err(error) => Err(error),
            };
            match found {
                Ok(found) => return Ok(Made(found.cached_info().created.unix_timestamp_nanos())),
                Err(error) if has_code(&error, ErrorCode::CONSUMER_NAME_EXIST) => {}
                Err(error) => {
                    if has_code(&error, ErrorCode::STREAM_NOT_FOUND) {
                        self.forget(stream);
                    }
                    return Err(self.link.failed(&error));
                }
            }
        }
        Err(self.link.failed(&format!("the consumer {durable} of {stream} is there and is not")))
    }
}

/// The names that a consumer hears, as its description says.
fn heard_by(consumer: &Consumer<Config>) -> BTreeSet<String> {
    let description = consumer.cached_info().config.description.as_deref().unwrap_or_default();
    let names = description.strip_prefix(HEARS).unwrap_or_default();
    names.split(", ").filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn is_as_wanted(found: &Consumer<Config>, wanted: &Config) -> bool {
    let found = &found.cached_info().config;
    let filters = |one: &str, many: &[String]| -> BTreeSet<String> {
        many.iter().cloned().chain((!one.is_empty()).then(|| one.to_owned())).collect()
    };
    filters(&found.filter_subject, &found.filter_subjects) == filters(&wanted.filter_subject, &wanted.filter_subjects)
        && found.description == wanted.description
        && found.ack_wait == wanted.ack_wait
        && found.max_ack_pending == wanted.max_ack_pending
}

pub(crate) fn has_code(error: &ConsumerError, code: ErrorCode) -> bool {
    matches!(error.kind(), ConsumerErrorKind::JetStream(why) if why.error_code() == code)
}
