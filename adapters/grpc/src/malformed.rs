//! Requests that are no messages: whoever sent them is told so.
//!
//! What reads messages says `INTERNAL` of bytes that it cannot read, as if this server were broken, and alarms would
//! ring for whatever a stranger sends. Every error of ours says why in its details; an `INTERNAL` without any is about
//! the bytes of the request, which is the caller's to mend.

use http::{HeaderMap, Response};
use tonic::Status;

use crate::status::malformed;

const STATUS: &str = "grpc-status";
const DETAILS: &str = "grpc-status-details-bin";
const INTERNAL: &str = "13";

/// The same response; or, if it complains about the bytes of the request, one that says that to the caller.
pub(crate) fn told<O: Default>(response: Response<O>) -> Response<O> {
    if !complains(response.headers()) {
        return response;
    }
    let why = Status::from_header_map(response.headers()).map(|status| status.message().to_owned());
    malformed(&why.unwrap_or_default()).into_http()
}

fn complains(headers: &HeaderMap) -> bool {
    headers.get(STATUS).is_some_and(|code| code == INTERNAL) && !headers.contains_key(DETAILS)
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    fn code(status: Status) -> (Code, Vec<u8>) {
        let told = told(status.into_http::<()>());
        let status = Status::from_header_map(told.headers()).unwrap();
        (status.code(), status.details().to_vec())
    }

    #[test]
    fn what_cannot_be_read_is_the_callers_mistake() {
        let (told, details) = code(Status::internal("failed to decode Protobuf message"));
        assert_eq!(told, Code::InvalidArgument);
        assert!(!details.is_empty());
    }

    #[test]
    fn what_is_broken_here_stays_so() {
        let ours = Status::with_details(Code::Internal, "what is stored cannot be read", vec![1].into());
        assert_eq!(code(ours), (Code::Internal, vec![1]));
        assert_eq!(code(Status::unavailable("try again")).0, Code::Unavailable);
    }
}
