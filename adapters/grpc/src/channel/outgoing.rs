//! A request's body on its way out, which can be sent again as long as little of it is gone.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::SendStream;
use http::HeaderMap;
use http_body::Body as _;
use tonic::body::Body;

use crate::peer::BoxError;

/// How much is kept to be sent again, in bytes. Calls with more are not repeated once they are on their way.
const MOST_KEPT: usize = 64 * 1024;

/// A body, and what was taken from it.
pub(super) struct Outgoing {
    body: Body,
    /// Taken from the body and not sent yet.
    piece: Bytes,
    /// Taken ahead, to know whether `piece` is the last one.
    ahead: Option<Bytes>,
    trailers: Option<HeaderMap>,
    ended: bool,
    /// Something was given to a connection.
    given: bool,
    kept: Kept,
}

/// What was taken from a body so far.
enum Kept {
    Nothing,
    /// In order.
    All(Vec<Bytes>, usize),
    /// It was too much.
    Lost,
    /// The answer is there.
    NotWanted,
}

/// Why a body was not sent to its end.
pub(super) enum Unfinished {
    /// Whoever calls stopped in the middle.
    Caller(BoxError),
    /// The callee wants no more of it; its answer tells why.
    Callee,
}

// === impl Outgoing ===

impl Outgoing {
    pub(super) fn new(body: Body) -> Self {
        Self { body, piece: Bytes::new(), ahead: None, trailers: None, ended: false, given: false, kept: Kept::Nothing }
    }

    /// Whether not even a part of a message was given to the connection, so that the callee cannot have acted on it.
    pub(super) fn is_untouched(&self) -> bool {
        !self.given
    }

    /// Starts again from the beginning; false if too much is gone.
    pub(super) fn rewind(&mut self) -> bool {
        self.given = false;
        match std::mem::replace(&mut self.kept, Kept::Nothing) {
            Kept::Nothing => true,
            Kept::All(pieces, size) => {
                // What was taken is all there is of it so far: one piece from here on.
                self.piece = pieces.concat().into();
                self.ahead = None;
                self.kept = Kept::All(vec![self.piece.clone()], size);
                true
            }
            Kept::Lost | Kept::NotWanted => false,
        }
    }

    /// It will not have to be sent again.
    pub(super) fn forget(&mut self) {
        self.kept = Kept::NotWanted;
    }

    /// Sends what there is, as far as the callee's window allows. Ready when all of it is sent.
    pub(super) fn poll_send(
        &mut self,
        stream: &mut SendStream<Bytes>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Unfinished>> {
        loop {
            self.fill(context).map_err(Unfinished::Caller)?;
            if self.piece.is_empty() {
                return if self.ended { Poll::Ready(self.end(stream)) } else { Poll::Pending };
            }
            let room = ready!(room(stream, self.piece.len(), context)).ok_or(Unfinished::Callee)?;
            self.given = true;
            let part = self.piece.split_to(room.min(self.piece.len()));
            let last = self.piece.is_empty() && self.ahead.is_none() && self.ended && self.trailers.is_none();
            stream.send_data(part, last).map_err(|_| Unfinished::Callee)?;
            if last {
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// Takes up to two pieces from the body: that the first is the last one goes out with it, in one frame.
    fn fill(&mut self, context: &mut Context<'_>) -> Result<(), BoxError> {
        while self.piece.is_empty() || self.ahead.is_none() {
            if self.piece.is_empty()
                && let Some(ahead) = self.ahead.take()
            {
                self.piece = ahead;
                continue;
            }
            if self.ended {
                break;
            }
            match Pin::new(&mut self.body).poll_frame(context) {
                Poll::Pending => break,
                Poll::Ready(None) => self.ended = true,
                Poll::Ready(Some(Err(error))) => return Err(error.into()),
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(piece) if self.piece.is_empty() => {
                        self.keep(&piece);
                        self.piece = piece;
                    }
                    Ok(piece) => {
                        self.keep(&piece);
                        self.ahead = Some(piece).filter(|piece| !piece.is_empty());
                    }
                    Err(frame) => {
                        self.trailers = frame.into_trailers().ok();
                        self.ended = true;
                    }
                },
            }
        }
        Ok(())
    }

    fn keep(&mut self, piece: &Bytes) {
        match &mut self.kept {
            Kept::Nothing if piece.len() <= MOST_KEPT => self.kept = Kept::All(vec![piece.clone()], piece.len()),
            Kept::All(pieces, size) if *size + piece.len() <= MOST_KEPT => {
                pieces.push(piece.clone());
                *size += piece.len();
            }
            Kept::Nothing | Kept::All(..) => self.kept = Kept::Lost,
            Kept::Lost | Kept::NotWanted => {}
        }
    }

    fn end(&mut self, stream: &mut SendStream<Bytes>) -> Result<(), Unfinished> {
        self.given = true;
        let ended = match self.trailers.clone() {
            Some(trailers) => stream.send_trailers(trailers),
            None => stream.send_data(Bytes::new(), true),
        };
        ended.map_err(|_| Unfinished::Callee)
    }
}

/// How much of `wanted` may be sent; nothing ever, if the callee has ended the stream.
fn room(stream: &mut SendStream<Bytes>, wanted: usize, context: &mut Context<'_>) -> Poll<Option<usize>> {
    stream.reserve_capacity(wanted);
    loop {
        match stream.capacity() {
            0 => match ready!(stream.poll_capacity(context)) {
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Poll::Ready(None),
            },
            room => return Poll::Ready(Some(room)),
        }
    }
}
