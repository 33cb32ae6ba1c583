//! PostgreSQL behind TLS: whoever checks the certificate is served, and nobody is served by an impostor.

use crate::{
    harness::{Harness, Server, Written, whole_contract},
    servers::{authority::Authority, postgres::PostgresServer},
};
use oauth2flow::session::{
    record::Key,
    store::{OpenError, PostgresAddress, PostgresStore, Store},
};
use std::sync::Arc;

/// Its certificate is for `localhost`, and it is not to be had without TLS.
struct BehindTls {
    server: PostgresServer,
    authority: Authority,
}

impl BehindTls {
    async fn try_open(&self, host: &str, sslmode: &str, trusted: Option<&Authority>) -> Result<PostgresStore, OpenError> {
        oauth2flow_protocol::install_crypto_provider();
        let address = PostgresAddress::parse(&self.server.url_of_port(host, sslmode)).unwrap();
        PostgresStore::open(&address, trusted.map(Authority::pem).as_deref().map(str::as_bytes)).await
    }

    /// What is said to whoever cannot open it, which is never the password.
    async fn refusal(&self, host: &str, sslmode: &str, trusted: Option<&Authority>) -> String {
        let error = self.try_open(host, sslmode, trusted).await.map(drop).unwrap_err();
        assert!(matches!(error, OpenError::Unusable { .. }), "{error:?}");
        assert!(!format!("{error:?}").contains("sesame"), "{error:?}");
        error.to_string()
    }
}

impl Harness for BehindTls {
    fn start() -> Self {
        let authority = Authority::new();
        Self { server: PostgresServer::start_behind_tls(&authority.server("localhost")), authority }
    }

    async fn open(&self) -> Arc<dyn Store> {
        super::open(async || self.try_open("localhost", "verify-full", Some(&self.authority)).await).await
    }
}

impl Written for BehindTls {
    async fn damage(&self, key: Key) {
        super::damage(&self.server.url_of_port("localhost", "require"), key).await;
    }
}

impl Server for BehindTls {
    fn kill(&mut self) {
        self.server.kill();
    }

    fn start_again(&mut self) {
        self.server.start_again();
    }
}

whole_contract!(BehindTls);

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_where_the_name_counts() {
    let place = BehindTls::start();
    let said = place.refusal("127.0.0.1", "verify-full", Some(&place.authority)).await;
    assert!(said.contains("its certificate is not to be trusted") && said.contains("the host in session.store_url"), "{said}");
    let store = place.try_open("127.0.0.1", "verify-ca", Some(&place.authority)).await.unwrap();
    store.ping().await.unwrap();
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    let place = BehindTls::start();
    let stranger = Authority::new();
    for sslmode in ["verify-full", "verify-ca"] {
        for trusted in [None, Some(&stranger)] {
            let said = place.refusal("localhost", sslmode, trusted).await;
            assert!(said.contains("its certificate is not to be trusted") && said.contains("session.store_roots"), "{sslmode}: {said}");
        }
    }
}

#[tokio::test]
async fn a_server_that_wants_tls_says_so_to_who_does_not() {
    let place = BehindTls::start();
    let said = place.refusal("localhost", "disable", None).await;
    assert!(said.contains("it does not let this user in from here") && said.contains("Check user and sslmode"), "{said}");
}
