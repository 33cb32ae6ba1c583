//! The contract, in PostgreSQL: by its socket, and the part that a network is for behind TLS.

use crate::{
    harness::{Harness, Server, contract, contract_of_servers},
    servers::postgres::PostgresServer,
};
use oauth2flow::session::store::{PostgresAddress, PostgresStore, Store};
use std::sync::Arc;

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
