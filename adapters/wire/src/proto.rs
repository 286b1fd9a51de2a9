//! Messages, clients and servers, generated from `proto/`: `proto::ordering::Order`.

pub use pb::google::r#type::Money;
pub use pb::highstreet::{
    booking::v1 as booking, common::v1 as common, delivery::v1 as delivery, inventory::v1 as inventory,
    kitchen::v1 as kitchen, lending::v1 as lending, loyalty::v1 as loyalty, notification::v1 as notification,
    operations::v1 as operations, ordering::v1 as ordering, payment::v1 as payment, replenishment::v1 as replenishment,
    sales::v1 as sales, seating::v1 as seating, ticketing::v1 as ticketing, tracking::v1 as tracking,
};

/// The generated code in the layout of its protobuf packages.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, rustdoc::all, reason = "generated")]
pub mod pb {
    include!(concat!(env!("OUT_DIR"), "/pb.rs"));
}
