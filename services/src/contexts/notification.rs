use std::sync::Arc;

use highstreet_domain::notification::{Notification, Performing, react};
use highstreet_grpc::notification::Notifications;
use highstreet_wire::notification::{HEARS, hear, publish};
use highstreet_wire::proto::notification::notification_service_server::NotificationServiceServer;

use crate::context::Mount;

pub(super) fn mount(context: &mut Mount<'_>) {
    let platform = context.platform;
    let notifications = context.keep::<Notification>(publish, Performing(platform.notifier.clone()));
    context.serve(NotificationServiceServer::new(Notifications {
        desk: context.desk(&notifications),
        feed: notifications.streams.feed.clone(),
        ending: platform.ending.clone(),
    }));
    let locale = platform.shops.locale;
    let hearing = move |message: &_| Ok(hear(message)?.iter().flat_map(|fact| react(fact, locale)).collect());
    context.react(&notifications, HEARS, Arc::new(hearing));
}
