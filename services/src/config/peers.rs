//! Where the contexts are that do not run in this process.

use std::str::FromStr;

use clap::{Args, ValueEnum as _};
use highstreet_grpc::{AddressTemplate, Addresses, PeerAddresses};

use crate::ContextName;

/// Where the contexts are that do not run in this process.
#[derive(Args, Clone, Debug, Default)]
pub struct PeerArgs {
    /// Where other contexts are: `payment=http://payment:8088` for one, `http://{context}:8088` for all; may be
    /// repeated. A name may stand for several addresses, and several may be named, separated by commas.
    #[arg(long = "peer", env = "HIGHSTREET_PEERS", value_name = "[CONTEXT=]URL", value_delimiter = ' ')]
    pub peers: Vec<PeerChoice>,
    /// Take a caller's word for who it is (`x-highstreet-caller`): for contexts that only their peers and the gateway
    /// can reach.
    #[arg(long, env = "HIGHSTREET_TRUST_PEERS")]
    pub trust_peers: bool,
}

/// Where one context is, or any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerChoice {
    /// This one is here.
    One(ContextName, Addresses),
    /// All others are here.
    Template(AddressTemplate),
}

// === impl PeerArgs ===

impl PeerArgs {
    /// Whether connections to any of them are encrypted.
    pub(crate) fn are_encrypted(&self) -> bool {
        self.peers.iter().any(|peer| match peer {
            PeerChoice::One(_, addresses) => addresses.are_encrypted(),
            PeerChoice::Template(template) => template.is_encrypted(),
        })
    }

    /// Where `context` is, if it was said.
    pub(crate) fn addresses_of(&self, context: ContextName) -> Option<Addresses> {
        let one = self.peers.iter().rev().find_map(|peer| match peer {
            PeerChoice::One(name, addresses) if *name == context => Some(addresses.clone()),
            _ => None,
        });
        let any = || {
            self.peers.iter().rev().find_map(|peer| match peer {
                PeerChoice::Template(template) => template.of(context.as_str()).ok(),
                PeerChoice::One(..) => None,
            })
        };
        one.or_else(any)
    }
}

// === impl PeerChoice ===

impl FromStr for PeerChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("http") {
            return text.parse().map(Self::Template).map_err(|error: highstreet_grpc::AddressError| error.to_string());
        }
        let peer: PeerAddresses = text.parse().map_err(|error: highstreet_grpc::AddressError| error.to_string())?;
        let unknown = |_| format!("there is no context called {:?}; {}", peer.context, known());
        let context = ContextName::from_str(&peer.context, false).map_err(unknown)?;
        Ok(Self::One(context, peer.addresses))
    }
}

fn known() -> String {
    let names: Vec<_> = ContextName::ALL.iter().map(|context| context.as_str()).collect();
    format!("they are {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(peers: &[&str]) -> PeerArgs {
        PeerArgs { peers: peers.iter().map(|peer| peer.parse().unwrap()).collect(), trust_peers: false }
    }

    #[test]
    fn one_context_may_be_elsewhere() {
        let args = args(&["http://{context}:8088", "payment=http://127.0.0.1:1,http://127.0.0.1:2"]);
        let of = |context| args.addresses_of(context).map(|addresses| addresses.to_string());
        assert_eq!(of(ContextName::Payment).as_deref(), Some("http://127.0.0.1:1,http://127.0.0.1:2"));
        assert_eq!(of(ContextName::Kitchen).as_deref(), Some("http://kitchen:8088"));
        assert_eq!(PeerArgs::default().addresses_of(ContextName::Kitchen), None);
    }

    #[test]
    fn an_unknown_context_is_named() {
        let error = "paiement=http://a:1".parse::<PeerChoice>().unwrap_err();
        assert!(error.contains("paiement") && error.contains("payment"), "{error}");
    }
}
