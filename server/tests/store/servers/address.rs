//! Where a server of the tests may listen.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::atomic::{AtomicU16, Ordering},
};

/// A loopback address that nobody listens on.
///
/// Not one that the system would give to an outgoing connection: a server has to get the same one again after a restart.
/// Every process has candidates of its own, because tests run side by side.
pub(crate) fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const PORTS_OF_A_PROCESS: u32 = 32;
    let first = std::process::id() % 350 * PORTS_OF_A_PROCESS;
    loop {
        let candidate = (first + u32::from(NEXT.fetch_add(1, Ordering::Relaxed))) % 11_200;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 20_000 + u16::try_from(candidate).unwrap()));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}
