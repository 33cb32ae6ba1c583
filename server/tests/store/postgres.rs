//! The contract, in PostgreSQL: by its socket, and the part that a network is for behind TLS.

use crate::{
    harness::{Harness, Server, Written, contract, contract_of_servers, contract_of_what_is_written},
    servers::postgres::PostgresServer,
};
use oauth2flow::session::{
    record::Key,
    store::{PostgresAddress, PostgresStore, Store},
};
use sqlx::{Connection as _, PgConnection};
use std::sync::Arc;

mod connections;
mod tls;

struct Postgres(PostgresServer);

impl Harness for Postgres {
    fn start() -> Self {
        Self(PostgresServer::start())
    }

    async fn open(&self) -> Arc<dyn Store> {
        let address = PostgresAddress::parse(&self.0.url()).unwrap();
        Arc::new(PostgresStore::open(&address, None).await.unwrap())
    }
}

impl Written for Postgres {
    async fn damage(&self, key: Key) {
        let mut connection = PgConnection::connect(&self.0.url()).await.unwrap();
        let damage = sqlx::query("UPDATE oauth2flow_sessions SET profile = 'damaged' WHERE key = $1").bind(key.0.to_vec());
        assert_eq!(damage.execute(&mut connection).await.unwrap().rows_affected(), 1);
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

contract!(Postgres);
contract_of_servers!(Postgres);
contract_of_what_is_written!(Postgres);
