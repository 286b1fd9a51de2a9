//! Who calls, and whether they may.
//!
//! An [`AccessLayer`] stands before the services of a process. It reads a call's bearer token, which a [`Verifier`]
//! checks against the keys of an issuer ([`KeySource`]: a file, a URL, or an `OpenID` provider by discovery), looks up who
//! may call the RPC ([`AccessTable`]: the `access` option in its `.proto`), and either refuses the call or lets it
//! through with a [`highstreet_wire::call::Caller`], which says what of the data the caller may see.
//!
//! Contexts call each other with tokens of the mesh's own ([`MeshKeys`]). For trying things out, a [`LocalKey`] makes
//! tokens for people.

mod access;
mod claims;
mod fetch;
mod keys;
mod layer;
mod local;
mod mesh;
mod ring_crypto;
mod source;
mod verifier;

pub use access::{AccessTable, UnknownAccess};
pub use claims::{Identity, Role, name_of, role_named};
pub use keys::UnusableKeys;
pub use layer::AccessLayer;
pub use local::{LocalKey, Person};
pub use mesh::MeshKeys;
pub use source::{KeySource, UnknownKeySource};
pub use verifier::{Issuer, Refused, Verifier};
