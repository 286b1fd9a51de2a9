//! Makes requests that are right, or could be, from the descriptors of the API.

use std::sync::Mutex;

use fastrand::Rng;
use highstreet_wire::DESCRIPTORS;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, Value,
};

const MOST_KNOWN: usize = 256;
/// Deeper than any message of the API.
const MOST_DEPTH: usize = 8;
const CONTEXTS: [&str; 6] = ["ordering", "booking", "lending", "payment", "sales", "nobody"];
const WORDS: [&str; 8] = ["latte", "americano", "PROGRAM", "ko", "", "라떼", "2026-11-21", "x y"];

/// Every RPC of the API, and the ids that the server has made.
pub(crate) struct Mold {
    methods: Vec<MethodDescriptor>,
    known: Mutex<Vec<String>>,
}

/// Finds the ids in an answer, whatever it is written in.
fn ids(answer: &[u8]) -> impl Iterator<Item = String> {
    let is_id = |text: &&[u8]| {
        let fits = |(at, byte): (usize, &u8)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        };
        text.iter().enumerate().all(fits)
    };
    answer.windows(36).filter(is_id).take(8).map(|text| String::from_utf8(text.to_vec()).unwrap())
}

fn uuid(rng: &mut Rng) -> String {
    uuid::Builder::from_random_bytes(rng.u128(..).to_be_bytes()).into_uuid().to_string()
}

fn pick<'a>(rng: &mut Rng, words: &[&'a str]) -> &'a str {
    words[rng.usize(..words.len())]
}

fn int(rng: &mut Rng, name: &str) -> i64 {
    if rng.u8(..20) == 0 {
        return [i64::MAX, i64::MIN, i64::from(i32::MAX), -1, 1 << 53][rng.usize(..5)];
    }
    match name {
        "units" => rng.i64(0..20) * 500,
        "nanos" => 0,
        "seconds" => rng.i64(1_790_000_000..1_800_000_000),
        "expected_revision" => rng.i64(0..3) * rng.i64(0..2),
        _ => rng.i64(0..6),
    }
}

// === impl Mold ===

impl Mold {
    pub(crate) fn new() -> Self {
        let pool = DescriptorPool::decode(DESCRIPTORS).unwrap();
        let methods: Vec<_> = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()).collect();
        assert!(methods.len() > 60, "{}", methods.len());
        Self { methods, known: Mutex::default() }
    }

    /// Some RPC.
    pub(crate) fn method(&self, rng: &mut Rng) -> &MethodDescriptor {
        &self.methods[rng.usize(..self.methods.len())]
    }

    /// Keeps the ids of an answer for later requests.
    pub(crate) fn learn(&self, rng: &mut Rng, answer: &[u8]) {
        let mut known = self.known.lock().unwrap();
        for id in ids(answer) {
            if known.len() < MOST_KNOWN {
                known.push(id);
            } else {
                known[rng.usize(..MOST_KNOWN)] = id;
            }
        }
    }

    /// A request that could be right.
    pub(crate) fn message(&self, rng: &mut Rng, kind: &MessageDescriptor) -> DynamicMessage {
        self.filled(rng, kind, 0)
    }

    fn filled(&self, rng: &mut Rng, kind: &MessageDescriptor, depth: usize) -> DynamicMessage {
        let mut message = DynamicMessage::new(kind.clone());
        for field in kind.fields() {
            if depth > MOST_DEPTH || rng.u8(..10) == 0 || field.is_map() {
                continue;
            }
            let value = if field.is_list() {
                Value::List((0..rng.usize(0..4)).map(|_| self.value(rng, &field, depth)).collect())
            } else {
                self.value(rng, &field, depth)
            };
            message.set_field(&field, value);
        }
        message
    }

    fn value(&self, rng: &mut Rng, field: &FieldDescriptor, depth: usize) -> Value {
        match field.kind() {
            Kind::String => Value::String(self.text(rng, field.name())),
            Kind::Bytes => Value::Bytes(vec![rng.u8(..); rng.usize(..20)].into()),
            Kind::Bool => Value::Bool(rng.bool()),
            Kind::Float => Value::F32(rng.f32()),
            Kind::Double => Value::F64([0.5, f64::NAN, f64::INFINITY, -1e300][rng.usize(..4)]),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
                Value::I32(i32::try_from(int(rng, field.name())).unwrap_or(i32::MIN))
            }
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(int(rng, field.name())),
            Kind::Uint32 | Kind::Fixed32 => Value::U32(u32::try_from(int(rng, field.name())).unwrap_or(u32::MAX)),
            Kind::Uint64 | Kind::Fixed64 => Value::U64(int(rng, field.name()).cast_unsigned()),
            Kind::Enum(numbers) => {
                let known: Vec<_> = numbers.values().map(|value| value.number()).collect();
                Value::EnumNumber(if rng.u8(..30) == 0 { rng.i32(..) } else { known[rng.usize(..known.len())] })
            }
            Kind::Message(kind) => Value::Message(self.filled(rng, &kind, depth + 1)),
        }
    }

    fn text(&self, rng: &mut Rng, name: &str) -> String {
        match name {
            "shop_id" => pick(rng, &["skanu", "skanu", "lotte", "city"]).into(),
            "currency_code" => pick(rng, &["KRW", "KRW", "KRW", "USD", "won"]).into(),
            "context" => pick(rng, &CONTEXTS).into(),
            "request_id" => uuid(rng),
            "page_token" => pick(rng, &["", "", "x", "MDE5N2EzYjQ"]).into(),
            _ if name.contains("phone") || name == "member" || name == "customer" => "010-1234-5678".into(),
            _ if name == "id" || name.ends_with("_id") => {
                let known = self.known.lock().unwrap();
                match rng.u8(..10) {
                    0 => pick(rng, &WORDS).into(),
                    1 | 2 => uuid(rng),
                    _ if known.is_empty() => uuid(rng),
                    _ => known[rng.usize(..known.len())].clone(),
                }
            }
            _ => pick(rng, &WORDS).into(),
        }
    }
}
