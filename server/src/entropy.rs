//! The one place that draws random bytes.

use std::cell::RefCell;
use zeroize::Zeroize as _;

/// Draws random bytes; handed in, so that tests can repeat themselves.
pub trait Entropy: Send + Sync + 'static {
    /// Fills `bytes` from a cryptographically secure source.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's generator, asked for many bytes at a time: a login draws a few dozen, again and again.
#[derive(Debug)]
pub struct SystemEntropy;

/// How much each thread has in store.
const STORED_BYTES: usize = 512;

/// What the system has given and nobody has got: each byte is handed out once, and wiped where it was.
struct Stored {
    bytes: [u8; STORED_BYTES],
    left: usize,
}

thread_local! {
    static STORED: RefCell<Stored> = const { RefCell::new(Stored { bytes: [0; STORED_BYTES], left: 0 }) };
}

impl Stored {
    /// Hands out bytes, of which there may be no more than are stored.
    fn hand_out(&mut self, bytes: &mut [u8]) {
        if self.left < bytes.len() {
            ask_system(&mut self.bytes);
            self.left = STORED_BYTES;
        }
        let handed_out = self.left - bytes.len()..self.left;
        self.left = handed_out.start;
        let handed_out = &mut self.bytes[handed_out];
        bytes.copy_from_slice(handed_out);
        handed_out.zeroize();
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        if bytes.len() > STORED_BYTES {
            return ask_system(bytes);
        }
        // A thread that is ending has nothing in store any more.
        let stored = STORED.try_with(|stored| stored.borrow_mut().hand_out(bytes));
        if stored.is_err() {
            ask_system(bytes);
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "the one place that draws randomness; without any, no secret can be made, and going on would be worse than stopping"
)]
fn ask_system(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system gives random bytes");
}

/// `N` random bytes.
pub fn random<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::{Entropy as _, STORED_BYTES, Stored, SystemEntropy, random};
    use std::collections::HashSet;

    #[test]
    fn nothing_is_handed_out_twice_or_kept() {
        let mut stored = Stored { bytes: [0; STORED_BYTES], left: 0 };
        let mut drawn = HashSet::new();
        for _ in 0..200 {
            let mut bytes = [0; 24];
            stored.hand_out(&mut bytes);
            assert!(drawn.insert(bytes));
            assert!(stored.bytes[stored.left..].iter().all(|byte| *byte == 0));
            assert!(!stored.bytes.windows(24).any(|window| window == bytes));
        }
    }

    #[test]
    fn as_much_can_be_drawn_as_is_wanted() {
        for length in [0, 1, STORED_BYTES, STORED_BYTES + 1, 5000] {
            let mut bytes = vec![0; length];
            SystemEntropy.fill(&mut bytes);
            assert!(length < 500 || bytes.iter().collect::<HashSet<_>>().len() > 150);
        }
        assert_ne!(random::<32>(&SystemEntropy), random::<32>(&SystemEntropy));
    }
}
