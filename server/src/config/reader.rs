//! Reading declared settings out of the layers, collecting problems on the way.

use super::layers::{Entry, Findings, Values};
use super::problem::Source;
use super::schema::{file_key, variable};
use super::setting::{Declared, Fallback, Setting};
use super::value::{Raw, Unreadable, Value};
use secrecy::SecretString;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// No secret is longer.
const LONGEST_SECRET_BYTES: u64 = 64 * 1024;

/// Reads the settings of one table.
pub(super) struct Reader<'a> {
    values: &'a Values,
    findings: &'a mut Findings,
    working_directory: &'a Path,
    /// The table's key.
    table: String,
    /// Where the table was first mentioned.
    table_source: Option<Source>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        values: &'a Values,
        findings: &'a mut Findings,
        working_directory: &'a Path,
        table: String,
        table_source: Option<Source>,
    ) -> Self {
        Self { values, findings, working_directory, table, table_source }
    }

    fn key(&self, setting: &dyn Declared) -> String {
        format!("{}.{}", self.table, setting.key())
    }

    fn entry(&self, setting: &dyn Declared) -> Option<&'a Entry> {
        self.values.get(&self.key(setting))
    }

    fn file_entry(&self, setting: &dyn Declared) -> Option<&'a Entry> {
        setting.secrecy().has_file().then(|| self.values.get(&file_key(&self.key(setting))))?
    }

    /// Whether some source sets it, rightly or wrongly; for a secret, also by its file.
    pub(super) fn is_set(&self, setting: &dyn Declared) -> bool {
        self.entry(setting).or_else(|| self.file_entry(setting)).is_some()
    }

    /// The value that is set, or its default in the declaration. A value that cannot be read is a problem.
    pub(super) fn optional<T: Value>(&mut self, setting: &Setting<T>) -> Option<T> {
        let read = match (self.entry(setting), setting.fallback()) {
            (Some(entry), _) => T::read(&entry.raw),
            (None, Fallback::Text(text)) => T::read(&Raw::Text(text.to_owned())),
            (None, _) => return None,
        };
        match read {
            Ok(value) => Some(value),
            Err(Unreadable { problem, fix }) => {
                self.problem(setting, problem, fix);
                None
            }
        }
    }

    /// The same; that it is missing is a problem too.
    pub(super) fn required<T: Value>(&mut self, setting: &Setting<T>) -> Option<T> {
        if !self.is_set(setting) && !matches!(setting.fallback(), Fallback::Text(_)) {
            self.missing(setting, "It is required.");
            return None;
        }
        self.optional(setting)
    }

    /// A path; a relative one starts at the working directory.
    pub(super) fn path(&mut self, setting: &Setting<PathBuf>) -> Option<PathBuf> {
        self.optional(setting).map(|path| self.working_directory.join(path))
    }

    /// A value that is written as it is or in a file.
    pub(super) fn value_or_file<T: Value>(&mut self, setting: &Setting<T>) -> Option<T> {
        match (self.entry(setting), self.file_entry(setting)) {
            (None, None) => None,
            (Some(_), None) => self.optional(setting),
            (None, Some(file)) => self.value_of_file(setting, file),
            (Some(_), Some(file)) => {
                let problem = format!("It is set, and so is {} ({}).", file_key(setting.key()), file.source);
                self.problem(setting, problem, "Keep one of the two.");
                None
            }
        }
    }

    /// A secret, written as it is or in a file.
    pub(super) fn secret(&mut self, setting: &Setting<SecretString>) -> Option<SecretString> {
        self.value_or_file(setting)
    }

    fn value_of_file<T: Value>(&mut self, setting: &Setting<T>, file: &Entry) -> Option<T> {
        let key = file_key(&self.key(setting));
        let read = PathBuf::read(&file.raw).and_then(|path| {
            let path = self.working_directory.join(path);
            let value = T::read(&Raw::Text(read_small(&path)?))?;
            Ok((path, value))
        });
        match read {
            Ok((path, value)) => {
                if !setting.secrecy().is_public() {
                    self.warn_when_others_can_read(&key, &path);
                }
                Some(value)
            }
            Err(Unreadable { problem, fix }) => {
                self.findings.problem(key, problem, fix, Some(file.source.clone()));
                None
            }
        }
    }

    /// Warns when a file with a secret is open to other accounts of this machine.
    pub(super) fn warn_when_others_can_read(&mut self, key: &str, path: &Path) {
        if others_can_read(path) {
            let path = path.display();
            self.findings.warnings.push(format!("{key}: other accounts of this machine can read {path}; close it with: chmod 600 {path}"));
        }
    }

    /// Adds a problem with a setting.
    pub(super) fn problem(&mut self, setting: &dyn Declared, problem: impl Into<String>, fix: impl Into<String>) {
        let source = self.entry(setting).or_else(|| self.file_entry(setting)).map(|entry| entry.source.clone());
        self.findings.problem(self.key(setting), problem, fix, source);
    }

    /// Adds the problem that a setting is missing.
    pub(super) fn missing(&mut self, setting: &dyn Declared, problem: impl Into<String>) {
        let key = self.key(setting);
        let value = match setting.fallback() {
            Fallback::Text(text) => text,
            _ => setting.example(),
        };
        let fix = format!("Set {} = {} in [{}], or the variable {}.", setting.key(), setting.toml(value), self.table, variable(&key));
        self.findings.problem(key, problem, fix, self.table_source.clone());
    }

    /// Adds something that works, and that whoever runs the server should know.
    pub(super) fn warn(&mut self, setting: &dyn Declared, warning: &str) {
        let key = self.key(setting);
        self.findings.warnings.push(format!("{key}: {warning}"));
    }
}

/// The content of a file with one value in it, without a line break at its end.
fn read_small(path: &Path) -> Result<String, Unreadable> {
    let shown = path.display();
    let mut text = String::new();
    std::fs::File::open(path).and_then(|file| file.take(LONGEST_SECRET_BYTES + 1).read_to_string(&mut text)).map_err(|error| {
        Unreadable::new(format!("{shown} cannot be read: {error}."), "Check the path and who may read the file, and that it holds text.")
    })?;
    if text.len() as u64 > LONGEST_SECRET_BYTES {
        return Err(Unreadable::new(
            format!("{shown} is longer than any secret."),
            "Name the file that holds the secret and nothing else.",
        ));
    }
    let value = text.trim_end_matches(['\n', '\r']);
    if value.trim().is_empty() {
        return Err(Unreadable::new(format!("{shown} is empty."), "Write the secret into it."));
    }
    Ok(value.to_owned())
}

#[cfg(unix)]
fn others_can_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o044 != 0)
}

#[cfg(not(unix))]
fn others_can_read(_path: &Path) -> bool {
    false
}
