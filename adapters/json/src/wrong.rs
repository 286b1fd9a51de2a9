//! What is wrong with a request: all of it at once, field by field.

use highstreet_wire::call::ERROR_DOMAIN;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// Why a request is not one.
pub(crate) const INVALID_REQUEST: &str = "INVALID_REQUEST";

/// The fields that are wrong, as clients name them, and what each must be.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Wrong(Vec<(String, String)>);

// === impl Wrong ===

impl Wrong {
    /// Just this.
    pub(crate) fn one(field: impl Into<String>, wanted: impl Into<String>) -> Self {
        Self(vec![(field.into(), wanted.into())])
    }

    pub(crate) fn add(&mut self, field: impl Into<String>, wanted: impl Into<String>) {
        self.0.push((field.into(), wanted.into()));
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Nothing must be wrong.
    pub(crate) fn finish(self) -> Result<(), Status> {
        if self.0.is_empty() { Ok(()) } else { Err(self.into()) }
    }
}

impl From<Wrong> for Status {
    fn from(Wrong(fields): Wrong) -> Self {
        let message: Vec<_> = fields.iter().map(|(field, wanted)| format!("{field} {wanted}")).collect();
        let mut details = ErrorDetails::new();
        details.set_error_info(INVALID_REQUEST, ERROR_DOMAIN, []);
        for (field, wanted) in fields {
            details.add_bad_request_violation(field, wanted);
        }
        Self::with_error_details(Code::InvalidArgument, message.join("; "), details)
    }
}

/// A refusal with a reason for programs.
pub(crate) fn refusal(code: Code, reason: &str, message: impl Into<String>) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info(reason, ERROR_DOMAIN, []);
    Status::with_error_details(code, message, details)
}
