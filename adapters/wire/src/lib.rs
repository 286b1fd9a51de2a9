//! The published language as Rust types, and its translation to and from the domain.
//!
//! [`proto`] holds what is generated from `proto/`, one module per context; [`DESCRIPTORS`] describes it to clients
//! that ask by reflection.

pub mod proto;

/// Every published `.proto` file and what it imports, as an encoded `google.protobuf.FileDescriptorSet` without source
/// info.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
