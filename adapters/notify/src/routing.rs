//! Each message its way.

use std::cmp::Reverse;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use highstreet_domain::kernel::Unanswered;
use highstreet_domain::kernel::ports::Clock;
use highstreet_domain::notification::{Notifier, Refused, Sending};
use thiserror::Error;

use crate::route::Takes;
use crate::smtp::Post;
use crate::{Log, MailAddress, Route, Smtp, Webhook, WebhookSettings, WebhookUrl};

/// Sends each message by the most specific [`Route`] that takes it. What none takes goes to its recipient by mail, where
/// the recipient's name is an e-mail address and there is a server to send it by; and into the [`Log`] else.
#[derive(Default)]
pub struct Routing {
    /// The most specific first.
    ways: Vec<Way>,
    smtp: Option<Arc<Smtp>>,
}

/// Two routes take exactly the same messages.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("two routes are for shop `{shop}` and role `{role}`")]
pub struct RepeatedRoute {
    /// The shop of both; `*` is any.
    pub shop: String,
    /// The role of both; `*` is any.
    pub role: String,
}

struct Way {
    takes: Takes,
    by: Arc<dyn Notifier>,
}

// === impl Routing ===

impl Routing {
    /// Posts by these routes. Routes to the same URL share a webhook, with its limits.
    pub fn with_webhooks(
        mut self,
        routes: Vec<Route<WebhookUrl>>,
        settings: &WebhookSettings,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, RepeatedRoute> {
        let mut known: Vec<(WebhookUrl, Arc<Webhook>)> = Vec::new();
        for Route { of, to } in routes {
            let webhook = known.iter().find(|(url, _)| *url == to).map(|(_, webhook)| Arc::clone(webhook));
            let webhook = webhook.unwrap_or_else(|| {
                let webhook = Arc::new(Webhook::new(to.clone(), settings.clone(), Arc::clone(clock)));
                known.push((to, Arc::clone(&webhook)));
                webhook
            });
            self.add(of, webhook)?;
        }
        Ok(self)
    }

    /// Mails by these routes, and to recipients who are known by an e-mail address.
    pub fn with_mail(mut self, routes: Vec<Route<MailAddress>>, smtp: Smtp) -> Result<Self, RepeatedRoute> {
        let smtp = Arc::new(smtp);
        for Route { of, to } in routes {
            self.add(of, Arc::new(Post { smtp: Arc::clone(&smtp), to }))?;
        }
        Ok(Self { smtp: Some(smtp), ..self })
    }

    fn add(&mut self, takes: Takes, by: Arc<dyn Notifier>) -> Result<(), RepeatedRoute> {
        if self.ways.iter().any(|way| way.takes == takes) {
            return Err(RepeatedRoute::of(&takes));
        }
        self.ways.push(Way { takes, by });
        self.ways.sort_by_key(|way| Reverse(way.takes.specificity()));
        Ok(())
    }
}

#[async_trait]
impl Notifier for Routing {
    async fn send(&self, sending: &Sending) -> Result<Result<(), Refused>, Unanswered> {
        let letter = &sending.letter;
        if let Some(way) = self.ways.iter().find(|way| way.takes.takes(letter)) {
            return way.by.send(sending).await;
        }
        match (&self.smtp, letter.recipient.name.parse()) {
            (Some(smtp), Ok(to)) => smtp.mail(sending, &to).await,
            _ => Log.send(sending).await,
        }
    }
}

impl fmt::Debug for Routing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ways.iter().map(|way| &way.takes)).finish()
    }
}

// === impl RepeatedRoute ===

impl RepeatedRoute {
    fn of(takes: &Takes) -> Self {
        Self {
            shop: takes.shop.as_ref().map_or("*", |shop| shop.as_str()).into(),
            role: takes.role.map_or("*", |role| role.as_str()).into(),
        }
    }
}
