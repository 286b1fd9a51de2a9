//! Notification (알림): tells people what happened; one message per event and recipient.

mod notification;
mod policy;
mod ports;
mod templates;

pub use notification::{Command, Event, Letter, Notification, Recipient, Rejection, Role, Step};
pub use policy::{Cafe, Cinema, Fact, Goods, Happening, Library, Store, react};
pub use ports::{Notifier, Performing, Refused, Sending};
pub use templates::{Locale, text};

/// The context's name.
pub const CONTEXT: &str = "notification";
