//! Why something was not done, as visitors are told: the service's own words, and a kind word where we have one.

use axum::response::{IntoResponse, Response};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use maud::{Markup, html};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::fields::{Fields, new_request_id};
use crate::lang::Lang;

/// What a form was refused for, and what it was filled in with.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    form: &'static str,
    values: Fields,
    code: Code,
    reason: String,
    message: String,
    /// Which field, and what is wrong with it.
    fields: Vec<(String, String)>,
}

// === impl Problem ===

impl Problem {
    /// A service refused what this form asked for.
    pub(crate) fn new(form: &'static str, values: Fields, status: &Status) -> Self {
        let reason = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
        let bad = status.get_details_bad_request().map(|bad| bad.field_violations).unwrap_or_default();
        let fields = bad.into_iter().map(|violation| (violation.field, violation.description)).collect();
        Self { form, values, code: status.code(), reason, message: status.message().to_owned(), fields }
    }

    /// The form itself was filled in wrongly.
    pub(crate) fn field(form: &'static str, values: Fields, field: &str, why: &str) -> Self {
        let fields = vec![(field.to_owned(), why.to_owned())];
        Self { form, values, code: Code::InvalidArgument, reason: String::new(), message: why.to_owned(), fields }
    }

    /// What a field of a form was filled in with, and what is wrong with it.
    pub(crate) fn of_field(&self, form: &str, field: &str) -> Option<(&str, Option<&str>)> {
        let wrong = self.fields.iter().find(|(name, _)| name == field || name.rsplit('.').next() == Some(field));
        (self.form == form).then(|| (self.values.get(field), wrong.map(|(_, why)| why.as_str())))
    }

    /// What a form was filled in with.
    pub(crate) fn values(&self, form: &str) -> Option<&Fields> {
        (self.form == form).then_some(&self.values)
    }

    /// The id for the form's next try: the same where nobody knows what became of the last one.
    pub(crate) fn request_id(&self, form: &str) -> Option<String> {
        let unknown = matches!(self.code, Code::Unavailable | Code::DeadlineExceeded | Code::Unknown);
        (self.form == form && unknown).then(|| self.values.request_id()).filter(|id| !id.is_empty())
    }

    /// The answer with this page.
    pub(crate) fn answer(&self, page: Markup) -> Response {
        let mut response = (self.http_status(), page).into_response();
        if matches!(self.code, Code::Unavailable | Code::ResourceExhausted) {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }

    fn http_status(&self) -> StatusCode {
        match self.code {
            Code::InvalidArgument | Code::OutOfRange => StatusCode::BAD_REQUEST,
            Code::Unauthenticated => StatusCode::UNAUTHORIZED,
            Code::PermissionDenied => StatusCode::FORBIDDEN,
            Code::NotFound => StatusCode::NOT_FOUND,
            Code::AlreadyExists | Code::FailedPrecondition | Code::Aborted => StatusCode::CONFLICT,
            Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
            Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The banner at the top of the page.
    pub(crate) fn banner(&self, l: Lang) -> Markup {
        let gentle = matches!(self.code, Code::Unavailable | Code::ResourceExhausted | Code::DeadlineExceeded);
        html! {
            div.banner.gentle[gentle] role="alert" {
                p.banner-title { (kind_word(l, self.code, &self.reason).unwrap_or(l.refused_title())) }
                p.banner-said { (self.message) }
                @if !self.fields.is_empty() {
                    ul { @for (field, why) in &self.fields { li { code { (field) } " " (why) } } }
                }
                @if self.code == Code::Unauthenticated { p { a href="/account" { (l.sign_in_again()) } } }
            }
        }
    }
}

/// In place of what a service did not say.
pub(crate) fn missing(l: Lang, status: &Status) -> Markup {
    let reason = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
    html! {
        div.missing role="status" {
            p { strong { (kind_word(l, status.code(), &reason).unwrap_or(l.refused_title())) } }
            p.said { (status.message()) }
            @if status.code() == Code::Unauthenticated { p { a href="/account" { (l.sign_in_again()) } } }
        }
    }
}

/// The id that a form sends: that of its last try, if nobody knows what became of it.
pub(crate) fn request_id(problem: Option<&Problem>, form: &str) -> String {
    problem.and_then(|problem| problem.request_id(form)).unwrap_or_else(new_request_id)
}

fn kind_word(l: Lang, code: Code, reason: &str) -> Option<&'static str> {
    l.reason(reason).or(match code {
        Code::Unavailable | Code::DeadlineExceeded => Some(l.not_available()),
        Code::ResourceExhausted => Some(l.too_busy()),
        Code::Unauthenticated => Some(l.not_signed_in()),
        Code::PermissionDenied => Some(l.not_allowed()),
        Code::InvalidArgument => Some(l.please_check()),
        Code::NotFound => Some(l.not_there()),
        _ => None,
    })
}
