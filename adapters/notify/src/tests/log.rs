//! What the log is told.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use highstreet_domain::notification::Notifier;
use tracing::Level;
use tracing::instrument::WithSubscriber;

use super::a_sending;
use crate::Log;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn logged(level: Level) -> String {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(level).with_ansi(false).with_writer(move || writer.clone()).finish();
    assert_eq!(Log.send(&a_sending()).with_subscriber(subscriber).await, Ok(Ok(())));
    let bytes = lines.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn nobody_is_named_at_any_level() {
    let said = logged(Level::TRACE).await;
    for word in ["shop=skanu", r#"role="customer""#, "event=OrderPaid", "notification="] {
        assert!(said.contains(word), "{word} in {said}");
    }
    for personal in ["010-1234-5678", "주문이 결제되었습니다."] {
        assert!(!said.contains(personal), "{said}");
    }
}
