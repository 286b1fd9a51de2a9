//! A door with encryption.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::files::OfFiles;
use super::{CertificateFiles, TlsError, authorities, provider};

/// What a door shows, and whom it lets in.
#[derive(Clone)]
pub struct DoorTls(Arc<OfFiles<ServerConfig>>);

// === impl DoorTls ===

impl DoorTls {
    /// Shows this certificate. With `clients`, the authorities in that file (PEM), whoever has no certificate of one of
    /// them is not let in.
    pub fn new(certificate: CertificateFiles, clients: Option<PathBuf>) -> Result<Self, TlsError> {
        let files = certificate.paths().into_iter().chain(clients.clone()).collect();
        let make = move || configured(&certificate, clients.as_ref());
        OfFiles::new(files, make).map(|config| Self(Arc::new(config)))
    }

    /// Reads the files again if they changed, as everybody who comes does.
    pub fn look(&self) {
        self.0.current();
    }

    pub(super) async fn accept(&self, socket: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        TlsAcceptor::from(self.0.current()).accept(socket).await
    }
}

fn configured(files: &CertificateFiles, clients: Option<&PathBuf>) -> Result<ServerConfig, TlsError> {
    let bad = |error: &dyn ToString| TlsError::of(&files.certificate, error.to_string());
    let certificate = files.read()?;
    let config = ServerConfig::builder_with_provider(provider());
    let config = config.with_safe_default_protocol_versions().map_err(|error| bad(&error))?;
    let config = match clients {
        Some(clients) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(authorities(clients)?), provider());
            config.with_client_cert_verifier(verifier.build().map_err(|error| TlsError::of(clients, error))?)
        }
        None => config.with_no_client_auth(),
    };
    let mut config = config.with_single_cert(certificate.chain, certificate.key).map_err(|error| bad(&error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
