//! What came of the requests.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;

/// As many are shown.
const MOST_SHOWN: usize = 20;

/// How often each answer was given, and which should not have been.
#[derive(Default)]
pub(crate) struct Findings {
    answers: Mutex<BTreeMap<String, u64>>,
    wrong: Mutex<Vec<String>>,
}

// === impl Findings ===

impl Findings {
    /// An answer, such as `NOT_FOUND`.
    pub(crate) fn answer(&self, code: impl Into<String>) {
        *self.answers.lock().unwrap().entry(code.into()).or_default() += 1;
    }

    /// One that nobody may get, with the request that got it.
    pub(crate) fn wrong(&self, answer: &str, request: &str, body: &[u8]) {
        self.answer("wrong");
        let bytes = &body[..body.len().min(400)];
        let found = format!("{answer}\n  to {request}, {} bytes: {}", body.len(), bytes.escape_ascii());
        self.wrong.lock().unwrap().push(found);
    }

    pub(crate) fn answered(&self) -> u64 {
        self.answers.lock().unwrap().values().sum()
    }

    /// Nothing was wrong.
    pub(crate) fn none(&self, seed: u64) {
        let wrong = self.wrong.lock().unwrap();
        let shown = wrong.iter().take(MOST_SHOWN).map(String::as_str).collect::<Vec<_>>().join("\n");
        assert!(wrong.is_empty(), "{} answers are wrong (seed {seed}):\n{shown}", wrong.len());
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answers = self.answers.lock().unwrap();
        let told: Vec<_> = answers.iter().map(|(code, times)| format!("{times} {code}")).collect();
        f.write_str(&told.join(", "))
    }
}
