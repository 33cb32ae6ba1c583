//! The same in Valkey as in Redis.
//!
//! Not every machine has it, so that these tests have to be asked for. `cargo xtask test` does where it finds Valkey or can fetch it.

use crate::{
    redis::{Of, OfKind, faults},
    servers::redis::{Cluster, Kind, Sentinels, Single, Wire},
};

struct Plain;

impl OfKind for Plain {
    fn kind() -> Kind {
        Kind::valkey(Wire::Plain)
    }
}

struct Tls;

impl OfKind for Tls {
    fn kind() -> Kind {
        Kind::valkey(Wire::tls())
    }
}

mod single {
    crate::harness::whole_contract!(super::Of<super::Plain, super::Single>, ignore = "needs valkey-server");
}

mod single_tls {
    crate::harness::whole_contract!(super::Of<super::Tls, super::Single>, ignore = "needs valkey-server");
}

mod sentinel {
    crate::harness::whole_contract!(super::Of<super::Plain, super::Sentinels>, ignore = "needs valkey-server");
}

mod cluster {
    crate::harness::whole_contract!(super::Of<super::Plain, super::Cluster>, ignore = "needs valkey-server");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs valkey-server"]
async fn a_new_master_is_followed_and_knows_what_was_passed_on() {
    faults::a_master_dies(Kind::valkey(Wire::Plain)).await;
}
