//! Errors, mapped to gRPC status codes once: the canonical code, and `google.rpc` details that programs can read.

use std::time::Duration;

use highstreet_domain::kernel::ports::StoreError;
use highstreet_domain::kernel::{Aggregate, Failure, Id, Kind, Rejection, Unmoved};
use highstreet_wire::call::ERROR_DOMAIN as DOMAIN;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};
use uuid::Uuid;

const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// The status of a failure of the aggregate with this id.
pub(crate) fn of_failure<A: Aggregate>(id: Id<A>, failure: &Failure<A::Rejection>) -> Status {
    let message = failure.to_string();
    match failure {
        Failure::Rejected(rejection) => of_rejection(id, rejection),
        Failure::BeyondScope => not_found(A::NAME, &id.to_string()),
        Failure::RevisionMismatch { .. } => build(Code::Aborted, &message, details("REVISION_MISMATCH")),
        Failure::RequestIdReused => {
            let mut details = details("REQUEST_ID_REUSED");
            details.add_bad_request_violation("request_id", &message);
            build(Code::InvalidArgument, &message, details)
        }
        Failure::GaveUp { callee, .. } => unavailable(callee.reason, &message),
        Failure::Contended => build(Code::Aborted, &message, again(details("CONTENDED"))),
        Failure::Store(error) => of_store(error),
        Failure::Interrupted => unavailable("INTERRUPTED", &message),
    }
}

/// The status of a store that did not answer.
pub(crate) fn of_store(error: &StoreError) -> Status {
    match error {
        StoreError::Unavailable(why) => {
            tracing::warn!(%why, "the store is not available");
            unavailable("STORE_UNAVAILABLE", "the store is not available; try again")
        }
        StoreError::Unreadable(why) => {
            tracing::error!(%why, "the store holds what this version cannot read");
            build(Code::Internal, "what is stored cannot be read; the operator has been told", details("UNREADABLE"))
        }
    }
}

/// There is no such thing that the caller may see.
pub(crate) fn not_found(resource: &'static str, name: &str) -> Status {
    let reason = format!("{}_NOT_FOUND", resource.to_uppercase());
    let message = format!("there is no such {}", resource.replace('_', " "));
    let mut details = ErrorDetails::new();
    details.set_error_info(reason, DOMAIN, []).set_resource_info(resource, name, "", message.clone());
    build(Code::NotFound, &message, details)
}

/// The shop, or the customer, is none that the caller may act for.
pub(crate) fn beyond_scope() -> Status {
    let message = "there is no such shop or customer that you may see; name those that your token speaks for";
    build(Code::NotFound, message, details("NOT_YOURS"))
}

/// The status of a step that an operator wanted moved, and that stays as it is.
pub(crate) fn of_unmoved(context: &str, id: Uuid, unmoved: &Unmoved) -> Status {
    let (message, subject) = (unmoved.to_string(), format!("{context}/{id}"));
    let precondition = |reason: &'static str| {
        let mut details = details(reason);
        details.add_precondition_failure_violation(reason, &subject, &message);
        build(Code::FailedPrecondition, &message, details)
    };
    match unmoved {
        Unmoved::NothingWaits => {
            let mut details = details("STEP_NOT_FOUND");
            details.set_resource_info("step", &subject, "", &message);
            build(Code::NotFound, &message, details)
        }
        Unmoved::Deadline(_) => precondition("STEP_WAITS_FOR_A_TIME"),
        Unmoved::Vital(_) => precondition("STEP_MUST_BE_ANSWERED"),
        Unmoved::Running => build(Code::Aborted, &message, again(details("STEP_RUNNING"))),
        Unmoved::Failed(_) => build(Code::Aborted, &message, again(details("STEP_INTERRUPTED"))),
        Unmoved::Store(error) => of_store(error),
    }
}

/// A customer who waits for something is not forgotten.
pub(crate) fn open_cases(cases: &[highstreet_wire::proto::operations::OpenCase]) -> Status {
    let mut details = details("CUSTOMER_HAS_OPEN_CASES");
    let mut names = Vec::new();
    for case in cases {
        let subject = case.subject.as_ref().map_or_else(String::new, |it| format!("{}/{}", it.context, it.id));
        details.add_precondition_failure_violation("OPEN_CASE", &subject, format!("it is {}", case.status));
        names.push(format!("{subject} ({})", case.status));
    }
    let message =
        format!("the customer waits for something: {}; end it first, or insist with even_if_open", names.join(", "));
    build(Code::FailedPrecondition, &message, details)
}

/// A request with bad fields, all of them at once: (field, what it must be).
pub(crate) fn invalid(violations: Vec<(String, String)>) -> Status {
    let message = violations.iter().map(|(field, wanted)| format!("{field} {wanted}")).collect::<Vec<_>>().join("; ");
    let mut details = details("INVALID_REQUEST");
    for (field, wanted) in violations {
        details.add_bad_request_violation(field, wanted);
    }
    build(Code::InvalidArgument, &message, details)
}

/// A request whose bytes are no message of this RPC's.
pub(crate) fn malformed(why: &str) -> Status {
    let message = format!("the request cannot be read: {why}; send one message, as the .proto describes it");
    build(Code::InvalidArgument, &message, details("MALFORMED_MESSAGE"))
}

/// Try again in a moment.
pub fn unavailable(reason: &'static str, message: &str) -> Status {
    build(Code::Unavailable, message, again(details(reason)))
}

/// Somebody else is at it; try again in a moment.
pub(crate) fn aborted(reason: &'static str, message: &str) -> Status {
    build(Code::Aborted, message, again(details(reason)))
}

/// Too much at once; try again after `wait`.
pub(crate) fn exhausted(reason: &'static str, message: &str, wait: Duration) -> Status {
    let mut details = details(reason);
    details.set_retry_info(Some(wait));
    build(Code::ResourceExhausted, message, details)
}

/// The caller has stopped waiting.
pub(crate) fn deadline_exceeded() -> Status {
    let message = "not done before the deadline; what was begun goes on: repeat with the same request_id to learn the \
                   outcome";
    build(Code::DeadlineExceeded, message, details("DEADLINE_EXCEEDED"))
}

/// The status of a refusal by the aggregate with this id.
pub(crate) fn of_rejection<A: Aggregate>(id: Id<A>, rejection: &A::Rejection) -> Status {
    let message = rejection.to_string();
    let mut details = details(rejection.reason());
    let code = match rejection.kind() {
        Kind::NotFound => {
            details.set_resource_info(A::NAME, id.to_string(), "", &message);
            Code::NotFound
        }
        Kind::AlreadyExists => {
            details.set_resource_info(A::NAME, id.to_string(), "", &message);
            Code::AlreadyExists
        }
        Kind::Invalid => {
            details.add_bad_request_violation(rejection.field().unwrap_or_default(), &message);
            Code::InvalidArgument
        }
        Kind::Precondition => {
            let subject = format!("{}/{id}", A::NAME);
            details.add_precondition_failure_violation(rejection.reason(), subject, &message);
            Code::FailedPrecondition
        }
        Kind::Aborted => {
            details = again(details);
            Code::Aborted
        }
        Kind::Exhausted => {
            details = again(details);
            Code::ResourceExhausted
        }
    };
    build(code, &message, details)
}

fn details(reason: &'static str) -> ErrorDetails {
    let mut details = ErrorDetails::new();
    details.set_error_info(reason, DOMAIN, []);
    details
}

fn again(mut details: ErrorDetails) -> ErrorDetails {
    details.set_retry_info(Some(TRY_AGAIN_AFTER));
    details
}

fn build(code: Code, message: &str, details: ErrorDetails) -> Status {
    Status::with_error_details(code, message, details)
}
