//! The databases that keep sessions beside the server: started from the machine's packages, in directories of their own.

use crate::{
    process::{Process, free_address},
    store::StoreKind,
};
use anyhow::{Context as _, Result, bail};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// How long a database has to end in order.
const END_LIMIT: Duration = Duration::from_secs(20);

/// A running database.
pub(crate) struct Database {
    process: Process,
    /// Where it is, as `session.store_url` has it.
    pub(crate) url: String,
    directory: PathBuf,
}

impl Database {
    /// Starts the one that this kind of store needs; `None` for a store that is in the server itself.
    pub(crate) fn start(kind: StoreKind) -> Result<Option<Self>> {
        // Not below the repository: PostgreSQL runs as a user of its own, who may not get there.
        let directory = std::env::temp_dir().join(format!("oauth2flow-load-{}-{}", kind.name(), std::process::id()));
        match kind {
            StoreKind::Sqlite | StoreKind::Memory => Ok(None),
            StoreKind::Postgres => Self::postgres(directory).map(Some),
            StoreKind::Redis => Self::redis(directory).map(Some),
        }
    }

    fn redis(directory: PathBuf) -> Result<Self> {
        let program = program("redis-server", &[]).context("redis-server is missing; Debian's package has that name")?;
        fs::create_dir_all(&directory)?;
        let address = free_address()?;
        let mut command = Command::new(program);
        command.current_dir(&directory).args(["--bind", "127.0.0.1", "--port", &address.port().to_string(), "--save", ""]);
        let mut process = Process::start(&mut command, &directory.join("redis.log"))?;
        process.wait_for_listener(address)?;
        Ok(Self { process, url: format!("redis://{address}"), directory })
    }

    fn postgres(directory: PathBuf) -> Result<Self> {
        let programs = postgres_programs().context("PostgreSQL is missing; Debian's package is postgresql")?;
        fs::create_dir_all(&directory)?;
        let user = unprivileged(&directory)?;
        let data = directory.join("data");
        let mut initdb = user.command(&programs.join("initdb"));
        initdb.current_dir(&directory).arg("-D").arg(&data).args(["--username=bench", "--auth=trust", "--encoding=UTF8", "--no-sync"]);
        let made = initdb.output().context("cannot start initdb")?;
        if !made.status.success() {
            bail!("initdb failed:\n{}", String::from_utf8_lossy(&made.stderr));
        }
        let address = free_address()?;
        let mut postgres = user.command(&programs.join("postgres"));
        postgres.current_dir(&directory).arg("-D").arg(&data).args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]);
        postgres.args(["-c", &format!("port={}", address.port())]);
        let mut process = Process::start(&mut postgres, &directory.join("postgres.log"))?;
        process.wait_for_listener(address)?;
        let database = Self { process, url: format!("postgres://bench@{address}/postgres?sslmode=disable"), directory };
        database.process.wait_until_said("ready to accept connections")?;
        Ok(database)
    }

    /// Its processor time so far, in all its processes.
    pub(crate) fn time(&self) -> Result<crate::process::FamilyTime> {
        self.process.time_of_family()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // Killed, PostgreSQL would leave shared memory behind.
        self.process.interrupt(END_LIMIT);
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Whom a program runs as.
enum User {
    /// Whoever we are.
    Same,
    /// This one, because PostgreSQL does not run as root.
    Other(&'static str),
}

impl User {
    fn command(&self, program: &Path) -> Command {
        match self {
            Self::Same => Command::new(program),
            Self::Other(name) => {
                let mut command = Command::new("setpriv");
                command.arg(format!("--reuid={name}")).arg(format!("--regid={}", group(name))).arg("--clear-groups").arg(program);
                command
            }
        }
    }
}

fn group(user: &str) -> &str {
    if user == "nobody" { "nogroup" } else { user }
}

/// Hands the directory to somebody who is not root, when we are.
fn unprivileged(directory: &Path) -> Result<User> {
    let id = Command::new("id").arg("-u").output().context("cannot start id")?;
    if id.stdout != b"0\n" {
        return Ok(User::Same);
    }
    for user in ["postgres", "nobody"] {
        let given = Command::new("chown").arg(format!("{user}:{}", group(user))).arg(directory).output().context("cannot start chown")?;
        if given.status.success() {
            return Ok(User::Other(user));
        }
    }
    bail!("there is no user that PostgreSQL could run as")
}

/// A program on the search path, or in one of these directories.
pub(crate) fn program(name: &str, elsewhere: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = std::env::split_paths(&path).chain(elsewhere.iter().map(PathBuf::from));
    directories.map(|directory| directory.join(name)).find(|program| program.is_file())
}

/// Where PostgreSQL's programs are: Debian keeps each version apart, and none of them on the search path.
fn postgres_programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok);
    let newest = versions.filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path()))).max();
    let found = newest.map(|(_, path)| path.join("bin")).or_else(|| program("initdb", &[])?.parent().map(Path::to_path_buf));
    found.filter(|programs| programs.join("initdb").is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_on_the_path_or_where_it_is_said_to_be() {
        assert!(program("sh", &[]).is_some());
        assert!(program("no-such-program", &["/usr/sbin"]).is_none());
    }
}
