//! The certificate that this server shows to a provider or an upstream: [RFC 8705](https://www.rfc-editor.org/rfc/rfc8705).

use std::fmt;
use thiserror::Error;
use zeroize::Zeroizing;

/// A certificate with its key, as PEM. Its `Debug` shows neither.
#[derive(Clone)]
pub struct ClientCertificate {
    identity: reqwest::Identity,
    pem: Zeroizing<String>,
}

/// Why a certificate and a key cannot be used.
#[derive(Debug, Error)]
#[error("there has to be a certificate and its unencrypted private key, both in PEM")]
pub struct ClientCertificateError(#[source] reqwest::Error);

impl ClientCertificate {
    /// Reads a certificate, with those of its issuers behind it if the provider wants them, and its key: PKCS#8, PKCS#1 or SEC1.
    ///
    /// # Errors
    /// When one of the two cannot be found in its text. Whether they belong together shows when the client is made.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, ClientCertificateError> {
        let pem = Zeroizing::new(format!("{certificate}\n{key}\n"));
        let identity = reqwest::Identity::from_pem(pem.as_bytes()).map_err(ClientCertificateError)?;
        Ok(Self { identity, pem })
    }

    pub(super) fn identity(&self) -> reqwest::Identity {
        self.identity.clone()
    }

    /// Certificate and key, one after the other.
    pub(super) fn pem(&self) -> &str {
        &self.pem
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ClientCertificate([REDACTED])")
    }
}
