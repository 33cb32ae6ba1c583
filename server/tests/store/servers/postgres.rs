//! A PostgreSQL of the machine's packages, in a directory of its own, on a socket of its own and, behind TLS, on a port.

use super::{address::free_address, authority::Certificate, patience::PATIENCE};
use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
};
use tempfile::TempDir;

/// How often it is started before that counts as a failure.
const ATTEMPTS: usize = 200;

/// What makes it fast: what is in it has to survive a kill, and not the end of the machine.
const SETTINGS: [&str; 12] = [
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=16MB",
    "max_connections=100",
    "autovacuum=off",
    "jit=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_parallel_workers=0",
    // Those in the machine's shared memory would be left behind by a server that is killed.
    "dynamic_shared_memory_type=mmap",
    "unix_socket_permissions=0777",
    "log_min_messages=warning",
];

/// Who needs a password: not who comes to the right database by the socket, because passwords take time.
const ACCESS: &str =
    "local all postgres trust\nlocal sign-in app trust\nlocal all all scram-sha-256\nhostssl all all 127.0.0.1/32 scram-sha-256\n";

/// What names the socket, where there is nothing else to name.
const SOCKET_PORT: u16 = 5432;

/// A running PostgreSQL with a database `sign-in` that belongs to `app`, who has the password `open sesame`. It ends when it is dropped,
/// or when the test does.
pub(crate) struct PostgresServer {
    directory: TempDir,
    port: u16,
    is_behind_tls: bool,
    process: Option<Child>,
}

impl PostgresServer {
    /// Starts one with an empty database.
    pub(crate) fn start() -> Self {
        let mut server = Self::prepare();
        server.start_again();
        server
    }

    /// The same with a port too, where it shows this certificate and speaks TLS alone.
    pub(crate) fn start_behind_tls(certificate: &Certificate) -> Self {
        let mut server = Self::prepare();
        (server.port, server.is_behind_tls) = (free_address().port(), true);
        for (name, text) in [("server.crt", &certificate.chain), ("server.key", &certificate.key)] {
            let path = server.directory.path().join("data").join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        Account::get().own(server.directory.path());
        server.start_again();
        server
    }

    /// One with an empty database, still to be started.
    pub(crate) fn prepare() -> Self {
        let directory = tempfile::tempdir().unwrap();
        // Another user is going to run it.
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let account = Account::get();
        run(Command::new("cp").arg("-a").arg(template(&account)).arg(directory.path().join("data")));
        fs::write(directory.path().join("data/pg_hba.conf"), ACCESS).unwrap();
        account.own(directory.path());
        Self { directory, port: SOCKET_PORT, is_behind_tls: false, process: None }
    }

    /// Where it is, for this user and this password.
    pub(crate) fn url_for(&self, user: &str, password: &str, database: &str) -> String {
        format!("postgres:///{database}?host={}&user={user}&password={password}", self.directory.path().display())
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        self.url_for("app", "open%20sesame", "sign-in")
    }

    /// Where its port is, by this name, and how it is to be spoken to.
    pub(crate) fn url_of_port(&self, host: &str, sslmode: &str) -> String {
        format!("postgres://app:open%20sesame@{host}:{}/sign-in?sslmode={sslmode}", self.port)
    }

    /// Starts it once more with what it had written, and waits until it answers.
    pub(crate) fn start_again(&mut self) {
        assert!(self.process.is_none());
        // After a kill, its children are there for a moment longer, and it does not start beside them.
        for _ in 0..ATTEMPTS {
            let mut process = self.command().spawn().unwrap();
            let ready = until_ready(&mut process);
            self.process = Some(process);
            match ready.recv_timeout(PATIENCE) {
                Ok(()) => return,
                Err(RecvTimeoutError::Disconnected) => self.process.take().unwrap().wait().map(drop).unwrap(),
                Err(RecvTimeoutError::Timeout) => break,
            }
        }
        panic!("PostgreSQL does not start");
    }

    fn command(&self) -> Command {
        let mut command = Account::get().command(&programs().join("postgres"));
        command.arg("-D").arg(self.directory.path().join("data"));
        command.arg("-p").arg(self.port.to_string()).arg("-k").arg(self.directory.path());
        let behind_tls: &[_] = if self.is_behind_tls { &["listen_addresses=127.0.0.1", "ssl=on"] } else { &["listen_addresses="] };
        for setting in SETTINGS.iter().chain(behind_tls) {
            command.args(["-c", setting]);
        }
        command.current_dir(self.directory.path()).stderr(Stdio::piped()).stdout(Stdio::null());
        command
    }

    /// Ends it without giving it a chance to do anything about it, and waits for its end.
    pub(crate) fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
        // Its children notice by themselves, and it starts again only when they are gone.
    }

    /// Cuts every connection and ends it, and waits for its end.
    pub(crate) fn stop_at_once(&mut self) {
        let mut process = self.process.take().unwrap();
        run(Command::new("kill").arg("-QUIT").arg(process.id().to_string()));
        process.wait().unwrap();
    }

    /// Whether it still runs.
    pub(crate) fn is_running(&self) -> bool {
        self.process.is_some()
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if self.is_running() {
            self.stop_at_once();
        }
    }
}

/// Says once when it takes connections, and passes on what it complains of.
fn until_ready(process: &mut Child) -> Receiver<()> {
    let (sender, ready) = channel();
    let lines = BufReader::new(process.stderr.take().unwrap());
    thread::spawn(move || {
        for line in lines.lines().map_while(Result::ok) {
            if line.contains("database system is ready to accept connections") {
                // Whoever waited may have given up.
                let _ = sender.send(());
            } else if line.contains("FATAL") || line.contains("PANIC") {
                eprintln!("PostgreSQL: {line}");
            }
        }
    });
    ready
}

/// The account that runs it: it refuses to be run by root.
struct Account {
    /// With user and group, where it is another than ours.
    other: Option<(u32, u32)>,
}

impl Account {
    fn get() -> Self {
        if number(Command::new("id").arg("-u")) != 0 {
            return Self { other: None };
        }
        let of = |name: &str, flag: &str| number(Command::new("id").args([flag, name]));
        let exists = |name: &&str| Command::new("id").arg(name).output().unwrap().status.success();
        let name = ["postgres", "nobody"].into_iter().find(exists).unwrap_or_else(|| panic!("there is no account that is not root's"));
        Self { other: Some((of(name, "-u"), of(name, "-g"))) }
    }

    /// A command that ends with this thread, whatever becomes of it.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("setpriv");
        if let Some((user, group)) = self.other {
            command.args(["--reuid", &user.to_string(), "--regid", &group.to_string(), "--clear-groups"]);
        }
        command.args(["--pdeathsig", "QUIT"]).arg(program);
        command
    }

    /// Gives it a directory with all that is in it.
    fn own(&self, path: &Path) {
        if let Some((user, group)) = self.other {
            chown(path, Some(user), Some(group)).unwrap();
            run(Command::new("chown").args(["-R", &format!("{user}:{group}")]).arg(path));
        }
    }
}

/// Where the programs are: Debian keeps them out of the way, one directory a version.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    let in_path = std::env::var_os("PATH");
    let in_path = in_path.iter().flat_map(std::env::split_paths);
    let mut found: Vec<_> = versions.chain(in_path).filter(|directory| directory.join("initdb").exists()).collect();
    found.sort();
    found.pop().unwrap_or_else(|| panic!("PostgreSQL is not installed; Debian's package is postgresql"))
}

/// A directory of a server that has never been used, made once for all tests.
fn template(account: &Account) -> PathBuf {
    let programs = programs();
    let version = String::from_utf8(output(Command::new(programs.join("initdb")).arg("--version"))).unwrap();
    let version: String = version.chars().map(|character| if character.is_ascii_alphanumeric() { character } else { '-' }).collect();
    let user = account.other.map_or_else(|| number(Command::new("id").arg("-u")), |(user, _)| user);
    let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let template = place.join(format!("postgresql-{}-{user}", version.trim_matches('-')));
    let lock = fs::File::create(place.join("postgresql.lock")).unwrap();
    lock.lock().unwrap();
    if !template.exists() {
        let making = tempfile::tempdir().unwrap();
        fs::set_permissions(making.path(), fs::Permissions::from_mode(0o755)).unwrap();
        account.own(making.path());
        let data = making.path().join("data");
        let mut initdb = account.command(&programs.join("initdb"));
        initdb.arg("-D").arg(&data).args(["--username=postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"]);
        run(initdb.arg("--wal-segsize=1").current_dir(making.path()));
        let single = |sql: &str, database: &str| {
            let mut postgres = account.command(&programs.join("postgres"));
            postgres.args(["--single", "-F", "-D"]).arg(&data).arg(database).current_dir(making.path());
            let mut child = postgres.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
            std::io::Write::write_all(&mut child.stdin.take().unwrap(), sql.as_bytes()).unwrap();
            assert!(child.wait().unwrap().success());
        };
        single("CREATE ROLE app LOGIN PASSWORD 'open sesame'\nCREATE DATABASE \"sign-in\" OWNER app\n", "postgres");
        // Under a name that nobody looks at, until it is whole.
        let unfinished = place.join(format!("postgresql-unfinished-{}", std::process::id()));
        run(Command::new("cp").arg("-a").arg(&data).arg(&unfinished));
        fs::rename(&unfinished, &template).unwrap();
    }
    template
}

fn output(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn run(command: &mut Command) {
    output(command);
}

fn number(command: &mut Command) -> u32 {
    String::from_utf8(output(command)).unwrap().trim().parse().unwrap()
}
