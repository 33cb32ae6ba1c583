//! The server under measurement: its configuration, its process.

use crate::{
    peer::CLIENT_ID,
    process::{Process, free_address},
};
use anyhow::{Context as _, Result};
use std::{fs, net::SocketAddr, path::PathBuf, process::Command, time::Duration};

/// A running server.
pub(crate) struct Server {
    /// The process.
    pub(crate) process: Process,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// How long it took from the start to the first answer.
    pub(crate) started_in: Duration,
}

/// How a server is to be started.
pub(crate) struct Setup {
    /// The release.
    pub(crate) program: PathBuf,
    /// For its files.
    pub(crate) directory: PathBuf,
    /// The provider's issuer, and where the API is.
    pub(crate) peer: String,
    /// The store, as lines of `[session]`.
    pub(crate) session: String,
    /// What else is configured.
    pub(crate) extra: String,
}

impl Setup {
    /// Writes the configuration and starts the server; what it says goes to a file, as with a supervisor.
    pub(crate) fn start(&self) -> Result<Server> {
        let address = free_address()?;
        self.launch(address, &self.configuration(address))
    }

    /// Starts it with nothing configured: the demo provider runs in it.
    pub(crate) fn start_demo(&self) -> Result<Server> {
        let (address, demo) = (free_address()?, free_address()?);
        self.launch(address, &format!("[server]\nlisten = \"{address}\"\ndata_dir = \"data\"\n\n[demo]\nlisten = \"{demo}\"\n"))
    }

    fn launch(&self, address: SocketAddr, configuration: &str) -> Result<Server> {
        fs::create_dir_all(&self.directory)?;
        let file = self.directory.join("oauth2flow.toml");
        fs::write(&file, configuration).with_context(|| format!("cannot write {}", file.display()))?;
        let mut command = Command::new(&self.program);
        // Nothing that is set for somebody else's server shall count here.
        command.env_clear().current_dir(&self.directory).arg("--config").arg(&file);
        let mut process = Process::start(&mut command, &self.directory.join("server.log"))?;
        let started_in = process.wait_for_answer(address, "/healthz")?;
        Ok(Server { process, address, started_in })
    }

    fn configuration(&self, address: SocketAddr) -> String {
        let Self { peer, session, extra, .. } = self;
        format!(
            "[server]
listen = \"{address}\"
data_dir = \"data\"

[session]
# So that no session ends while a million of them are being put in.
idle = \"8h\"
{session}

[providers.bench]
issuer = \"{peer}\"
client_id = \"{CLIENT_ID}\"
client_secret = \"secret\"
client_auth = \"basic\"

[upstreams.bench]
url = \"{peer}\"

{extra}"
        )
    }

    /// Begins anew: whatever an earlier server kept is gone.
    pub(crate) fn forget(&self) -> Result<()> {
        match fs::remove_dir_all(&self.directory) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// The file with the sessions, when they are in SQLite.
    pub(crate) fn database(&self) -> PathBuf {
        self.directory.join("data/sessions.sqlite")
    }
}
