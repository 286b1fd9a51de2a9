//! Encrypted connections to peers.

use std::path::PathBuf;
use std::sync::Arc;

use http::uri::Authority;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::files::OfFiles;
use super::{CertificateFiles, TlsError, authorities, provider};

/// Which peers are believed to be who they say, and what is shown to them.
#[derive(Clone)]
pub struct PeerTls(Arc<OfFiles<ClientConfig>>);

// === impl PeerTls ===

impl PeerTls {
    /// Believes the authorities in this file (PEM), or those of this machine, and shows this certificate, if any.
    pub fn new(roots: Option<PathBuf>, certificate: Option<CertificateFiles>) -> Result<Self, TlsError> {
        let shown = certificate.iter().flat_map(CertificateFiles::paths);
        let files = roots.clone().into_iter().chain(shown).collect();
        let make = move || configured(roots.as_ref(), certificate.as_ref());
        OfFiles::new(files, make).map(|config| Self(Arc::new(config)))
    }

    /// Reads the files again if they changed, as everybody who connects does.
    pub fn look(&self) {
        self.0.current();
    }

    pub(crate) async fn connect(&self, socket: TcpStream, to: &Authority) -> Result<TlsStream<TcpStream>, String> {
        let host = to.host().trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(host).map_err(|error| format!("{to}: {error}"))?;
        let connector = TlsConnector::from(self.0.current());
        connector.connect(name, socket).await.map_err(|error| format!("no encrypted connection: {error}"))
    }
}

impl std::fmt::Debug for PeerTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PeerTls")
    }
}

/// The authorities that this machine trusts; what of them cannot be read is not trusted.
fn of_this_machine() -> RootCertStore {
    let mut trusted = RootCertStore::empty();
    trusted.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    trusted
}

fn configured(roots: Option<&PathBuf>, certificate: Option<&CertificateFiles>) -> Result<ClientConfig, TlsError> {
    let trusted = roots.map_or_else(|| Ok(of_this_machine()), authorities)?;
    let config = ClientConfig::builder_with_provider(provider());
    let config = config.with_safe_default_protocol_versions();
    let config = config.map_err(|error| TlsError { file: "TLS".into(), why: error.to_string() })?;
    let config = config.with_root_certificates(trusted);
    let mut config = match certificate {
        Some(files) => {
            let shown = files.read()?;
            let config = config.with_client_auth_cert(shown.chain, shown.key);
            config.map_err(|error| TlsError::of(&files.certificate, error))?
        }
        None => config.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}
