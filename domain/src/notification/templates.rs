//! What messages say, by event and language.

mod english;
mod korean;

use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::policy::Happening;

/// A language that messages are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Locale {
    /// Korean.
    #[default]
    Ko,
    /// English.
    En,
}

/// What to say of `happening` in `locale`.
pub fn text(happening: &Happening, locale: Locale) -> String {
    match locale {
        Locale::Ko => korean::text(happening),
        Locale::En => english::text(happening),
    }
}

// === impl Locale ===

impl Locale {
    /// The language's code (ISO 639-1).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ko => "ko",
            Self::En => "en",
        }
    }
}

impl core::str::FromStr for Locale {
    type Err = &'static str;

    fn from_str(code: &str) -> Result<Self, Self::Err> {
        match code {
            "ko" => Ok(Self::Ko),
            "en" => Ok(Self::En),
            _ => Err("must be ko or en"),
        }
    }
}
