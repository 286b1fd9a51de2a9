//! Scripts and styles, under names that change with what is in them: browsers keep them for ever.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use sha2::{Digest, Sha256};

/// A file that is served as it is.
pub(crate) struct Asset {
    /// Where, with the hash of what is in it.
    pub(crate) path: String,
    kind: &'static str,
    content: &'static [u8],
}

pub(crate) static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("console", "css", include_bytes!("../assets/console.css")));
pub(crate) static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("console", "js", include_bytes!("../assets/console.js")));
pub(crate) static HTMX: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("htmx", "js", include_bytes!("../assets/htmx-4.0.1.min.js")));
pub(crate) static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon", "svg", include_bytes!("../assets/icon.svg")));

/// `GET /assets/{name}`.
pub(crate) async fn serve(Path(name): Path<String>) -> Response {
    let found = [&STYLE, &SCRIPT, &HTMX, &ICON].into_iter().find(|asset| asset.path.ends_with(&format!("/{name}")));
    let Some(asset) = found else { return StatusCode::NOT_FOUND.into_response() };
    let kept = (CACHE_CONTROL, "public, max-age=31536000, immutable");
    ([(CONTENT_TYPE, asset.kind), kept], asset.content).into_response()
}

// === impl Asset ===

impl Asset {
    fn new(name: &str, extension: &str, content: &'static [u8]) -> Self {
        let kind = match extension {
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            _ => "text/javascript; charset=utf-8",
        };
        let digest = Sha256::digest(content);
        let hash = digest.iter().take(8).fold(0_u64, |hash, byte| hash << 8 | u64::from(*byte));
        Self { path: format!("/assets/{name}-{hash:016x}.{extension}"), kind, content }
    }
}
