//! Where a server of the tests may listen.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    sync::{
        LazyLock,
        atomic::{AtomicU16, Ordering},
    },
};

/// How many ports a process may have, from the first one on, and how many processes.
const FIRST: u16 = 20_000;
const PORTS_OF_A_PROCESS: u16 = 32;
const PROCESSES: u16 = 350;

/// This process's ports, by the first: no other test of this target directory has them until it ends, and the file is locked no
/// more.
static OWN: LazyLock<(u16, File)> = LazyLock::new(|| {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ports");
    fs::create_dir_all(&directory).unwrap();
    let begin = u16::try_from(std::process::id() % u32::from(PROCESSES)).unwrap();
    let locked = (0..PROCESSES).map(|number| (begin + number) % PROCESSES).find_map(|number| {
        let file = File::create(directory.join(number.to_string())).unwrap();
        file.try_lock().is_ok().then_some((FIRST + number * PORTS_OF_A_PROCESS, file))
    });
    locked.unwrap()
});

/// A loopback address that nobody listens on.
///
/// Not one that the system would give to an outgoing connection: a server has to get the same one again after a restart.
/// Every process has candidates of its own, because tests run side by side, and a server that is restarted leaves its port for a moment.
pub(crate) fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    for _ in 0..PORTS_OF_A_PROCESS {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, OWN.0 + NEXT.fetch_add(1, Ordering::Relaxed) % PORTS_OF_A_PROCESS));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("all ports of this process are in use");
}
