//! nginx as a proxy for the same API: one worker, connections to the API kept, every request logged.

use crate::{
    database::program,
    process::{Process, free_address},
};
use anyhow::{Context as _, Result};
use std::{fs, net::SocketAddr, path::Path, process::Command};

/// A running nginx.
pub(crate) struct Nginx {
    /// The process.
    pub(crate) process: Process,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Nginx {
    /// Starts it; nothing when the machine has none.
    pub(crate) fn start(directory: &Path, upstream: SocketAddr) -> Result<Option<Self>> {
        // Debian puts it where only root looks.
        let Some(program) = program("nginx", &["/usr/sbin", "/usr/local/sbin"]) else { return Ok(None) };
        fs::create_dir_all(directory)?;
        let address = free_address()?;
        let file = directory.join("nginx.conf");
        fs::write(&file, configuration(address, upstream)).with_context(|| format!("cannot write {}", file.display()))?;
        let mut command = Command::new(program);
        command.arg("-p").arg(directory).arg("-c").arg(&file).arg("-e").arg("stderr");
        let mut process = Process::start(&mut command, &directory.join("nginx.log"))?;
        process.wait_for_listener(address)?;
        Ok(Some(Self { process, address }))
    }
}

/// Without a master, so that the worker is the process that was started.
fn configuration(address: SocketAddr, upstream: SocketAddr) -> String {
    format!(
        "daemon off;
master_process off;
worker_processes 1;
pid nginx.pid;
error_log stderr;
events {{ worker_connections 1024; }}
http {{
    access_log access.log;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    keepalive_requests 1000000;
    upstream api {{
        server {upstream};
        keepalive 64;
        keepalive_requests 1000000;
    }}
    server {{
        listen {address};
        location /api/v1/proxy/bench/ {{
            proxy_pass http://api/;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
            proxy_set_header Cookie \"\";
            proxy_set_header Authorization \"Bearer 1.an-access-token-of-the-length-that-opaque-ones-have-000000\";
        }}
    }}
}}
"
    )
}
