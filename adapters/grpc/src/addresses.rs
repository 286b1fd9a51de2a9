//! Where callees are: addresses as people write them.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

const PLAIN: &str = "http://";
const ENCRYPTED: &str = "https://";
const PLACE: &str = "{context}";

/// The addresses of one callee, at least one: `http://payment:8088`, or several with commas between them. Each may be
/// a name that stands for many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses(Vec<Address>);

/// A host, by name or by number, and a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Address {
    pub(crate) encrypted: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// Where one context is: `payment=http://payment:8088`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerAddresses {
    /// The context.
    pub context: String,
    /// Where it is.
    pub addresses: Addresses,
}

/// Where any context is: `http://{context}:8088`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressTemplate(String);

/// Why an address cannot be used, and what to write.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AddressError {
    /// Neither `http://` nor `https://`.
    #[error("{0:?} must begin with http:// or https://; write it like http://payment:8088")]
    NoScheme(String),
    /// No host.
    #[error("{0:?} names no host; write it like http://payment:8088")]
    NoHost(String),
    /// No port, or none that there is.
    #[error("{0:?} must end with a port from 1 to 65535; write it like http://payment:8088")]
    NoPort(String),
    /// Something after the port.
    #[error("{0:?} goes on after the port; write it like http://payment:8088")]
    Path(String),
    /// No context.
    #[error("{0:?} does not say whose address it is; write it like payment=http://payment:8088")]
    NoContext(String),
    /// Every context would be at the same address.
    #[error("{0:?} is the same for every context; write it like http://{{context}}:8088")]
    NoPlace(String),
}

// === impl Addresses ===

impl Addresses {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Address> {
        self.0.iter()
    }

    /// Whether connections to any of them are encrypted.
    pub fn are_encrypted(&self) -> bool {
        self.0.iter().any(|address| address.encrypted)
    }
}

impl FromStr for Addresses {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        text.split(',').map(|one| one.trim().parse()).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, address) in self.0.iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            let scheme = if address.encrypted { ENCRYPTED } else { PLAIN };
            write!(f, "{comma}{scheme}{address}")?;
        }
        Ok(())
    }
}

// === impl Address ===

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let bad = |error: fn(String) -> AddressError| error(text.to_owned());
        let encrypted = text.starts_with(ENCRYPTED);
        let authority = text.strip_prefix(if encrypted { ENCRYPTED } else { PLAIN });
        let authority = authority.ok_or_else(|| bad(AddressError::NoScheme))?;
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        if authority.contains(['/', '?', '#', '@']) {
            return Err(bad(AddressError::Path));
        }
        let (host, port) = authority.rsplit_once(':').ok_or_else(|| bad(AddressError::NoPort))?;
        let port = port.parse().ok().filter(|port| *port > 0).ok_or_else(|| bad(AddressError::NoPort))?;
        // `[::1]`: names have no colons.
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let numbered = bare != host;
        if bare.is_empty() || bare.contains(char::is_whitespace) || (bare.contains(':') != numbered) {
            return Err(bad(AddressError::NoHost));
        }
        Ok(Self { encrypted, host: bare.to_owned(), port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, .. } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

// === impl PeerAddresses ===

impl FromStr for PeerAddresses {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (context, addresses) = text.split_once('=').ok_or_else(|| AddressError::NoContext(text.to_owned()))?;
        if context.is_empty() || context.contains(['/', ':']) {
            return Err(AddressError::NoContext(text.to_owned()));
        }
        Ok(Self { context: context.to_owned(), addresses: addresses.parse()? })
    }
}

impl fmt::Display for PeerAddresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.context, self.addresses)
    }
}

// === impl AddressTemplate ===

impl AddressTemplate {
    /// Where `context` is; an error if its name makes no address.
    pub fn of(&self, context: &str) -> Result<Addresses, AddressError> {
        self.0.replace(PLACE, context).parse()
    }
}

impl AddressTemplate {
    /// Whether connections there are encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.0.starts_with(ENCRYPTED)
    }
}

impl FromStr for AddressTemplate {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let this = Self(text.to_owned());
        this.of("payment")?;
        if text.contains(PLACE) { Ok(this) } else { Err(AddressError::NoPlace(text.to_owned())) }
    }
}

impl fmt::Display for AddressTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_they_are_read() {
        for text in ["http://payment:8088", "http://127.0.0.1:9001,https://[::1]:9002", "http://a.b-c.svc:1"] {
            assert_eq!(text.parse::<Addresses>().unwrap().to_string(), text);
        }
        let spaced: Addresses = "http://a:1/, http://b:2".parse().unwrap();
        assert_eq!(spaced.to_string(), "http://a:1,http://b:2");
        let peer: PeerAddresses = "payment=http://a:1,http://b:2".parse().unwrap();
        assert_eq!((peer.context.as_str(), peer.addresses.iter().count()), ("payment", 2));
        assert_eq!(peer.to_string(), "payment=http://a:1,http://b:2");
    }

    #[test]
    fn a_template_has_an_address_for_every_context() {
        let template: AddressTemplate = "http://shop-{context}.cafe:8088".parse().unwrap();
        assert_eq!(template.of("kitchen").unwrap().to_string(), "http://shop-kitchen.cafe:8088");
        let same = "http://payment:8088".parse::<AddressTemplate>().unwrap_err();
        assert!(same.to_string().ends_with("write it like http://{context}:8088"), "{same}");
        assert!("{context}:8088".parse::<AddressTemplate>().is_err());
    }

    #[test]
    fn errors_say_what_to_write() {
        let of = |text: &str| text.parse::<Addresses>().unwrap_err();
        assert_eq!(of("payment:8088"), AddressError::NoScheme("payment:8088".into()));
        assert_eq!(of("ftp://payment:8088"), AddressError::NoScheme("ftp://payment:8088".into()));
        assert_eq!(of("http://payment"), AddressError::NoPort("http://payment".into()));
        assert_eq!(of("http://payment:0"), AddressError::NoPort("http://payment:0".into()));
        assert_eq!(of("http://payment:99999"), AddressError::NoPort("http://payment:99999".into()));
        assert_eq!(of("http://:8088"), AddressError::NoHost("http://:8088".into()));
        assert_eq!(of("http://::1:8088"), AddressError::NoHost("http://::1:8088".into()));
        assert_eq!(of("http://payment:8088/v1"), AddressError::Path("http://payment:8088/v1".into()));
        assert_eq!(of("http://a:1,"), AddressError::NoScheme(String::new()));
        let whose = "http://payment:8088".parse::<PeerAddresses>().unwrap_err();
        assert!(whose.to_string().ends_with("write it like payment=http://payment:8088"), "{whose}");
    }
}
