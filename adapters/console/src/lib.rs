//! The web console: what people see of the street. Pages are rendered here and need no script to work; every one of
//! them is gRPC calls, in the visitor's name. Nothing is kept here but what the visitor's cookies say.
//!
//! [`router`] is all there is to it. A page is a file: it asks the services (`calls`), draws the answer
//! (`frame`, `part`), and its forms are answered by going back to the page.

mod assets;
mod board;
mod cafe;
mod calls;
mod chart;
mod cinema;
mod counter;
mod fields;
mod frame;
mod guard;
mod icon;
mod lang;
mod library;
mod live;
mod my;
mod oidc;
mod operations;
mod part;
mod problem;
mod show;
mod sign_in;
mod text;
mod timeline;
mod token;
mod visit;

use std::fmt;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};

pub use calls::Way;

/// How the console is run.
#[derive(Clone, Debug)]
pub struct ConsoleSettings {
    /// How visitors say who they are.
    pub sign_in: SignIn,
}

/// How visitors say who they are.
#[derive(Clone)]
pub enum SignIn {
    /// The server believes anyone: visitors choose who to be.
    Open,
    /// Visitors paste a token, as `highstreet token` makes them. The services check it.
    Token,
    /// Visitors sign in at an OpenID provider, which gives them an access token that the services check.
    Oidc {
        /// The provider, as it calls itself: `https://id.example`.
        issuer: String,
        /// Who this console is to the provider.
        client_id: String,
        /// What shows it to the provider.
        client_secret: String,
        /// Where the provider sends visitors back to: this console's `/sign-in/answer`, in full.
        redirect: String,
    },
}

/// What every page is made from.
#[derive(Clone)]
pub(crate) struct Console {
    way: Way,
    settings: ConsoleSettings,
}

/// The console's pages, which call services by `way`. Without a fallback: what is no page is left to others.
pub fn router(way: Way, settings: ConsoleSettings) -> Router {
    let console = Console { way, settings };
    Router::new()
        .merge(sign_in::routes())
        .merge(my::routes())
        .merge(cafe::routes())
        .merge(counter::routes())
        .merge(board::routes())
        .merge(cinema::routes())
        .merge(library::routes())
        .merge(operations::routes())
        .route("/lang", post(lang::switch))
        .layer(from_fn_with_state(console.clone(), guard::refuse_other_sites))
        .route("/assets/{name}", get(assets::serve))
        .layer(from_fn(guard::tell_browsers))
        .with_state(console)
}

// === impl SignIn ===

impl fmt::Debug for SignIn {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("Open"),
            Self::Token => f.write_str("Token"),
            Self::Oidc { issuer, client_id, .. } => write!(f, "Oidc({client_id} at {issuer})"),
        }
    }
}
