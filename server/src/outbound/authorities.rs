//! Whose certificates are believed: the system's authorities, and those that are configured.

use super::certificate::ClientCertificate;
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs::default_provider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use rustls_platform_verifier::Verifier;
use std::sync::{Arc, OnceLock};

/// Judges the certificates of servers. The system's authorities, hundreds of files, are read when the first certificate is to be judged:
/// no start waits for them, and whoever speaks to nobody but this machine never needs them.
#[derive(Debug)]
pub(super) struct Authorities {
    /// Trusted beside those of the system, in DER.
    own: Vec<Vec<u8>>,
    crypto: Arc<CryptoProvider>,
    verifier: OnceLock<Verifier>,
}

impl Authorities {
    pub(super) fn new(own: Vec<Vec<u8>>) -> Self {
        Self { own, crypto: Arc::new(default_provider()), verifier: OnceLock::new() }
    }

    /// What it takes to speak TLS to a server that these authorities vouch for, with the certificate to show it, if any.
    pub(super) fn client(self: Arc<Self>, certificate: Option<&ClientCertificate>) -> Result<ClientConfig, Error> {
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.crypto)).with_safe_default_protocol_versions()?;
        let builder = builder.dangerous().with_custom_certificate_verifier(self);
        match certificate {
            Some(certificate) => builder.with_client_auth_cert(certificate.chain(), certificate.key()),
            None => Ok(builder.with_no_client_auth()),
        }
    }

    /// Fails when there is not one authority to trust; then the next certificate has them looked for again.
    fn verifier(&self) -> Result<&Verifier, Error> {
        if let Some(verifier) = self.verifier.get() {
            return Ok(verifier);
        }
        let own = self.own.iter().map(|der| CertificateDer::from(der.clone()));
        let verifier = Verifier::new_with_extra_roots(own, Arc::clone(&self.crypto))?;
        Ok(self.verifier.get_or_init(|| verifier))
    }
}

impl ServerCertVerifier for Authorities {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.verifier()?.verify_server_cert(certificate, intermediates, name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.crypto.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.crypto.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.crypto.signature_verification_algorithms.supported_schemes()
    }
}
