//! The published language as Rust types, and its translation to and from the domain.
//!
//! [`proto`] holds what is generated from `proto/`, one module per context; [`DESCRIPTORS`] describes it to clients
//! that ask by reflection. Each context's module has `publish` (how its events are told) and `hear` (what it makes of
//! what others tell, in its own words): the anti-corruption layer, and the only place where two contexts meet.

pub mod booking;
pub mod call;
pub mod convert;
pub mod delivery;
pub mod erasing;
pub mod inventory;
pub mod json;
pub mod kitchen;
pub mod lending;
pub mod loyalty;
pub mod notification;
pub mod ordering;
pub mod payment;
pub mod proto;
pub mod replenishment;
pub mod sales;
pub mod seating;
pub mod ticketing;
pub mod tracking;

mod stock;

/// Every published `.proto` file and what it imports, as an encoded `google.protobuf.FileDescriptorSet` without source
/// info.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// What these files say in comments, as an encoded `google.protobuf.FileDescriptorSet` that holds the
/// files' names and source info only.
pub const COMMENTS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/comments.bin"));

/// Which events a context listens to: the publishing context, and the names.
pub type Hears = &'static [(&'static str, &'static [&'static str])];

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use prost_types::FileDescriptorSet;

    use super::{
        DESCRIPTORS, Hears, booking, delivery, kitchen, loyalty, notification, ordering, payment, seating, ticketing,
        tracking,
    };

    const LISTENERS: [(&str, Hears); 10] = [
        ("booking", booking::HEARS),
        ("delivery", delivery::HEARS),
        ("kitchen", kitchen::HEARS),
        ("loyalty", loyalty::HEARS),
        ("notification", notification::HEARS),
        ("ordering", ordering::HEARS),
        ("payment", payment::HEARS),
        ("seating", seating::HEARS),
        ("ticketing", ticketing::HEARS),
        ("tracking", tracking::HEARS),
    ];

    /// SEATLATER-X4: nobody listens for what nobody publishes. Every event is listened for under the context and the
    /// name that its publisher's own language gives it.
    #[test]
    fn every_event_that_is_heard_is_one_that_is_published() {
        let set = FileDescriptorSet::decode(DESCRIPTORS).unwrap();
        let published = |source: &str, name: &str| {
            let file = format!("highstreet/{source}/v1/events.proto");
            let events = set.file.iter().find(|it| it.name() == file).map(|it| it.message_type.as_slice());
            events.is_some_and(|events| events.iter().any(|event| event.name() == name))
        };
        for (listener, hears) in LISTENERS {
            for (source, names) in hears {
                for name in *names {
                    assert!(published(source, name), "{listener} listens for {source}.{name}");
                }
            }
        }
        assert!(!published("booking", "BookingForgotten"));
    }
}
