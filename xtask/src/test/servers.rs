//! The servers that tests and measurements start: those of the machine's packages.

use crate::debian::{install_packages, privilege};
use crate::step::Step;
use crate::workspace::program;
use anyhow::{Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// A program, and Debian's package that has it.
struct Server {
    program: &'static str,
    package: &'static str,
}

const SERVERS: [Server; 4] = [
    Server { program: "initdb", package: "postgresql" },
    Server { program: "redis-server", package: "redis-server" },
    Server { program: "nginx", package: "nginx" },
    // No server, but what a server is started with whose clock is to be set.
    Server { program: "faketime", package: "faketime" },
];

/// Installs those that are missing, where that is possible without asking anybody.
pub(crate) fn ensure() -> Result<()> {
    let is_missing = |server: &Server| find(server.program).is_none();
    let missing: Vec<_> = SERVERS.iter().filter(|server| is_missing(server)).map(|server| server.package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let step = Step::start(format!("look for {}", missing.join(", ")));
    let Some(privilege) = privilege() else {
        step.failed("");
        bail!("the tests start servers that are not installed: {}", missing.join(", "));
    };
    step.done_with("to be installed");
    install_packages(&privilege, &missing)?;
    match SERVERS.iter().find(|server| is_missing(server)) {
        None => Ok(()),
        Some(server) => bail!("{} is not there, though the package {} is installed", server.program, server.package),
    }
}

/// Where a program is: in a directory of `PATH`, or where Debian keeps what only servers need.
fn find(name: &str) -> Option<PathBuf> {
    let postgresql = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let of_versions = postgresql.filter_map(|version| Some(version.ok()?.path().join("bin")));
    let others = of_versions.chain([Path::new("/usr/sbin").to_path_buf()]);
    program(name).or_else(|| others.map(|directory| directory.join(name)).find(|path| path.is_file()))
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn a_program_is_found_or_not() {
        assert!(find("sh").is_some());
        assert_eq!(find("no-such-server"), None);
    }
}
