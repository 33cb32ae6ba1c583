//! The certificate that this server shows to a provider or an upstream: [RFC 8705](https://www.rfc-editor.org/rfc/rfc8705).

use rustls::pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{self, PemObject as _},
};
use std::{fmt, sync::Arc};
use thiserror::Error;

/// A certificate with its key. Its `Debug` shows neither.
#[derive(Clone)]
pub struct ClientCertificate {
    chain: Vec<CertificateDer<'static>>,
    key: Arc<PrivateKeyDer<'static>>,
}

/// Why a certificate and a key cannot be used.
#[derive(Debug, Error)]
#[error("there has to be a certificate and its unencrypted private key, both in PEM")]
pub struct ClientCertificateError(#[source] pem::Error);

impl ClientCertificate {
    /// Reads a certificate, with those of its issuers behind it if the provider wants them, and its key: PKCS#8, PKCS#1 or SEC1.
    ///
    /// # Errors
    /// When one of the two cannot be found in its text. Whether they belong together shows when the client is made.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, ClientCertificateError> {
        let chain =
            CertificateDer::pem_slice_iter(certificate.as_bytes()).collect::<Result<Vec<_>, _>>().map_err(ClientCertificateError)?;
        if chain.is_empty() {
            return Err(ClientCertificateError(pem::Error::NoItemsFound));
        }
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(ClientCertificateError)?;
        Ok(Self { chain, key: Arc::new(key) })
    }

    /// The certificate, and those of its issuers.
    pub(super) fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.chain.clone()
    }

    /// Its key.
    pub(super) fn key(&self) -> PrivateKeyDer<'static> {
        self.key.clone_key()
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ClientCertificate([REDACTED])")
    }
}
