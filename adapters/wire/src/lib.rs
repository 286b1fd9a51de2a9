//! The published language as Rust types, and its translation to and from the domain.
//!
//! [`proto`] holds what is generated from `proto/`, one module per context; [`DESCRIPTORS`] describes it to clients
//! that ask by reflection. Each context's module has `publish` (how its events are told) and `hear` (what it makes of
//! what others tell, in its own words): the anti-corruption layer, and the only place where two contexts meet.

pub mod convert;
pub mod delivery;
pub mod json;
pub mod kitchen;
pub mod loyalty;
pub mod notification;
pub mod ordering;
pub mod payment;
pub mod proto;
pub mod tracking;

/// Every published `.proto` file and what it imports, as an encoded `google.protobuf.FileDescriptorSet` without source
/// info.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// Which events a context listens to: the publishing context, and the names.
pub type Hears = &'static [(&'static str, &'static [&'static str])];
