//! Encryption of what comes in, and of what goes to other contexts.

use std::path::PathBuf;

use clap::Args;
use highstreet_grpc::{CertificateFiles, DoorTls, PeerTls, TlsError};

/// Encryption. All files are in PEM, and read again when they change.
#[derive(Args, Clone, Debug, Default)]
pub struct TlsArgs {
    /// The certificate that this process shows, with its chain: to callers, and to contexts elsewhere that ask for one.
    /// With --tls-key; without both nothing that comes in is encrypted.
    #[arg(long, env = "HIGHSTREET_TLS_CERTIFICATE", value_name = "FILE", requires = "tls_key")]
    pub tls_certificate: Option<PathBuf>,
    /// The key of --tls-certificate.
    #[arg(long, env = "HIGHSTREET_TLS_KEY", value_name = "FILE", requires = "tls_certificate")]
    pub tls_key: Option<PathBuf>,
    /// The authorities that callers' certificates must come from; without it callers need none.
    #[arg(long, env = "HIGHSTREET_TLS_CLIENT_CA", value_name = "FILE", requires = "tls_certificate")]
    pub tls_client_ca: Option<PathBuf>,
    /// The authorities that the certificates of peers (`--peer https://…`) must come from; those of this machine if
    /// not set.
    #[arg(long, env = "HIGHSTREET_PEER_CA", value_name = "FILE")]
    pub peer_ca: Option<PathBuf>,
}

// === impl TlsArgs ===

impl TlsArgs {
    /// How the door is encrypted, if it is.
    pub(crate) fn door(&self) -> Result<Option<DoorTls>, TlsError> {
        self.shown().map(|certificate| DoorTls::new(certificate, self.tls_client_ca.clone())).transpose()
    }

    /// How connections to peers are encrypted.
    pub(crate) fn peer(&self) -> Result<PeerTls, TlsError> {
        PeerTls::new(self.peer_ca.clone(), self.shown())
    }

    fn shown(&self) -> Option<CertificateFiles> {
        let (certificate, key) = self.tls_certificate.clone().zip(self.tls_key.clone())?;
        Some(CertificateFiles { certificate, key })
    }
}
