//! The only place of this crate that makes anything random, apart from the signing key.

use std::{fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// The source of randomness failed.
#[derive(Debug, thiserror::Error)]
#[error("the source of randomness failed")]
pub struct EntropyError;

type Fill = dyn Fn(&mut [u8]) -> Result<(), EntropyError> + Send + Sync;

/// A source of randomness: the system's, or a test's.
#[derive(Clone)]
pub struct Entropy(Arc<Fill>);

impl Entropy {
    /// A source that fills buffers with `fill`.
    pub fn new(fill: impl Fn(&mut [u8]) -> Result<(), EntropyError> + Send + Sync + 'static) -> Self {
        Self(Arc::new(fill))
    }

    /// The system's source.
    #[expect(clippy::disallowed_methods, reason = "this is the place that the rest of the crate takes randomness from")]
    pub fn system() -> Self {
        Self::new(|buffer| getrandom::fill(buffer).map_err(|_| EntropyError))
    }

    /// 256 random bits in 43 characters, for everything that must not be guessed.
    pub(crate) fn secret(&self) -> Result<String, EntropyError> {
        self.characters::<32>()
    }

    /// 128 random bits in 22 characters, for everything that must only be unique.
    pub(crate) fn identifier(&self) -> Result<String, EntropyError> {
        self.characters::<16>()
    }

    fn characters<const BYTES: usize>(&self) -> Result<String, EntropyError> {
        let mut bytes = [0; BYTES];
        (self.0)(&mut bytes)?;
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Entropy")
    }
}
