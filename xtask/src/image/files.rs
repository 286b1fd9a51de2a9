//! The image's file system.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

use super::{About, sbom};

/// Whom the program runs as: nobody that a machine has.
pub(super) const USER: u64 = 65532;

/// Where the program is.
pub(super) const PROGRAM: &str = "usr/bin/highstreet";

/// Folders that are the user's own: what is kept, and what is kept for a moment.
pub(super) const OWNED: [&str; 2] = ["data", "tmp"];

const PASSWD: &str = "root:x:0:0:root:/:/sbin/nologin\nhighstreet:x:65532:65532:highstreet:/data:/sbin/nologin\n";
const GROUP: &str = "root:x:0:\nhighstreet:x:65532:\n";

/// What is known of the program's parts, in the file system and beside the image.
pub(crate) const SBOM: &str = "highstreet.cdx.json";

/// Writes it into `folder`/root, anew, and what the program is made of beside it.
pub(super) fn write(folder: &Path, program: &Path, about: &About) -> Result<(), String> {
    let parts = sbom::of_program(&folder.join("sbom-sources"), about)?;
    fs::write(folder.join(SBOM), &parts).map_err(|error| format!("{}: {error}", folder.display()))?;
    let folder = &folder.join("root");
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let put = |path: &str, bytes: &[u8], mode: u32| {
        let path = folder.join(path);
        let wrong = |error: std::io::Error| format!("{}: {error}", path.display());
        fs::create_dir_all(path.parent().unwrap_or(folder)).map_err(wrong)?;
        fs::write(&path, bytes).map_err(wrong)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).map_err(wrong)
    };
    let bytes = fs::read(program).map_err(|error| format!("{}: {error}", program.display()))?;
    put(PROGRAM, &bytes, 0o755)?;
    put("etc/passwd", PASSWD.as_bytes(), 0o644)?;
    put("etc/group", GROUP.as_bytes(), 0o644)?;
    put("etc/ssl/certs/ca-certificates.crt", authorities().as_bytes(), 0o644)?;
    put("usr/share/doc/highstreet/LICENSE", include_bytes!("../../../LICENSE"), 0o644)?;
    put(&format!("usr/share/doc/highstreet/{SBOM}"), parts.as_bytes(), 0o644)?;
    for owned in OWNED {
        let path = folder.join(owned);
        fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

/// Mozilla's authorities, of the version that Cargo.lock names and not of whatever the machine has.
fn authorities() -> String {
    let mut text = String::new();
    for certificate in TLS_SERVER_ROOT_CERTS {
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        let encoded = STANDARD.encode(certificate.as_ref());
        for line in encoded.as_bytes().chunks(64) {
            text.push_str(&String::from_utf8_lossy(line));
            text.push('\n');
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    text
}
