//! The name of a schema, and the names that are made from it.

use std::sync::Arc;

use uuid::Uuid;

use crate::connect::OpenError;

/// The longest name that PostgreSQL keeps in full, in bytes: longer ones it cuts, and two of them might meet.
const LONGEST: usize = 63;

/// The name of a schema.
#[derive(Clone, Debug)]
pub(crate) struct Schema(Arc<str>);

// === impl Schema ===

impl Schema {
    pub(crate) fn parse(name: &str) -> Result<Self, OpenError> {
        match name {
            "" => Err(OpenError::Address("the store's schema has no name".into())),
            name if name.len() > LONGEST => {
                Err(OpenError::Address(format!("the schema's name is longer than {LONGEST} bytes: {name}")))
            }
            name if name.contains('\0') => Err(OpenError::Address("the schema's name contains a zero".into())),
            name => Ok(Self(name.into())),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.0
    }

    /// As it stands in a statement.
    pub(crate) fn quoted(&self) -> String {
        format!("\"{}\"", self.0.replace('"', "\"\""))
    }

    /// As it stands in the options of a connection, where a backslash keeps what follows from ending the option.
    pub(crate) fn quoted_in_options(&self) -> String {
        let escape = |letter: char| letter.is_whitespace() || letter == '\\';
        let letters = self.quoted();
        letters.chars().flat_map(|letter| escape(letter).then_some('\\').into_iter().chain([letter])).collect()
    }

    /// The key of the advisory lock on something in it. Locks are those of a database, which contexts share.
    pub(crate) fn lock(&self, what: &str) -> i64 {
        let name = format!("highstreet\0{what}\0{}", self.0);
        let hash = Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).into_bytes();
        i64::from_be_bytes(hash[..8].try_into().expect("eight of sixteen bytes"))
    }

    /// The lock that whoever writes rows of a view holds.
    pub(crate) fn view_lock(&self, view: &str) -> i64 {
        self.lock(&format!("view {view}"))
    }

    /// The lock that is held, shared, while positions are drawn and committed.
    pub(crate) fn gate(&self) -> i64 {
        self.lock("positions")
    }

    /// The lock that each of its replicas holds, shared: so they can be counted.
    pub(crate) fn presence(&self) -> i64 {
        self.lock("replicas")
    }

    /// Where its replicas tell each other that something happened: a hash, as a channel's name is no longer than that
    /// of a schema.
    pub(crate) fn channel(&self) -> String {
        let name = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("highstreet\0{}", self.0).as_bytes());
        format!("highstreet_{}", name.simple())
    }
}
