//! A setting, declared once.
//!
//! Everything else follows from the declarations: reading, the names of environment variables, the suggestions for
//! mistyped keys, the listing, the example file and `docs/configuration.md`.

use super::value::Value;
use std::marker::PhantomData;

/// What holds when a setting is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fallback {
    /// Leaving it out is a problem.
    Required,
    /// It has no value then.
    Nothing,
    /// This text, read as if it had been written.
    Text(&'static str),
    /// A value that depends on others, in words.
    Words(&'static str),
}

/// Whether and how a setting is kept from view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Secrecy {
    /// Its value may be shown.
    Public,
    /// Its value may be shown, and `<key>_file` names a file that holds it.
    PublicOrFile,
    /// Its value is never shown.
    Secret,
    /// Its value is never shown, and `<key>_file` names a file that holds it.
    SecretOrFile,
}

impl Secrecy {
    /// Whether `<key>_file` may stand instead.
    pub(super) fn has_file(self) -> bool {
        matches!(self, Self::PublicOrFile | Self::SecretOrFile)
    }

    /// Whether the value may be shown.
    pub(super) fn is_public(self) -> bool {
        matches!(self, Self::Public | Self::PublicOrFile)
    }
}

/// One setting with the type of its value.
pub(super) struct Setting<T> {
    key: &'static str,
    doc: &'static str,
    fallback: Fallback,
    example: &'static str,
    secrecy: Secrecy,
    value: PhantomData<fn() -> T>,
}

impl<T: Value> Setting<T> {
    /// A setting that may be left out; `key` is relative to its section.
    pub(super) const fn optional(key: &'static str, doc: &'static str) -> Self {
        Self { key, doc, fallback: Fallback::Nothing, example: "", secrecy: Secrecy::Public, value: PhantomData }
    }

    /// A setting that must be there.
    pub(super) const fn required(key: &'static str, doc: &'static str) -> Self {
        Self { fallback: Fallback::Required, ..Self::optional(key, doc) }
    }

    /// The value it has when it is left out.
    pub(super) const fn default(self, text: &'static str) -> Self {
        Self { fallback: Fallback::Text(text), ..self }
    }

    /// The same in words, for a value that depends on others.
    pub(super) const fn default_in_words(self, words: &'static str) -> Self {
        Self { fallback: Fallback::Words(words), ..self }
    }

    /// A value for the documentation, as the environment would carry it.
    pub(super) const fn example(self, text: &'static str) -> Self {
        Self { example: text, ..self }
    }

    /// Never show its value.
    pub(super) const fn secret(self) -> Self {
        Self { secrecy: Secrecy::Secret, ..self }
    }

    /// Let `<key>_file` name a file that holds it.
    pub(super) const fn or_file(self) -> Self {
        Self { secrecy: Secrecy::PublicOrFile, ..self }
    }

    /// Never show its value, and let `<key>_file` name a file that holds it.
    pub(super) const fn secret_or_file(self) -> Self {
        Self { secrecy: Secrecy::SecretOrFile, ..self }
    }
}

/// A setting without the type of its value: what a table of settings holds.
pub(super) trait Declared: Sync {
    /// The key, relative to the section.
    fn key(&self) -> &'static str;
    /// What it is for, in a sentence or two.
    fn doc(&self) -> &'static str;
    /// What holds when it is left out.
    fn fallback(&self) -> Fallback;
    /// A value for the documentation.
    fn example(&self) -> &'static str;
    /// Whether its value may be shown.
    fn secrecy(&self) -> Secrecy;
    /// What kind of value it takes, in words.
    fn kind(&self) -> String;
    /// How the text of its example or default is written in TOML.
    fn toml(&self, text: &str) -> String;
    /// Whether the text can be read.
    #[cfg(test)]
    fn check(&self, text: &str) -> Result<(), super::value::Unreadable>;
}

impl<T: Value> Declared for Setting<T> {
    fn key(&self) -> &'static str {
        self.key
    }

    fn doc(&self) -> &'static str {
        self.doc
    }

    fn fallback(&self) -> Fallback {
        self.fallback
    }

    fn example(&self) -> &'static str {
        self.example
    }

    fn secrecy(&self) -> Secrecy {
        self.secrecy
    }

    fn kind(&self) -> String {
        T::kind()
    }

    fn toml(&self, text: &str) -> String {
        T::toml(text)
    }

    #[cfg(test)]
    fn check(&self, text: &str) -> Result<(), super::value::Unreadable> {
        T::read(&super::value::Raw::Text(text.to_owned())).map(drop)
    }
}
