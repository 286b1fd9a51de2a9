//! The port that speaks gRPC, from as near as HTTP/2 lets one come.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::{BufMut, Bytes};
use fastrand::Rng;
use h2::RecvStream;
use h2::client::SendRequest;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use prost::Message as _;
use prost_reflect::MethodDescriptor;
use tokio::net::TcpStream;
use tonic::Code;

use crate::findings::Findings;
use crate::mold::Mold;
use crate::spoil;

const PATIENCE: Duration = Duration::from_mins(1);
const MOST_TRIES: usize = 5;

/// Calls through a connection of its own, and makes another one when the server has had enough of it.
pub(crate) struct Caller {
    address: SocketAddr,
    connection: Option<SendRequest<Bytes>>,
}

/// A request in the making.
struct Call {
    path: String,
    headers: HeaderMap,
    body: Vec<u8>,
    streams: bool,
}

/// What the server said.
enum Answer {
    Status(Code, String),
    /// No gRPC: an HTTP status.
    Http(u16),
    /// A stream has begun.
    Stream,
}

fn frame(message: &[u8]) -> Vec<u8> {
    let mut framed = vec![0];
    framed.put_u32(u32::try_from(message.len()).unwrap());
    framed.extend(message);
    framed
}

/// The message with the five bytes before it, which may be wrong, too.
fn framed(rng: &mut Rng, message: &[u8]) -> Vec<u8> {
    let mut framed = frame(message);
    match rng.u8(..40) {
        0 => framed[0] = 1,
        1 => framed[0] = rng.u8(2..),
        2 => framed[1 + rng.usize(..4)] ^= 1 << rng.u8(..8),
        3 => framed.extend(frame(message)),
        4 => framed.truncate(rng.usize(..5)),
        5 => framed.push(rng.u8(..)),
        _ => {}
    }
    framed
}

fn made(rng: &mut Rng, mold: &Mold) -> Call {
    let method: &MethodDescriptor = mold.method(rng);
    let mut path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    let mut message = mold.message(rng, &method.input()).encode_to_vec();
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/grpc"));
    headers.insert("te", HeaderValue::from_static("trailers"));
    let body = match rng.u8(..10) {
        // As it should be.
        0..3 => frame(&message),
        9 => {
            let length = rng.usize(..200);
            message = std::iter::repeat_with(|| rng.u8(..)).take(length).collect();
            if rng.bool() { frame(&message) } else { message }
        }
        _ => {
            spoil::protobuf(rng, &mut message);
            framed(rng, &message)
        }
    };
    if rng.u8(..10) == 0 {
        let (name, said) = spoil::header(rng);
        // What HTTP does not allow, no client sends.
        headers.extend(HeaderValue::from_bytes(&said).ok().map(|said| (HeaderName::from_static(name), said)));
    }
    if rng.u8(..200) == 0 {
        path.push_str(["s", "/", "%ff", "?x=1"][rng.usize(..4)]);
    }
    Call { path, headers, body, streams: method.is_server_streaming() }
}

/// The status, wherever it stands.
fn status(headers: &HeaderMap) -> Option<Answer> {
    let code = headers.get("grpc-status")?;
    let message = headers.get("grpc-message").map(|said| said.as_bytes().escape_ascii().to_string());
    Some(Answer::Status(Code::from_bytes(code.as_bytes()), message.unwrap_or_default()))
}

async fn read(response: Response<RecvStream>, streams: bool) -> Result<(Answer, Vec<u8>), h2::Error> {
    let (parts, mut body) = response.into_parts();
    if let Some(answer) = status(&parts.headers) {
        return Ok((answer, Vec::new()));
    }
    if parts.status != 200 {
        return Ok((Answer::Http(parts.status.as_u16()), Vec::new()));
    }
    if streams {
        return Ok((Answer::Stream, Vec::new()));
    }
    let mut bytes = Vec::new();
    while let Some(part) = body.data().await {
        let part = part?;
        body.flow_control().release_capacity(part.len())?;
        bytes.extend(part);
    }
    let trailers = body.trailers().await?.unwrap_or_default();
    Ok((status(&trailers).unwrap_or(Answer::Http(200)), bytes))
}

// === impl Caller ===

impl Caller {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, connection: None }
    }

    /// Makes a request and sends it until it is answered.
    pub(crate) async fn call(&mut self, rng: &mut Rng, mold: &Mold, findings: &Findings) {
        let call = made(rng, mold);
        let mut why = String::new();
        for _ in 0..MOST_TRIES {
            match tokio::time::timeout(PATIENCE, self.send(&call)).await {
                Ok(Ok((answer, bytes))) => {
                    mold.learn(rng, &bytes);
                    return judge(&answer, &call, findings);
                }
                // Too large a request may be refused like this; a server that broke may not.
                Ok(Err(error)) if error.reason() == Some(h2::Reason::INTERNAL_ERROR) => {
                    return findings.wrong(&format!("the stream broke: {error}"), &call.path, &call.body);
                }
                Ok(Err(error)) => why = error.to_string(),
                Err(_) => return findings.wrong("no answer", &call.path, &call.body),
            }
            self.connection = None;
        }
        findings.wrong(&format!("no answer: {why}"), &call.path, &call.body);
    }

    async fn send(&mut self, call: &Call) -> Result<(Answer, Vec<u8>), h2::Error> {
        let sender = if let Some(sender) = self.connection.take() {
            sender
        } else {
            let socket = TcpStream::connect(self.address).await.unwrap();
            let (sender, connection) = h2::client::handshake(socket).await?;
            tokio::spawn(connection);
            sender
        };
        let mut sender = sender.ready().await?;
        let mut request = Request::post(format!("http://{}{}", self.address, call.path)).body(()).unwrap();
        *request.headers_mut() = call.headers.clone();
        let (response, mut body) = sender.send_request(request, false)?;
        // The server may answer before it has read everything.
        let body = async move {
            let mut bytes = Bytes::from(call.body.clone());
            while !bytes.is_empty() {
                body.reserve_capacity(bytes.len().min(1 << 16));
                let Some(Ok(room)) = std::future::poll_fn(|context| body.poll_capacity(context)).await else { return };
                let part = bytes.split_to(room.min(bytes.len()));
                if body.send_data(part, false).is_err() {
                    return;
                }
            }
            // As above.
            let _ = body.send_data(Bytes::new(), true);
        };
        let ((), response) = tokio::join!(body, response);
        self.connection = Some(sender);
        read(response?, call.streams).await
    }
}

fn judge(answer: &Answer, call: &Call, findings: &Findings) {
    match answer {
        Answer::Status(code @ (Code::Internal | Code::Unknown | Code::DataLoss), message) => {
            findings.wrong(&format!("{code:?}: {message}"), &format!("{} {:?}", call.path, call.headers), &call.body);
        }
        Answer::Status(code, _) => findings.answer(format!("{code:?}")),
        Answer::Http(status @ (200 | 500)) => {
            findings.wrong(&format!("HTTP {status}"), &format!("{} {:?}", call.path, call.headers), &call.body);
        }
        Answer::Http(status) => findings.answer(format!("HTTP {status}")),
        Answer::Stream => findings.answer("stream"),
    }
}
