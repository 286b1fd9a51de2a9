//! Reads the fields of a request, and gathers everything that is wrong with them.

use std::fmt::Display;

use highstreet_domain::kernel::{Currency, InvalidText, Money, PaymentMethod, Reference};
use highstreet_wire::proto;
use highstreet_wire::proto::common;
use tonic::Status;
use uuid::Uuid;

use crate::status::invalid;

/// What was found wrong so far.
#[derive(Default)]
pub(crate) struct Fields {
    violations: Vec<(String, String)>,
}

// === impl Fields ===

impl Fields {
    /// The value, or a note of what its field must be.
    pub(crate) fn check<T, E: Display>(&mut self, field: impl Into<String>, parsed: Result<T, E>) -> Option<T> {
        parsed.map_err(|wanted| self.wrong(field, wanted)).ok()
    }

    pub(crate) fn wrong(&mut self, field: impl Into<String>, wanted: impl Display) {
        self.violations.push((field.into(), wanted.to_string()));
    }

    pub(crate) fn uuid(&mut self, field: &str, text: &str) -> Option<Uuid> {
        self.check(field, Uuid::parse_str(text).map_err(|_| "must be a UUID"))
    }

    /// An empty text is no value; anything else must parse.
    pub(crate) fn optional<T>(
        &mut self,
        field: &str,
        text: &str,
        parse: impl FnOnce(&str) -> Result<T, InvalidText>,
    ) -> Option<T> {
        if text.is_empty() { None } else { self.check(field, parse(text)) }
    }

    pub(crate) fn money(&mut self, field: impl Into<String>, money: Option<&proto::Money>) -> Option<Money> {
        let Some(money) = money else {
            self.wrong(field, "must be set");
            return None;
        };
        let field = field.into();
        let currency = self.check(format!("{field}.currency_code"), Currency::parse(&money.currency_code));
        // The amount is looked at whatever it is counted in, so that all that is wrong is said at once.
        let counted_in = currency.unwrap_or(Currency::KRW);
        let amount = Money::new(counted_in, money.units, money.nanos)
            .map_err(|_| "must lie within ±999,999,999 and have the sign of units");
        let amount = self.check(format!("{field}.nanos"), amount)?;
        if amount.is_negative() {
            self.wrong(field, "must not be negative");
            return None;
        }
        currency.map(|_| amount)
    }

    pub(crate) fn reference(&mut self, field: &str, reference: Option<&common::Reference>) -> Option<Reference> {
        match reference {
            Some(common::Reference { context, id })
                if (1..=64).contains(&context.len()) && (1..=128).contains(&id.len()) =>
            {
                Some(Reference::new(context, id))
            }
            _ => {
                self.wrong(field, "must name a context and an id in it");
                None
            }
        }
    }

    pub(crate) fn method(&mut self, field: &str, method: i32) -> Option<PaymentMethod> {
        match common::PaymentMethod::try_from(method) {
            Ok(common::PaymentMethod::Card) => Some(PaymentMethod::Card),
            Ok(common::PaymentMethod::Cash) => Some(PaymentMethod::Cash),
            _ => {
                self.wrong(field, "must be PAYMENT_METHOD_CARD or PAYMENT_METHOD_CASH");
                None
            }
        }
    }

    /// Unspecified is no value.
    pub(crate) fn optional_method(&mut self, field: &str, method: i32) -> Option<PaymentMethod> {
        if method == i32::from(common::PaymentMethod::Unspecified) { None } else { self.method(field, method) }
    }

    /// The name of an enum's value without its prefix, for a filter; 0 is any.
    pub(crate) fn status(
        &mut self,
        field: &str,
        value: i32,
        name: Option<&'static str>,
        prefix: &str,
    ) -> Option<String> {
        match (value, name) {
            (0, _) => None,
            (_, Some(name)) => Some(name.trim_start_matches(prefix).to_owned()),
            (_, None) => {
                self.wrong(field, "must be one of the enum's values");
                None
            }
        }
    }

    /// Nothing must be wrong.
    pub(crate) fn finish(self) -> Result<(), Status> {
        if self.violations.is_empty() { Ok(()) } else { Err(invalid(self.violations)) }
    }

    /// The value, if nothing is wrong.
    pub(crate) fn finish_with<T>(self, value: Option<T>) -> Result<T, Status> {
        match value {
            Some(value) if self.violations.is_empty() => Ok(value),
            _ => Err(invalid(self.violations)),
        }
    }
}
