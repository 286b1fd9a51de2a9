//! Notification over gRPC.

use std::sync::Arc;

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Feed, Filter};
use highstreet_domain::kernel::{Id, Payer, Phone, ShopId, Standing};
use highstreet_domain::notification::{Command, Notification, Role};
use highstreet_wire::convert::{reference, timestamp};
use highstreet_wire::proto::notification as proto;
use highstreet_wire::proto::notification::notification_service_server::NotificationService;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::Desk;
use crate::fields::Fields;
use crate::opened::Opened;
use crate::page::Wanted;
use crate::scope::{asked, scope_of};
use crate::status::{beyond_scope, not_found, of_store};
use crate::watch::{AT_ONCE, Watch, read_cursor, watch};

/// Notification, inbound.
pub struct Notifications {
    /// Where calls arrive.
    pub desk: Desk<Notification>,
    /// What is watched.
    pub feed: Arc<dyn Feed<Notification>>,
    /// Cancelled when the server shuts down.
    pub ending: CancellationToken,
}

#[async_trait]
impl NotificationService for Notifications {
    type WatchNotificationsStream = Watch<proto::WatchNotificationsResponse>;

    async fn get_notification(
        &self,
        request: Request<proto::GetNotificationRequest>,
    ) -> Result<Response<proto::GetNotificationResponse>, Status> {
        let mut fields = Fields::default();
        let id = fields.uuid("notification_id", &request.get_ref().notification_id);
        let id = Id::new(fields.finish_with(id)?);
        let notification = self.desk.find(&scope_of(&request), id).await?;
        Ok(Response::new(proto::GetNotificationResponse { notification: Some(show(id, &notification)?) }))
    }

    async fn list_notifications(
        &self,
        request: Request<proto::ListNotificationsRequest>,
    ) -> Result<Response<proto::ListNotificationsResponse>, Status> {
        let (scope, message) = asked(request);
        let mut fields = Fields::default();
        let status = proto::NotificationStatus::try_from(message.status).ok().map(|status| status.as_str_name());
        let status = fields.status("status", message.status, status, "NOTIFICATION_STATUS_");
        let filter = Filter { status, ..read_filter(&mut fields, &message.shop_id, &message.recipient) };
        let wanted = Wanted::new(&mut fields, filter, message.page_size, &message.page_token);
        fields.finish()?;
        let (found, next_page_token) = self.desk.list(&scope, &wanted).await?;
        let notifications = found.iter().map(|(id, it)| show(*id, it)).collect::<Result<_, _>>()?;
        Ok(Response::new(proto::ListNotificationsResponse { notifications, next_page_token }))
    }

    async fn resend_notification(
        &self,
        request: Request<proto::ResendNotificationRequest>,
    ) -> Result<Response<proto::ResendNotificationResponse>, Status> {
        let Opened { call, message, terms, mut fields } = self.desk.open(request)?;
        let id = fields.uuid("notification_id", &message.notification_id);
        let id = Id::new(fields.finish_with(id)?);
        let (id, notification) = self.desk.change(&call, terms, id, Command::Resend).await?;
        Ok(Response::new(proto::ResendNotificationResponse { notification: Some(show(id, &notification)?) }))
    }

    async fn watch_notifications(
        &self,
        request: Request<proto::WatchNotificationsRequest>,
    ) -> Result<Response<Self::WatchNotificationsStream>, Status> {
        let (scope, message) = asked(request);
        let mut fields = Fields::default();
        let filter = read_filter(&mut fields, &message.shop_id, &message.recipient);
        let since = read_cursor(&mut fields, &message.since);
        fields.finish()?;
        let filter = scope.narrow(&filter).ok_or_else(beyond_scope)?;
        let cursor = match since {
            Some(cursor) => cursor,
            None => self.feed.latest().await.map_err(|error| of_store(&error))?,
        };
        let feed = self.feed.clone();
        Ok(Response::new(watch(self.ending.clone(), cursor, move |cursor| {
            let (feed, filter) = (feed.clone(), filter.clone());
            async move {
                let changes = feed.changes(&filter, cursor, AT_ONCE).await?;
                Ok(changes
                    .into_iter()
                    .map(|change| {
                        let notification = show(change.id, &change.standing).ok();
                        let cursor = change.cursor.to_string();
                        (change.cursor, proto::WatchNotificationsResponse { notification, cursor })
                    })
                    .collect())
            }
        })))
    }
}

fn read_filter(fields: &mut Fields, shop: &str, recipient: &str) -> Filter {
    let owner = fields.optional("recipient", recipient, Payer::parse);
    Filter {
        shop: fields.check("shop_id", ShopId::parse(shop)).map(|shop| shop.to_string()),
        owner: owner.map(|name| Phone::key_of(name.as_str())),
        ..Filter::default()
    }
}

fn show(id: Id<Notification>, notification: &Standing<Notification>) -> Result<proto::Notification, Status> {
    let letter = notification.state.letter().ok_or_else(|| not_found("notification", &id.to_string()))?;
    let role = match letter.recipient.role {
        Role::Owner => proto::RecipientRole::Owner,
        Role::Customer => proto::RecipientRole::Customer,
        Role::Staff => proto::RecipientRole::Staff,
    };
    let (status, last_error) = match &notification.state {
        Notification::Unborn | Notification::Pending(_) => (proto::NotificationStatus::Pending, ""),
        Notification::Sent(_) => (proto::NotificationStatus::Sent, ""),
        Notification::Failed { error, .. } => (proto::NotificationStatus::Failed, error.as_str()),
    };
    Ok(proto::Notification {
        notification_id: id.to_string(),
        shop_id: letter.case.shop.to_string(),
        recipient: letter.recipient.name.clone(),
        role: role.into(),
        event: letter.event.clone(),
        root: Some(reference(&letter.case.root)),
        text: letter.text.clone(),
        locale: letter.locale.as_str().into(),
        status: status.into(),
        last_error: last_error.into(),
        revision: notification.revision.cast_signed(),
        create_time: Some(timestamp(notification.created)),
        update_time: Some(timestamp(notification.updated)),
    })
}
