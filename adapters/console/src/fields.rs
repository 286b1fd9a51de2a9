//! What a form was filled in with, and what an address says behind its `?`.

use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use http_body_util::{BodyExt, Limited};
use uuid::Uuid;

/// More than any form of these pages.
const MOST_BYTES: usize = 64 * 1024;
const FORM: &str = "application/x-www-form-urlencoded";

/// Names and values, in order; a name may come more than once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

// === impl Fields ===

impl Fields {
    pub(crate) fn read(encoded: &[u8]) -> Self {
        Self(form_urlencoded::parse(encoded).into_owned().collect())
    }

    /// The first value of this name, trimmed; empty if there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.find(name).unwrap_or_default()
    }

    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim())
    }

    /// Every value of this name.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
    }

    /// A number; 0, which services refuse where it makes no sense, if it is none.
    pub(crate) fn number(&self, name: &str) -> i32 {
        self.get(name).replace(',', "").parse().unwrap_or_default()
    }

    /// The id that makes a form's double click one request.
    pub(crate) fn request_id(&self) -> String {
        self.get("request_id").to_owned()
    }
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Response;

    async fn from_request(request: Request, _: &S) -> Result<Self, Response> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.starts_with(FORM) {
            return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("send a form as {FORM}\n")).into_response());
        }
        let body = Limited::new(request.into_body(), MOST_BYTES).collect().await;
        let body = body.map_err(|_| (StatusCode::PAYLOAD_TOO_LARGE, "the form is too large\n").into_response())?;
        Ok(Self::read(&body.to_bytes()))
    }
}

/// A new id for a form.
pub(crate) fn new_request_id() -> String {
    Uuid::now_v7().to_string()
}

/// The id of what a button does to something as it is now: the same however often its page is drawn.
pub(crate) fn request_id_for(action: &str, id: &str, revision: i64) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("highstreet-console:{action}:{id}:{revision}").as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_may_repeat_and_numbers_may_be_grouped() {
        let fields = Fields::read(b"seats=1A&seats=2B&quantity=1%2C000&name=+Mina+&empty=");
        assert_eq!(fields.all("seats"), ["1A", "2B"]);
        assert_eq!(fields.number("quantity"), 1000);
        assert_eq!((fields.get("name"), fields.get("missing"), fields.find("empty")), ("Mina", "", Some("")));
    }

    #[test]
    fn a_button_keeps_its_id_until_what_it_is_about_changes() {
        assert_eq!(request_id_for("pay", "a", 1), request_id_for("pay", "a", 1));
        assert_ne!(request_id_for("pay", "a", 1), request_id_for("pay", "a", 2));
        assert_ne!(request_id_for("pay", "a", 1), request_id_for("cancel", "a", 1));
    }
}
