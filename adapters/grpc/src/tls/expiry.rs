//! When certificates end: the fault that everybody can foresee, and that nobody looks for.

use std::path::Path;

use metrics::{Unit, describe_gauge, gauge};
use rustls::pki_types::CertificateDer;
use x509_cert::Certificate;
use x509_cert::der::Decode;

const EXPIRY: &str = "highstreet_certificate_expiry_timestamp_seconds";

/// Shows when that certificate ends that ends first in a chain, as a Unix time. One that cannot be read shows nothing: whether it
/// can be used is decided elsewhere.
pub(super) fn show(file: &Path, chain: &[CertificateDer<'_>]) {
    describe_gauge!(EXPIRY, Unit::Seconds, "When the certificate that ends first in a file does, as a Unix time.");
    if let Some(first) = chain.iter().filter_map(ends).min() {
        #[allow(clippy::cast_precision_loss, reason = "seconds since 1970 are exact for millions of years")]
        gauge!(EXPIRY, "file" => file.display().to_string()).set(first as f64);
    }
}

/// When a certificate ends, in seconds since the epoch.
fn ends(certificate: &CertificateDer<'_>) -> Option<u64> {
    let certificate = Certificate::from_der(certificate).ok()?;
    Some(certificate.tbs_certificate.validity.not_after.to_unix_duration().as_secs())
}
