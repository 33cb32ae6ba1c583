//! The contract, in PostgreSQL: by its socket, and behind TLS.

use crate::{
    harness::{Harness, Server, Written, whole_contract},
    servers::postgres::PostgresServer,
};
use oauth2flow::session::{
    record::Key,
    store::{OpenError, PostgresAddress, PostgresStore, Store},
};
use sqlx::{Connection as _, PgConnection};
use std::sync::Arc;

mod connections;
mod tls;

/// Opens it as the app does: a server that is not reached in time is tried again.
async fn open(attempt: impl AsyncFn() -> Result<PostgresStore, OpenError>) -> Arc<dyn Store> {
    loop {
        match attempt().await {
            Err(OpenError::Unreachable { .. }) => {}
            opened => return Arc::new(opened.unwrap()),
        }
    }
}

struct Postgres(PostgresServer);

impl Harness for Postgres {
    fn start() -> Self {
        Self(PostgresServer::start())
    }

    async fn open(&self) -> Arc<dyn Store> {
        let address = PostgresAddress::parse(&self.0.url()).unwrap();
        open(async || PostgresStore::open(&address, None).await).await
    }
}

/// Writes something else where a session is kept.
async fn damage(url: &str, key: Key) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let damage = sqlx::query("UPDATE oauth2flow_sessions SET profile = 'damaged' WHERE key = $1").bind(key.0.to_vec());
    assert_eq!(damage.execute(&mut connection).await.unwrap().rows_affected(), 1);
}

impl Written for Postgres {
    async fn damage(&self, key: Key) {
        damage(&self.0.url(), key).await;
    }
}

impl Server for Postgres {
    fn kill(&mut self) {
        // A server that is killed leaves children behind that still answer for a moment.
        self.0.stop_at_once();
    }

    fn start_again(&mut self) {
        self.0.start_again();
    }
}

whole_contract!(Postgres);
