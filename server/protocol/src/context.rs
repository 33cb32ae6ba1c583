//! What an operation may draw on: nothing here reads a clock or a generator by itself.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

/// The time and the randomness of one operation, both handed in.
pub struct Context<'a> {
    /// The time.
    pub now: Timestamp,
    /// Fills the bytes from a cryptographically secure source.
    pub random: &'a mut dyn FnMut(&mut [u8]),
}

impl<'a> Context<'a> {
    /// This time and this source.
    pub fn new(now: Timestamp, random: &'a mut dyn FnMut(&mut [u8])) -> Self {
        Self { now, random }
    }

    /// So many times 256 bits, each as 43 characters that are allowed in a verifier, a state and a nonce alike. The source is asked once,
    /// which is most of what they cost.
    pub(crate) fn secret_texts<const N: usize>(&mut self) -> [String; N] {
        let mut bytes = [[0_u8; 32]; N];
        (self.random)(bytes.as_flattened_mut());
        bytes.map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
    }

    /// 128 bits as 22 characters: the `jti` of a token that this client makes, so that nobody accepts it twice.
    /// [RFC 7519 §4.1.7](https://www.rfc-editor.org/rfc/rfc7519#section-4.1.7)
    pub(crate) fn token_id(&mut self) -> String {
        let mut bytes = [0_u8; 16];
        (self.random)(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Context").field("now", &self.now).finish_non_exhaustive()
    }
}
