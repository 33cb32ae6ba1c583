//! TLS on loopback: what stands in front of a stand-in to speak TLS for it.

use super::{
    authority::{Authority, Certificate},
    recording::socket,
};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::WebPkiClientVerifier,
};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

impl Authority {
    /// A certificate for a client.
    pub(crate) fn client(&self, name: &str) -> Certificate {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, name);
        self.issue(parameters, ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.pem().as_bytes()).unwrap()).unwrap();
        roots
    }
}

/// Speaks TLS on a port of its own, for whoever speaks HTTP behind it.
pub(crate) struct TlsFront {
    origin: String,
    seen: Arc<Mutex<Seen>>,
}

/// What came to it.
#[derive(Default)]
struct Seen {
    behind: Option<SocketAddr>,
    connections: usize,
    protocols: Vec<Option<Vec<u8>>>,
    certificates: Vec<Option<CertificateDer<'static>>>,
}

/// Whether the other side has to show a certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ClientCertificates {
    NotAsked,
    Welcome,
    Required,
}

impl TlsFront {
    /// A server that asks for no certificate.
    pub(crate) fn start(authority: &Authority, name: &str) -> Self {
        Self::serve(authority, name, ClientCertificates::NotAsked)
    }

    /// A server that asks for one of this authority's, and goes on without.
    pub(crate) fn welcoming_certificates(authority: &Authority, name: &str) -> Self {
        Self::serve(authority, name, ClientCertificates::Welcome)
    }

    /// A server that demands one of this authority's.
    pub(crate) fn requiring_certificates(authority: &Authority, name: &str) -> Self {
        Self::serve(authority, name, ClientCertificates::Required)
    }

    fn serve(authority: &Authority, name: &str, client_certificates: ClientCertificates) -> Self {
        let certificate = authority.server(name);
        let builder = ServerConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions().unwrap();
        let verifier = || WebPkiClientVerifier::builder_with_provider(Arc::new(authority.roots()), Arc::new(default_provider()));
        let builder = match client_certificates {
            ClientCertificates::NotAsked => builder.with_no_client_auth(),
            ClientCertificates::Welcome => builder.with_client_cert_verifier(verifier().allow_unauthenticated().build().unwrap()),
            ClientCertificates::Required => builder.with_client_cert_verifier(verifier().build().unwrap()),
        };
        let chain = vec![CertificateDer::from_pem_slice(certificate.chain.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(certificate.key.as_bytes()).unwrap();
        let mut config = builder.with_single_cert(chain, key).unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let (listener, address) = socket();
        listener.set_nonblocking(true).unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        let seen = Arc::<Mutex<Seen>>::default();
        tokio::spawn(accept(listener, TlsAcceptor::from(Arc::new(config)), Arc::clone(&seen)));
        Self { origin: format!("https://{name}:{}", address.port()), seen }
    }

    pub(crate) fn forward_to(&self, address: SocketAddr) {
        self.seen.lock().unwrap().behind = Some(address);
    }

    /// The address by which others know it.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    pub(crate) fn port(&self) -> u16 {
        self.origin.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// How many connections came, also those that ended before TLS was spoken.
    pub(crate) fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }

    /// The application protocol of each connection.
    pub(crate) fn protocols(&self) -> Vec<Option<Vec<u8>>> {
        self.seen.lock().unwrap().protocols.clone()
    }

    /// The certificate that was shown in each connection.
    pub(crate) fn certificates(&self) -> Vec<Option<CertificateDer<'static>>> {
        self.seen.lock().unwrap().certificates.clone()
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, seen: Arc<Mutex<Seen>>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        seen.lock().unwrap().connections += 1;
        tokio::spawn(pass_on(stream, acceptor.clone(), Arc::clone(&seen)));
    }
}

async fn pass_on(stream: TcpStream, acceptor: TlsAcceptor, seen: Arc<Mutex<Seen>>) {
    // A client that does not like the certificate goes away here.
    let Ok(mut outside) = acceptor.accept(stream).await else { return };
    let behind = {
        let connection = outside.get_ref().1;
        let mut seen = seen.lock().unwrap();
        seen.protocols.push(connection.alpn_protocol().map(<[u8]>::to_vec));
        seen.certificates.push(connection.peer_certificates().map(|chain| chain[0].clone().into_owned()));
        seen.behind.expect("somebody is behind it")
    };
    let mut inside = TcpStream::connect(behind).await.unwrap();
    // Either side may hang up whenever it likes.
    let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
}
