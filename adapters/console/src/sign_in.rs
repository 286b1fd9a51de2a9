//! The way in: who a visitor is, and which shops they look at.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use form_urlencoded::Serializer;
use http::header::SET_COOKIE;
use http::{HeaderMap, StatusCode, Uri};
use maud::{Markup, html};
use tonic::Status;

use crate::fields::Fields;
use crate::frame::{Page, Place, document};
use crate::lang::Lang;
use crate::oidc::{Journey, NotSignedIn, Provider};
use crate::part::{self, Form, Input, Kind};
use crate::problem::Problem;
use crate::visit::{self, Passer, Role, SHOPS, Shops, TOKEN, VISITOR, Visit, Who};
use crate::{Console, SignIn, icon, token};

const FORM: &str = "sign-in";
/// The cookie of a visitor who is at the provider.
const JOURNEY: &str = "signing-in";
/// Who customers are in the stories that are told of this street.
const SOMEBODY: &str = "010-1234-5678";

pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/", get(start))
        .route("/account", get(account))
        .route("/sign-in", post(sign_in))
        .route("/sign-in/start", get(go))
        .route("/sign-in/answer", get(come_back))
        .route("/sign-out", post(sign_out))
        .route("/shops", post(shops))
}

/// Home, for whoever is signed in; the way in for others.
async fn start(State(console): State<Console>, passer: Passer, headers: HeaderMap) -> Response {
    match visit::who(&headers, &console.settings.sign_in) {
        Some(who) => Redirect::to(who.home()).into_response(),
        None => welcome(&console, &passer, None),
    }
}

fn welcome(console: &Console, passer: &Passer, problem: Option<&Problem>) -> Response {
    let (l, passer) = (passer.lang, &passer.on("/"));
    let main = html! {
        main #page.welcome {
            section.hero {
                h1 { (l.welcome()) }
                p { (l.welcome_why()) }
                (street())
            }
            @if let Some(problem) = problem { (problem.banner(l)) }
            section.card aria-labelledby="in-title" { h2 id="in-title" { (icon::PERSON) span { (l.who_are_you()) } } (way_in(console, passer, problem)) }
        }
    };
    let page = document(passer, Place::Street, l.sign_in(), None, html! {}, main);
    match problem {
        Some(problem) => problem.answer(page),
        None => page.into_response(),
    }
}

/// Five shopfronts.
fn street() -> Markup {
    html! {
        svg.row viewBox="0 0 400 96" aria-hidden="true" focusable="false" {
            path class="pavement" d="M0 94h400" {}
            @for (index, kind) in ["store", "cafe", "library", "cinema", "later"].iter().enumerate() {
                @let x = 8 + index * 78;
                g class=(kind) transform=(format!("translate({x} 0)")) {
                    rect class="wall" x="4" y="30" width="64" height="64" rx="2" {}
                    rect class="window" x="11" y="52" width="28" height="26" rx="2" {}
                    path class="door" d="M46 94V60a7 7 0 0 1 14 0v34Z" {}
                    @for stripe in 0..4 {
                        path class=(if stripe % 2 == 0 { "stripe" } else { "stripe pale" })
                            d=(format!("M{} 24h18v14a9 9 0 0 1-18 0V24Z", stripe * 18)) {}
                    }
                    rect class="sign" x="14" y="10" width="44" height="10" rx="2" {}
                }
            }
        }
    }
}

fn way_in(console: &Console, passer: &Passer, problem: Option<&Problem>) -> Markup {
    let l = passer.lang;
    let form = Form { name: FORM, problem };
    match &console.settings.sign_in {
        SignIn::Oidc { issuer, .. } => html! {
            p.said { (l.sign_in_there_how()) " " code { (issuer) } }
            p.pay-line { a.button.strong.wide href="/sign-in/start" { (l.sign_in_there()) } }
        },
        SignIn::Open => html! {
            form.stacked method="post" action="/sign-in" {
                fieldset.roles {
                    legend.hidden { (l.who_are_you()) }
                    @for role in Role::ALL {
                        label.role {
                            input type="radio" name="role" value=(role.as_str()) checked[role == Role::Customer];
                            span.role-card { strong { (name(l, role)) } span.said { (does(l, role)) } }
                        }
                    }
                }
                (form.input(Input { name: "name", label: l.phone_or_name(), kind: Kind::Text, value: SOMEBODY }))
                details.shops { summary { (l.which_shops()) } (shop_fields(l, form, &passer.shops)) }
                button.button.strong.wide type="submit" { (l.walk_in()) }
                p.said { (l.open_house()) }
            }
        },
        SignIn::Token => html! {
            form.stacked method="post" action="/sign-in" {
                div.field {
                    label for="sign-in-token" { (l.token()) }
                    textarea id="sign-in-token" name="token" rows="4" autocomplete="off" spellcheck="false" required
                        aria-describedby="token-how" {}
                    p.said id="token-how" { (l.token_how()) " " code { "highstreet token" } }
                }
                button.button.strong.wide type="submit" { (l.sign_in()) }
            }
        },
    }
}

fn shop_fields(l: Lang, form: Form<'_>, shops: &Shops) -> Markup {
    html! {
        div.pair {
            (form.input(Input { name: "cafe", label: l.cafe(), kind: Kind::Text, value: &shops.cafe }))
            (form.input(Input { name: "cinema", label: l.cinema(), kind: Kind::Text, value: &shops.cinema }))
        }
        div.pair {
            (form.input(Input { name: "library", label: l.library(), kind: Kind::Text, value: &shops.library }))
            (form.input(Input { name: "store", label: l.store(), kind: Kind::Text, value: &shops.store }))
        }
    }
}

const fn name(l: Lang, role: Role) -> &'static str {
    match role {
        Role::Customer => l.customer(),
        Role::Staff => l.staff(),
        Role::Owner => l.owner(),
        Role::HeadOffice => l.head_office(),
        Role::Operator => l.operator(),
    }
}

const fn does(l: Lang, role: Role) -> &'static str {
    match role {
        Role::Customer => l.customer_does(),
        Role::Staff => l.staff_does(),
        Role::Owner => l.owner_does(),
        Role::HeadOffice => l.head_office_does(),
        Role::Operator => l.operator_does(),
    }
}

/// Who somebody is here, and how to be somebody else.
async fn account(visit: Visit) -> Response {
    let l = visit.lang;
    let roles = visit.who.roles.iter().map(|role| name(l, *role)).collect::<Vec<_>>().join(", ");
    let form = Form { name: "shops", problem: None };
    let body = html! {
        (part::card("me", icon::PERSON, l.account(), html! {
            dl.facts { (part::fact(l.name(), &visit.who.name)) (part::fact(l.roles(), roles)) }
            form method="post" action="/sign-out" { button.button type="submit" { (l.sign_out()) } }
        }))
        (part::card("shops", icon::COUNTER, l.which_shops(), html! {
            form.stacked method="post" action="/shops" {
                (shop_fields(l, form, &visit.shops))
                button.button.strong type="submit" { (l.save()) }
            }
        }))
    };
    let title = l.account();
    Page { visit: &visit, place: Place::Street, title, beneath: &visit.who.name, events: None, problem: None }
        .with(body)
}

async fn sign_in(State(console): State<Console>, passer: Passer, fields: Fields) -> Response {
    let read = match &console.settings.sign_in {
        SignIn::Open => read_choice(&fields).map(|(who, written)| (who, VISITOR, written)),
        SignIn::Token => token::read(fields.get("token")).and_then(|who| {
            let token = who.token.clone()?;
            Some((who, TOKEN, token))
        }),
        SignIn::Oidc { .. } => None,
    };
    let Some((who, cookie, value)) = read else {
        let l = passer.lang;
        let (field, why) = match &console.settings.sign_in {
            SignIn::Open => ("name", l.say_who_you_are()),
            SignIn::Token | SignIn::Oidc { .. } => ("token", l.no_token()),
        };
        return welcome(&console, &passer, Some(&Problem::field(FORM, fields, field, why)));
    };
    let mut headers = HeaderMap::new();
    headers.append(SET_COOKIE, passer.keep(cookie, &value));
    if let SignIn::Open = console.settings.sign_in {
        headers.append(SET_COOKIE, passer.keep(SHOPS, &Shops::read(&fields).written()));
    }
    (headers, Redirect::to(who.home())).into_response()
}

/// Sends a visitor to the provider.
async fn go(State(console): State<Console>, passer: Passer) -> Response {
    let Some(provider) = provider(&console.settings.sign_in) else { return Redirect::to("/").into_response() };
    match provider.begin().await {
        Ok((there, journey)) => {
            let remembered = passer.at(provider.redirect).keep_shortly(JOURNEY, &journey.written());
            ([(SET_COOKIE, remembered)], Redirect::to(&there)).into_response()
        }
        Err(why) => refused(&console, &passer, why),
    }
}

/// Signs in whoever comes back from the provider.
async fn come_back(State(console): State<Console>, passer: Passer, headers: HeaderMap, uri: Uri) -> Response {
    let Some(provider) = provider(&console.settings.sign_in) else { return Redirect::to("/").into_response() };
    let passer = passer.at(provider.redirect);
    let journey = Journey::read(visit::cookie(&headers, JOURNEY).unwrap_or_default());
    match provider.end(&Fields::read(uri.query().unwrap_or_default().as_bytes()), &journey).await {
        Ok(who) => {
            let mut headers = HeaderMap::new();
            headers.append(SET_COOKIE, passer.keep(TOKEN, who.token.as_deref().unwrap_or_default()));
            headers.append(SET_COOKIE, passer.forget(JOURNEY));
            (headers, Redirect::to(who.home())).into_response()
        }
        Err(why) => refused(&console, &passer, why),
    }
}

fn provider(sign_in: &SignIn) -> Option<Provider<'_>> {
    match sign_in {
        SignIn::Oidc { issuer, client_id, client_secret, redirect } => {
            Some(Provider { issuer, client_id, client_secret, redirect })
        }
        SignIn::Open | SignIn::Token => None,
    }
}

fn refused(console: &Console, passer: &Passer, NotSignedIn(why): NotSignedIn) -> Response {
    tracing::warn!(%why, "nobody was signed in");
    welcome(console, passer, Some(&Problem::new(FORM, Fields::default(), &Status::unauthenticated(why))))
}

fn read_choice(fields: &Fields) -> Option<(Who, String)> {
    let role = Role::read(fields.get("role"))?;
    let name = fields.get("name");
    if name.is_empty() || name.len() > 200 {
        return None;
    }
    let written = Serializer::new(String::new()).extend_pairs([("role", role.as_str()), ("name", name)]).finish();
    Some((Who { name: name.to_owned(), roles: vec![role], token: None }, written))
}

async fn sign_out(passer: Passer) -> Response {
    let mut headers = HeaderMap::new();
    headers.append(SET_COOKIE, passer.forget(VISITOR));
    headers.append(SET_COOKIE, passer.forget(TOKEN));
    (StatusCode::SEE_OTHER, headers, Redirect::to("/")).into_response()
}

async fn shops(visit: Visit, fields: Fields) -> Response {
    let kept = visit.passer.keep(SHOPS, &Shops::read(&fields).written());
    ([(SET_COOKIE, kept)], Redirect::to(visit.who.home())).into_response()
}
