//! How far durable consumers have come.

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::consumer::Consumer;
use async_nats::jetstream::consumer::pull::Config;
use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Durables, StoreError, Subscription};

use crate::JetStreamBus;
use crate::durable::has_code;
use crate::names::Names;
use crate::streams::is_missing;

// === impl JetStreamBus ===

impl JetStreamBus {
    /// How many messages a subscription has before it, or is at. Those that it does not want are among them until it
    /// has read on over them; those that it put aside are not.
    pub async fn lag(&self, subscription: &Subscription) -> Result<u64, StoreError> {
        let found = self.consumer(subscription).await?;
        Ok(found.map_or(0, |found| {
            let info = found.cached_info();
            info.num_pending + u64::try_from(info.num_ack_pending).unwrap_or(0)
        }))
    }

    /// How many dead letters a listener has.
    pub async fn dead_letter_count(&self, listener: &str) -> Result<u64, StoreError> {
        let streams = self.streams();
        streams.dead_letter_count(&streams.names.all_dead_of(listener)).await
    }

    /// The durable consumer of a subscription, if the broker has it.
    async fn consumer(&self, subscription: &Subscription) -> Result<Option<Consumer<Config>>, StoreError> {
        let streams = self.streams();
        streams.link.connected().await?;
        let stream = streams.names.events_stream(&subscription.source);
        let durable = Names::durable(&subscription.consumer);
        match streams.link.jetstream.get_consumer_from_stream(durable, stream).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if has_code(&error, ErrorCode::CONSUMER_NOT_FOUND) => Ok(None),
            Err(error) if has_code(&error, ErrorCode::STREAM_NOT_FOUND) => Ok(None),
            Err(error) => Err(streams.link.failed(&error)),
        }
    }
}

#[async_trait]
impl Durables for JetStreamBus {
    async fn head(&self, source: &str) -> Result<u64, StoreError> {
        let streams = self.streams();
        streams.link.connected().await?;
        match streams.link.jetstream.get_stream(streams.names.events_stream(source)).await {
            Ok(stream) => Ok(stream.cached_info().state.last_sequence),
            Err(error) if is_missing(&error) => Ok(0),
            Err(error) => Err(streams.link.failed(&error)),
        }
    }

    async fn settled(&self, subscription: &Subscription) -> Result<u64, StoreError> {
        let Some(found) = self.consumer(subscription).await? else { return Ok(0) };
        let info = found.cached_info();
        // Behind the last that it wanted nothing else counts.
        let all = info.num_pending == 0 && info.num_ack_pending == 0;
        Ok(if all { u64::MAX } else { info.ack_floor.stream_sequence })
    }

    async fn forget(&self, subscription: &Subscription) -> Result<(), StoreError> {
        let streams = self.streams();
        let Subscription { consumer, source, .. } = subscription;
        streams.link.connected().await?;
        let durables = [
            (streams.names.events_stream(source), Names::durable(consumer)),
            (streams.names.retries_stream(), Names::retries_durable(consumer, source)),
        ];
        for (stream, durable) in durables {
            streams.remove_durable(&stream, &durable).await?;
        }
        let kept = [
            (streams.names.retries_stream(), streams.names.retries(consumer, source)),
            (streams.names.dead_stream(), streams.names.dead(consumer, source)),
        ];
        for (stream, subject) in kept {
            match streams.link.jetstream.get_stream(stream).await {
                Ok(stream) => {
                    let purged = stream.purge().filter(subject).await;
                    purged.map_err(|error| streams.link.failed(&error))?;
                }
                Err(error) if is_missing(&error) => {}
                Err(error) => return Err(streams.link.failed(&error)),
            }
        }
        Ok(())
    }
}
