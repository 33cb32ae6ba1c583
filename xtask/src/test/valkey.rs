//! Valkey, for the tests of sessions there: the machine's own, or what its distribution has, unpacked in a directory of ours.
//!
//! It is not installed, because Debian starts what it installs, and Redis is at the same port already. Where it is not to be had, those
//! tests are left out: not every release of every distribution has it.

use crate::child::{Finished, ended, run_within, succeeds};
use crate::step::Step;
use crate::workspace::{cache_directory, empty_directory, program};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const PROGRAM: &str = "valkey-server";
/// Debian's packages that have it and what it is a link to.
const PACKAGES: [&str; 2] = [PROGRAM, "valkey-tools"];

/// How long a mirror may take, for what takes seconds.
const PATIENCE: Duration = Duration::from_mins(1);

/// Finds it, or fetches it.
///
/// # Errors
/// When it is not to be had, which is no reason for anything else to fail.
pub(super) fn ensure() -> Result<PathBuf> {
    if let Some(path) = program(PROGRAM) {
        return Ok(path);
    }
    let place = cache_directory().join("valkey");
    let path = place.join("packages/usr/bin").join(PROGRAM);
    if runs(&path) {
        return Ok(path);
    }
    let step = Step::start("fetch Valkey");
    let fetched = fetch(&place, &step).and_then(|()| if runs(&path) { Ok(path) } else { bail!("the distribution's does not run here") });
    match &fetched {
        Ok(_) => step.done(),
        Err(error) => step.done_with(&format!("it is not to be had here, its tests are left out: {error:#}")),
    }
    fetched
}

fn runs(path: &Path) -> bool {
    succeeds(Command::new(path).arg("--version"))
}

/// Unpacks the packages, of this release or of what it has got from later ones.
fn fetch(place: &Path, step: &Step) -> Result<()> {
    if program("apt-get").is_none() {
        bail!("it can be fetched with apt-get only");
    }
    empty_directory(place)?;
    let apt = Apt { place, step };
    apt.download(&[]).or_else(|_| apt.download(&apt.backports()?))?;
    for file in fs::read_dir(place.join("files"))? {
        apt.run(Command::new("dpkg-deb").arg("--extract").arg(file?.path()).arg(place.join("packages")))?;
    }
    Ok(())
}

/// The distribution's packages, without a change to what the machine knows and has of them.
struct Apt<'a> {
    place: &'a Path,
    step: &'a Step,
}

impl Apt<'_> {
    fn run(&self, command: &mut Command) -> Result<Finished> {
        let finished = run_within(command, PATIENCE, self.step)?;
        if finished.status.success() {
            return Ok(finished);
        }
        // What apt calls an error, of all that it says.
        let why = finished.stderr.iter().find_map(|line| line.strip_prefix("E: "));
        bail!("{}", why.map_or_else(|| ended(command, finished.status), str::to_owned))
    }

    /// Fetches the packages, as these options have it.
    fn download(&self, options: &[String]) -> Result<()> {
        let files = self.place.join("files");
        empty_directory(&files)?;
        self.run(Command::new("apt-get").args(options).arg("download").args(PACKAGES).current_dir(files)).map(drop)
    }

    /// Has apt look for what this release has got from later ones, and know of nothing else.
    fn backports(&self) -> Result<Vec<String>> {
        let about = fs::read_to_string("/etc/os-release").context("it is not known what system this is")?;
        let mut sources = Command::new("apt-get");
        sources.args([
            "indextargets",
            "--no-release-info",
            "--format",
            "$(RELEASE) $(REPO_URI)",
            "Created-By: Packages",
            "Component: main",
        ]);
        let list = self.place.join("sources.list");
        fs::write(&list, backports_of(&about, &self.run(&mut sources)?.stdout)?)?;

        let mut options = vec!["-oDir::Etc::SourceParts=-".to_owned(), "-oAcquire::Languages=none".to_owned()];
        options.push(format!("-oDir::Etc::SourceList={}", list.display()));
        for (name, directory) in [("Dir::State::Lists", "lists"), ("Dir::Cache", "cache")] {
            let directory = self.place.join(directory);
            fs::create_dir_all(directory.join("partial"))?;
            options.push(format!("-o{name}={}", directory.display()));
        }
        // Else it would be content with what it had before, which is nothing.
        self.run(Command::new("apt-get").args(&options).args(["-oAPT::Update::Error-Mode=any", "update"]))?;
        Ok(options)
    }
}

/// The source of backports: where the release itself comes from. `about` is the system's `os-release`, `sources` has a release and an
/// address in each line.
fn backports_of(about: &str, sources: &[String]) -> Result<String> {
    let release = about.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME=")).context("the system's release has no name")?;
    let release = release.trim_matches('"');
    let mirror = sources.iter().find_map(|source| source.strip_prefix(release)?.strip_prefix(' '));
    let mirror = mirror.with_context(|| format!("apt has no source of {release}"))?;
    Ok(format!("deb {mirror} {release}-backports main\n"))
}

#[cfg(test)]
mod tests {
    use super::backports_of;

    #[test]
    fn backports_come_from_where_the_release_comes_from() {
        let sources = ["bookworm-security https://one.example/debian-security/", "bookworm https://two.example/debian/"].map(str::to_owned);
        for name in ["bookworm", "\"bookworm\""] {
            let about = format!("ID=debian\nVERSION_CODENAME={name}\n");
            assert_eq!(backports_of(&about, &sources).unwrap(), "deb https://two.example/debian/ bookworm-backports main\n");
        }
        for about in ["ID=debian\n", "VERSION_CODENAME=book\n", "VERSION_CODENAME=trixie\n"] {
            assert!(backports_of(about, &sources).is_err(), "{about}");
        }
    }
}
