//! Makes requests wrong.

use fastrand::Rng;
use serde_json::{Map, Number, Value};

/// Beyond the largest request that is read, in bytes.
const TOO_LARGE: usize = 5 << 20;

/// Changes bytes that were a protobuf message.
pub(crate) fn protobuf(rng: &mut Rng, bytes: &mut Vec<u8>) {
    for _ in 0..=rng.usize(..3) {
        match rng.u8(..10) {
            // An unknown field, or one of another type.
            0 => bytes.extend([rng.u8(..) & 0xf8 | rng.u8(..6), rng.u8(..), rng.u8(..)]),
            // Messages in messages.
            1 => *bytes = deep(rng, bytes),
            // Groups in groups, which never end.
            2 => bytes.extend(std::iter::repeat_n(0x0b, rng.usize(..20_000))),
            // A length beyond the end, or beyond all numbers.
            3 => bytes.extend([0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, rng.u8(..)]),
            _ => any(rng, bytes),
        }
    }
}

/// One field in another, as deep as nobody writes.
fn deep(rng: &mut Rng, core: &[u8]) -> Vec<u8> {
    let tag = (rng.u8(1..16) << 3) | 2;
    let mut bytes = core.to_vec();
    for _ in 0..rng.usize(10..300) {
        let mut length = bytes.len();
        let mut outer = vec![tag];
        while length > 0x7f {
            outer.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
            length >>= 7;
        }
        outer.push(u8::try_from(length).unwrap());
        outer.append(&mut bytes);
        bytes = outer;
    }
    bytes
}

/// Changes bytes, whatever they say.
pub(crate) fn any(rng: &mut Rng, bytes: &mut Vec<u8>) {
    if bytes.is_empty() {
        bytes.push(rng.u8(..));
    }
    let at = rng.usize(..bytes.len());
    match rng.u8(..8) {
        0 => bytes.truncate(at),
        1 => bytes[at] ^= 1 << rng.u8(..8),
        2 => bytes[at] = rng.u8(..),
        3 => bytes.insert(at, rng.u8(..)),
        // No UTF-8: a byte that never occurs, one that goes on with nothing, half a pair of surrogates.
        4 => bytes[at] = [0xff, 0x80, 0xc0, 0xfe][rng.usize(..4)],
        5 => drop(bytes.splice(at..at, [0xed, 0xa0, 0x80])),
        6 => {
            let end = rng.usize(at..bytes.len());
            let again = bytes[at..=end].to_vec();
            bytes.splice(at..at, again);
        }
        _ => *bytes = std::iter::repeat_with(|| rng.u8(..)).take(at + 1).collect(),
    }
    if rng.u8(..100) == 0 {
        let filler = rng.u8(..);
        bytes.resize(rng.usize(..TOO_LARGE), filler);
    }
}

/// Changes what stands in JSON, which stays JSON.
pub(crate) fn value(rng: &mut Rng, value: &mut Value) {
    match value {
        Value::Object(fields) if !fields.is_empty() && rng.u8(..4) != 0 => {
            if rng.u8(..4) == 0 {
                fields.insert(["nothing", "__proto__", "", "@type"][rng.usize(..4)].into(), other(rng));
                return;
            }
            let at = rng.usize(..fields.len());
            if let Some(inner) = fields.values_mut().nth(at) {
                self::value(rng, inner);
            }
        }
        Value::Array(values) if !values.is_empty() && rng.u8(..4) != 0 => {
            let at = rng.usize(..values.len());
            self::value(rng, &mut values[at]);
        }
        here => *here = other(rng),
    }
}

/// A value of any type.
fn other(rng: &mut Rng) -> Value {
    match rng.u8(..12) {
        0 => Value::Null,
        1 => Value::Bool(rng.bool()),
        2 => rng.i64(..).into(),
        3 => rng.u64(..).into(),
        4 => Number::from_f64(1.0e300 * (rng.f64() - 0.5)).unwrap().into(),
        5 => Value::Array(vec![Value::Null; rng.usize(..5)]),
        6 => Value::Object(Map::new()),
        7 => "9".repeat(rng.usize(..400)).into(),
        8 => "\0\u{feff}\u{202e}\u{10ffff}".into(),
        9 => "x".repeat(rng.usize(..100_000)).into(),
        10 => (0..rng.usize(..200)).fold(Value::Null, |inner, _| Value::Array(vec![inner])),
        _ => "NaN".into(),
    }
}

/// Changes the text of JSON.
pub(crate) fn text(rng: &mut Rng, text: &mut Vec<u8>) {
    let at = rng.usize(..=text.len());
    match rng.u8(..8) {
        0 => *text = [b"[".as_slice(), b"{\"lines\":"][rng.usize(..2)].repeat(rng.usize(..50_000)),
        1 => drop(text.splice(at..at, *b"1e999999999")),
        2 => drop(text.splice(at..at, *b"\\ud800")),
        3 => drop(text.splice(at..at, vec![b'0'; rng.usize(..10_000)])),
        4 => text.extend_from_within(at..),
        _ => any(rng, text),
    }
}

/// A header of any kind.
pub(crate) fn header(rng: &mut Rng) -> (&'static str, Vec<u8>) {
    let names = [
        "grpc-timeout",
        "grpc-encoding",
        "content-type",
        "traceparent",
        "x-correlation-id",
        "x-highstreet-caller",
        "x-highstreet-actor",
        "authorization",
        "idempotency-key",
        "if-match",
        "if-none-match",
        "x-request-timeout",
        "accept",
        "origin",
        "grpc-status-details-bin",
    ];
    let name = names[rng.usize(..names.len())];
    let said = match rng.u8(..6) {
        0 => b"99999999S".to_vec(),
        1 => b"gzip".to_vec(),
        2 => b"application/json; charset=latin-1".to_vec(),
        3 => std::iter::repeat_with(|| rng.u8(0x80..)).take(20).collect(),
        4 => vec![b'7'; rng.usize(..2000)],
        _ => b"\"3\"".to_vec(),
    };
    (name, said)
}
