//! What streams, subjects and durable consumers are called.

use async_nats::Subject;
use highstreet_domain::kernel::Message;

/// What streams, subjects and durable consumers are called.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) prefix: String,
}

// === impl Names ===

impl Names {
    /// The stream of what a context publishes.
    pub(crate) fn events_stream(&self, context: &str) -> String {
        self.stream(context)
    }

    /// The stream of what failed and is tried again.
    pub(crate) fn retries_stream(&self) -> String {
        self.stream("RETRIES")
    }

    /// The stream of what failed for good.
    pub(crate) fn dead_stream(&self) -> String {
        self.stream("DEAD_LETTERS")
    }

    /// Everything a context publishes, in whatever version.
    pub(crate) fn all_events(&self, context: &str) -> String {
        format!("{}.{}.>", self.prefix, token(context))
    }

    /// The events of a context that have this name.
    pub(crate) fn events_named(&self, context: &str, name: &str) -> String {
        format!("{}.{}.v1.{}.*", self.prefix, token(context), token(name))
    }

    /// Where a message is published.
    pub(crate) fn subject(&self, message: &Message) -> Subject {
        let (context, name) = (token(&message.source), token(&message.name));
        format!("{}.{context}.v1.{name}.{}", self.prefix, message.subject).into()
    }

    /// The CloudEvents type of an event.
    pub(crate) fn event_type(&self, context: &str, name: &str) -> String {
        format!("{}.{context}.v1.{name}", self.prefix)
    }

    /// The CloudEvents source of what a context publishes.
    pub(crate) fn event_source(&self, context: &str) -> String {
        format!("/{}/{context}", self.prefix)
    }

    /// What a listener failed to handle and tries again.
    pub(crate) fn retries(&self, consumer: &str, source: &str) -> String {
        format!("{}.retries.{}.{}", self.prefix, token(consumer), token(source))
    }

    /// What any listener tries again.
    pub(crate) fn all_retries(&self) -> String {
        format!("{}.retries.>", self.prefix)
    }

    /// What a listener failed to handle for good.
    pub(crate) fn dead(&self, consumer: &str, source: &str) -> String {
        format!("{}.dead.{}.{}", self.prefix, token(consumer), token(source))
    }

    /// What a listener failed to handle for good, whoever published it.
    pub(crate) fn all_dead_of(&self, consumer: &str) -> String {
        format!("{}.dead.{}.*", self.prefix, token(consumer))
    }

    /// What any listener failed to handle for good.
    pub(crate) fn all_dead(&self) -> String {
        format!("{}.dead.>", self.prefix)
    }

    /// The durable consumer of a listener, on the stream of its source.
    pub(crate) fn durable(consumer: &str) -> String {
        token(consumer)
    }

    /// The durable consumer of what a listener tries again.
    pub(crate) fn retries_durable(consumer: &str, source: &str) -> String {
        format!("{}-{}", token(consumer), token(source))
    }

    fn stream(&self, what: &str) -> String {
        format!("{}_{}", token(&self.prefix), token(what)).to_uppercase()
    }
}

/// `name` as one token of a subject.
fn token(name: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    name.chars().map(|c| if allowed(c) { c } else { '_' }).collect()
}
