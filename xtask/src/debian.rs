//! Debian's packages: installed where we may, without asking anybody for a password.

use crate::child::{first_line, run_step, succeeds};
use crate::workspace::program;
use anyhow::Result;
use std::process::Command;

/// What to put before a command that needs to be root's, nothing or `sudo`; none where packages cannot be installed.
pub(crate) fn privilege() -> Option<Vec<&'static str>> {
    program("apt-get")?;
    if first_line(Command::new("id").arg("-u")).as_deref() == Some("0") {
        return Some(Vec::new());
    }
    succeeds(Command::new("sudo").args(["-n", "true"])).then(|| vec!["sudo", "-n"])
}

/// A command with its privilege before it.
pub(crate) fn privileged(privilege: &[&str], words: &[&str]) -> Command {
    let mut all = privilege.iter().chain(words);
    let mut command = Command::new(all.next().copied().unwrap_or_default());
    command.args(all);
    command
}

/// Installs Debian packages; says which.
pub(crate) fn install_packages(privilege: &[&str], packages: &[&str]) -> Result<()> {
    // `env` carries the setting through sudo, which drops most of the environment.
    let apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"];
    run_step("refresh Debian's package lists", &mut privileged(privilege, &[&apt[..], &["update"]].concat()))?;
    let install = [&apt[..], &["install", "--yes", "--no-install-recommends"], packages].concat();
    run_step(&format!("install {}", packages.join(", ")), &mut privileged(privilege, &install))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::child::shown;

    #[test]
    fn a_command_for_root_goes_through_sudo_where_we_are_not() {
        assert_eq!(shown(&privileged(&[], &["apt-get", "update"])), "apt-get update");
        assert_eq!(shown(&privileged(&["sudo", "-n"], &["apt-get", "update"])), "sudo -n apt-get update");
    }
}
