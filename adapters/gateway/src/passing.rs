//! An answer on its way through.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body::{Body as _, Frame};
use tonic::Status;
use tonic::body::Body;

use crate::gateway::{Refusal, Refuse};

/// An answer's body, which always ends with a status: the callee's, or the gateway's where the callee is lost.
pub(crate) struct Passing {
    body: Body,
    refuse: Refuse,
    over: bool,
}

// === impl Passing ===

impl Passing {
    pub(crate) fn answer(answer: Response<Body>, refuse: Refuse) -> Response<Body> {
        // It has said its status, and nothing follows.
        if answer.body().is_end_stream() && answer.headers().contains_key(Status::GRPC_STATUS) {
            return answer;
        }
        answer.map(|body| Body::new(Self { body, refuse, over: false }))
    }

    fn lost(&mut self, why: crate::BoxError) -> Frame<Bytes> {
        self.over = true;
        tracing::debug!(%why, "an answer ended in the middle");
        let mut trailers = HeaderMap::new();
        // Fails where a message cannot be written down; it is written in percents then.
        let _ = (self.refuse)(&Refusal::Interrupted(why)).add_header(&mut trailers);
        Frame::trailers(trailers)
    }
}

impl http_body::Body for Passing {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.over {
            return Poll::Ready(None);
        }
        let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
            Some(Ok(frame)) => {
                self.over = frame.is_trailers();
                frame
            }
            Some(Err(error)) => self.lost(error.into()),
            None => self.lost("it has no status".into()),
        };
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        // The end of the body is not the end of the answer: its status is.
        self.over
    }
}
