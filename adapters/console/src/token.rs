//! What a token says about its bearer, for showing only: the services check it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::visit::{Role, Who};

/// Browsers keep no larger cookie.
const LONGEST: usize = 3800;

/// Reads a token's claims; `None` if it is no JSON Web Token, or has no room in a cookie.
pub(crate) fn read(token: &str) -> Option<Who> {
    let token = token.trim();
    let token = token.strip_prefix("Bearer ").unwrap_or(token);
    let written = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if token.len() > LONGEST || !token.bytes().all(written) {
        return None;
    }
    let mut parts = token.split('.');
    let (_header, claims, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    let text = |name: &str| claims[name].as_str().filter(|text| !text.is_empty());
    let name = text("phone").or_else(|| text("customer")).or_else(|| text("sub"))?;
    let roles = claims["roles"].as_array().map_or(&[][..], Vec::as_slice).iter();
    let roles = roles.filter_map(|role| Role::read(role.as_str()?)).collect();
    Some(Who { name: name.to_owned(), roles, token: Some(token.to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn claims_are_read_for_showing() {
        let who = read(&token(r#"{"sub":"u1","roles":["owner","staff","ghost"],"phone":"010-1"}"#)).unwrap();
        assert_eq!((who.name.as_str(), who.roles), ("010-1", vec![Role::Owner, Role::Staff]));
        let who = read(&format!(" Bearer {}\n", token(r#"{"sub":"u1"}"#))).unwrap();
        assert_eq!((who.name.as_str(), who.roles), ("u1", vec![]));
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let long = token(&format!(r#"{{"sub":"{}"}}"#, "x".repeat(LONGEST)));
        for nonsense in ["", "a.b", "a.b.c", "e30.e30.c2ln", "a;b.c.d", &long] {
            assert!(read(nonsense).is_none(), "{nonsense}");
        }
    }
}
