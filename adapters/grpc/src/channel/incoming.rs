//! An answer's body on its way in.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::{Reason, RecvStream};
use http_body::{Body, Frame, SizeHint};
use tokio::task::AbortHandle;

use super::link::UnderWay;
use crate::peer::PeerFailure;

/// What a callee answers, as it comes.
pub(super) struct Incoming {
    stream: RecvStream,
    phase: Phase,
    _under_way: UnderWay,
    _sending: Option<Sending>,
}

enum Phase {
    Data,
    Trailers,
    Over,
}

/// The rest of a request that is still being sent. A call that is over, or that nobody wants any more, sends nothing.
pub(super) struct Sending(pub(super) AbortHandle);

// === impl Incoming ===

impl Incoming {
    pub(super) fn new(stream: RecvStream, under_way: UnderWay, sending: Option<Sending>) -> Self {
        Self { stream, phase: Phase::Data, _under_way: under_way, _sending: sending }
    }

    fn broke(&mut self, error: &h2::Error) -> Poll<Option<Result<Frame<Bytes>, PeerFailure>>> {
        self.phase = Phase::Over;
        // The callee has said all, and wants to hear no more.
        if error.is_reset() && error.reason() == Some(Reason::NO_ERROR) {
            return Poll::Ready(None);
        }
        Poll::Ready(Some(Err(PeerFailure::Broken(error.to_string()))))
    }
}

impl Body for Incoming {
    type Data = Bytes;
    type Error = PeerFailure;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, PeerFailure>>> {
        loop {
            match self.phase {
                Phase::Data => match ready!(self.stream.poll_data(context)) {
                    Some(Ok(data)) => {
                        // Fails only where the stream is gone, which the next look at it tells.
                        let _ = self.stream.flow_control().release_capacity(data.len());
                        return Poll::Ready(Some(Ok(Frame::data(data))));
                    }
                    Some(Err(error)) => return self.broke(&error),
                    None => self.phase = Phase::Trailers,
                },
                Phase::Trailers => match ready!(self.stream.poll_trailers(context)) {
                    Ok(trailers) => {
                        self.phase = Phase::Over;
                        return Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))));
                    }
                    Err(error) => return self.broke(&error),
                },
                Phase::Over => return Poll::Ready(None),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.phase, Phase::Over) || self.stream.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

// === impl Sending ===

impl Drop for Sending {
    fn drop(&mut self) {
        self.0.abort();
    }
}
