//! Which app a site is made of: this project's own, or an example that takes the kit.

use crate::workspace::{cache_directory, root, site_directory};
use anyhow::{Result, bail};
use std::path::PathBuf;

/// The example that the browser tests use.
pub(crate) const EXAMPLE: &str = "guestbook";

const OWN: &str = "oauth2flow-browser";

/// A package of the workspace whose library is an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Package {
    name: String,
}

impl Package {
    /// This project's own app.
    pub(crate) fn own() -> Self {
        Self { name: OWN.to_owned() }
    }

    /// The example of this name.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn example(name: &str) -> Result<Self> {
        if !root().join("examples").join(name).join("Cargo.toml").is_file() {
            bail!("there is no example {name}. There are: {}", examples().join(", "));
        }
        Ok(Self { name: name.to_owned() })
    }

    /// The app of this package.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn named(name: &str) -> Result<Self> {
        if name == OWN { Ok(Self::own()) } else { Self::example(name) }
    }

    /// Whether it is this project's own.
    pub(crate) fn is_own(&self) -> bool {
        self.name == OWN
    }

    /// What cargo calls it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What the compiler calls its library.
    pub(crate) fn library(&self) -> String {
        self.name.replace('-', "_")
    }

    /// What its files are called.
    pub(crate) fn file_name(&self) -> &str {
        if self.is_own() { "oauth2flow" } else { &self.name }
    }

    /// The features that it has in the browser. Only this project's own app is taken apart.
    pub(crate) fn features(&self) -> &'static str {
        if self.is_own() { "hydrate,split" } else { "hydrate" }
    }

    /// Where its site is.
    pub(crate) fn site(&self) -> PathBuf {
        if self.is_own() { site_directory() } else { root().join("target/examples").join(&self.name) }
    }

    /// Where xtask keeps what it knows about its site.
    pub(crate) fn cache(&self) -> PathBuf {
        if self.is_own() { cache_directory() } else { cache_directory().join("examples").join(&self.name) }
    }

    /// A file or directory that an example may have of its own, and takes from this project where it has not.
    pub(crate) fn place(&self, path: &str) -> PathBuf {
        let own = self.directory().join(path);
        if !self.is_own() && own.exists() { own } else { root().join(path) }
    }

    /// Where its sources are.
    pub(crate) fn directory(&self) -> PathBuf {
        if self.is_own() { root().join("app/browser") } else { root().join("examples").join(&self.name) }
    }
}

/// The names of all examples.
fn examples() -> Vec<String> {
    let entries = std::fs::read_dir(root().join("examples")).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries
        .filter(|entry| entry.path().join("Cargo.toml").is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    /// The most lines of Rust that an example may have.
    const MOST_LINES: usize = 149;

    fn lines(directory: &Path) -> usize {
        let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        entries
            .map(|path| match path.extension().and_then(|extension| extension.to_str()) {
                _ if path.is_dir() => lines(&path),
                Some("rs") => fs::read_to_string(&path).unwrap().lines().count(),
                _ => 0,
            })
            .sum()
    }

    #[test]
    fn every_example_is_short() {
        assert!(!examples().is_empty());
        for name in examples() {
            let lines = lines(&Package::example(&name).unwrap().directory());
            assert!(lines <= MOST_LINES, "{name} has {lines} lines of Rust");
        }
    }

    #[test]
    fn only_what_there_is_can_be_built() {
        assert_eq!(Package::named(OWN).unwrap(), Package::own());
        let error = Package::named("nowhere").unwrap_err().to_string();
        assert!(examples().iter().all(|name| error.contains(name)), "{error}");
    }

    #[test]
    fn an_example_is_built_beside_the_app() {
        let example = Package::example(&examples()[0]).unwrap();
        for (one, other) in [(example.site(), Package::own().site()), (example.cache(), Package::own().cache())] {
            assert_ne!(one, other);
        }
        assert!(!example.site().starts_with(site_directory()));
    }
}
