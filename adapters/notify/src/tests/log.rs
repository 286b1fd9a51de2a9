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
async fn people_are_named_at_debug_level_only() {
    let info = logged(Level::INFO).await;
    for word in ["shop=skanu", r#"role="customer""#, "event=OrderPaid", "notification="] {
        assert!(info.contains(word), "{word} in {info}");
    }
    let debug = logged(Level::DEBUG).await;
    for personal in ["010-1234-5678", "주문이 결제되었습니다."] {
        assert!(!info.contains(personal), "{info}");
        assert!(debug.contains(personal), "{debug}");
    }
}
