//! `jsonwebtoken` on ring, which TLS uses already: RS256, ES256 and `EdDSA` are checked, `EdDSA` is signed. Nothing else
//! is, whatever a token's header says: no `none`, and no shared secrets.

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error as JwtError, ErrorKind};
use jsonwebtoken::signature::{Error as SignatureError, Signer, Verifier};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind, EncodingKey};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, Ed25519KeyPair, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};

static ON_RING: CryptoProvider =
    CryptoProvider { signer_factory, verifier_factory, key_utils: KeyUtils::new_unimplemented() };

/// Has `jsonwebtoken` use ring, in the whole process.
pub(crate) fn install() {
    // Fails where it is installed already.
    let _ = ON_RING.install_default();
}

struct EdSigner(Ed25519KeyPair);

/// Whether a message was signed with a key: key, message, signature.
type Check = fn(&DecodingKey, &[u8], &[u8]) -> bool;

struct KeyOf {
    algorithm: Algorithm,
    key: DecodingKey,
    check: Check,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the provider's signature")]
fn signer_factory(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>, JwtError> {
    if *algorithm != Algorithm::EdDSA || key.family() != AlgorithmFamily::Ed {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(key.as_bytes()).map_err(|_| ErrorKind::InvalidEddsaKey)?;
    Ok(Box::new(EdSigner(pair)))
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the provider's signature")]
fn verifier_factory(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, JwtError> {
    let (family, check): (_, Check) = match algorithm {
        Algorithm::RS256 => (AlgorithmFamily::Rsa, is_rsa),
        Algorithm::ES256 => (AlgorithmFamily::Ec, |key, message, it| is_of(&ECDSA_P256_SHA256_FIXED, key, message, it)),
        Algorithm::EdDSA => (AlgorithmFamily::Ed, |key, message, it| is_of(&ED25519, key, message, it)),
        _ => return Err(ErrorKind::InvalidAlgorithm.into()),
    };
    if key.family() != family {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    Ok(Box::new(KeyOf { algorithm: *algorithm, key: key.clone(), check }))
}

fn is_of(algorithm: &'static dyn VerificationAlgorithm, key: &DecodingKey, message: &[u8], signature: &[u8]) -> bool {
    let key = key.try_get_as_bytes().ok();
    key.is_some_and(|key| UnparsedPublicKey::new(algorithm, key).verify(message, signature).is_ok())
}

fn is_rsa(key: &DecodingKey, message: &[u8], signature: &[u8]) -> bool {
    match key.kind() {
        DecodingKeyKind::RsaModulusExponent { n, e } => {
            RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
        }
        DecodingKeyKind::SecretOrDer(_) => is_of(&RSA_PKCS1_2048_8192_SHA256, key, message, signature),
    }
}

// === impl EdSigner ===

impl Signer<Vec<u8>> for EdSigner {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, SignatureError> {
        Ok(self.0.sign(message).as_ref().to_vec())
    }
}

impl JwtSigner for EdSigner {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

// === impl KeyOf ===

impl Verifier<Vec<u8>> for KeyOf {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), SignatureError> {
        if (self.check)(&self.key, message, signature) { Ok(()) } else { Err(SignatureError::new()) }
    }
}

impl JwtVerifier for KeyOf {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}
