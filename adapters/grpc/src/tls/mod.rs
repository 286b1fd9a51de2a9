//! Encryption, with certificates that are read again when their files change.

mod arrivals;
mod door;
mod expiry;
mod files;
mod peer;
mod wire;

use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{RootCertStore, crypto};
use thiserror::Error;

pub use arrivals::{Arrival, Arrivals, arrivals};
pub use door::DoorTls;
pub use peer::PeerTls;
pub(crate) use wire::Wire;

/// A certificate with its chain, and its key, both in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate, and those between it and its authority.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// Why there is no encryption.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{file}: {why}")]
pub struct TlsError {
    file: String,
    why: String,
}

/// What is shown to the other side.
struct Certificate {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

// === impl CertificateFiles ===

impl CertificateFiles {
    fn read(&self) -> Result<Certificate, TlsError> {
        let chain = certificates(&self.certificate)?;
        expiry::show(&self.certificate, &chain);
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|error| TlsError::of(&self.key, error))?;
        Ok(Certificate { chain, key })
    }

    fn paths(&self) -> [PathBuf; 2] {
        [self.certificate.clone(), self.key.clone()]
    }
}

fn certificates(file: &PathBuf) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = found.map_err(|error| TlsError::of(file, error))?;
    if found.is_empty() { Err(TlsError::of(file, "there is no certificate in it")) } else { Ok(found) }
}

/// The authorities in a file.
fn authorities(file: &PathBuf) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).map_err(|error| TlsError::of(file, error))?;
    }
    Ok(roots)
}

fn provider() -> Arc<crypto::CryptoProvider> {
    Arc::new(crypto::ring::default_provider())
}

// === impl TlsError ===

impl TlsError {
    fn of(file: &std::path::Path, why: impl ToString) -> Self {
        Self { file: file.display().to_string(), why: why.to_string() }
    }
}
