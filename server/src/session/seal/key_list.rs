//! The list of keys as it is written: one key a line, newest first, and from when on it seals.

use aws_lc_rs::aead::{AES_256_GCM_SIV, LessSafeKey, UnboundKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::{fmt, fmt::Write as _};
use zeroize::Zeroizing;

/// The length of a key.
pub const KEY_BYTES: usize = 32;

/// How a line says since when its key seals.
const SEALING_FROM: &str = "sealing-from=";

/// The name of a key: the beginning of a hash of it, at the front of everything that it has sealed. It gives nothing away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(pub [u8; Self::BYTES]);

impl KeyId {
    /// The length of a name.
    pub const BYTES: usize = 4;

    fn of(key: &[u8; KEY_BYTES]) -> Self {
        let hash = Sha256::digest([b"oauth2flow key id", key.as_slice()].concat());
        Self([hash[0], hash[1], hash[2], hash[3]])
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// A key of the list.
#[derive(Clone)]
pub struct ListedKey {
    /// Its name.
    pub id: KeyId,
    /// From when on it seals, if that is written down; it opens at once.
    pub sealing_from: Option<Timestamp>,
    secret: Zeroizing<[u8; KEY_BYTES]>,
}

impl ListedKey {
    /// A key of these random bytes.
    pub fn new(secret: Zeroizing<[u8; KEY_BYTES]>, sealing_from: Option<Timestamp>) -> Self {
        Self { id: KeyId::of(&secret), sealing_from, secret }
    }

    /// What seals and opens with it.
    ///
    /// # Panics
    /// Never: the secret has the length of such a key.
    pub(super) fn cipher(&self) -> LessSafeKey {
        #[expect(clippy::expect_used, reason = "only a secret of another length is refused")]
        let key = UnboundKey::new(&AES_256_GCM_SIV, &*self.secret).expect("the secret has 256 bits");
        LessSafeKey::new(key)
    }

    /// Its line, secret and all.
    pub fn line(&self) -> Zeroizing<String> {
        let mut line = Zeroizing::new(String::with_capacity(96));
        URL_SAFE_NO_PAD.encode_string(self.secret.as_slice(), &mut line);
        if let Some(from) = self.sealing_from {
            // Writing into a string cannot fail.
            let _ = write!(line, " {SEALING_FROM}{from}");
        }
        line
    }
}

impl fmt::Debug for ListedKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ListedKey({}, sealing from {:?})", self.id, self.sealing_from)
    }
}

/// The first line that is not one of a list of keys, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedLine(pub usize);

/// Reads a list of at least one key; empty lines count for nothing.
///
/// # Errors
/// [`MalformedLine`]
pub fn parse(text: &str) -> Result<Vec<ListedKey>, MalformedLine> {
    let mut keys = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        keys.push(parse_line(line).ok_or(MalformedLine(index + 1))?);
    }
    if keys.is_empty() { Err(MalformedLine(1)) } else { Ok(keys) }
}

fn parse_line(line: &str) -> Option<ListedKey> {
    let mut words = line.split_whitespace();
    let mut secret = Zeroizing::new([0; KEY_BYTES]);
    // One byte more than a key has, so that a longer one is noticed.
    let mut decoded = Zeroizing::new([0; KEY_BYTES + 1]);
    if URL_SAFE_NO_PAD.decode_slice(words.next()?, decoded.as_mut_slice()).ok()? != KEY_BYTES {
        return None;
    }
    secret.copy_from_slice(&decoded[..KEY_BYTES]);
    let sealing_from = match words.next() {
        Some(word) => Some(word.strip_prefix(SEALING_FROM)?.parse().ok()?),
        None => None,
    };
    words.next().is_none().then(|| ListedKey::new(secret, sealing_from))
}

/// The place in the list of the key that seals at this time: the newest whose time has come, or the oldest of all.
pub fn sealing(mut from: impl ExactSizeIterator<Item = Option<Timestamp>>, now: impl FnOnce() -> Timestamp) -> usize {
    let last = from.len().saturating_sub(1);
    let mut now = Some(now);
    let mut time = None;
    from.position(|from| {
        from.is_none_or(|from| {
            if let Some(now) = now.take() {
                time = Some(now());
            }
            time.is_some_and(|time| from <= time)
        })
    })
    .unwrap_or(last)
}

/// The whole list as text.
pub fn write(keys: &[ListedKey]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(keys.len() * 96));
    for key in keys {
        text.push_str(&key.line());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{MalformedLine, parse, sealing, write};
    use jiff::Timestamp;

    const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    #[test]
    fn a_list_is_written_as_it_is_read() {
        let text = format!("{} sealing-from=2026-11-22T18:00:00Z\n{KEY}\n", KEY.replace('A', "B").replace("BB", "AQ").replace('B', "A"));
        let keys = parse(&text).unwrap();
        assert_eq!(keys[0].sealing_from, Some("2026-11-22T18:00:00Z".parse().unwrap()));
        assert_eq!(keys[1].sealing_from, None);
        assert_eq!(write(&keys).as_str(), text);
        assert!(!format!("{keys:?}").contains("AAAA"));
    }

    #[test]
    fn a_line_that_is_no_key_is_named() {
        for (text, line) in [
            (String::new(), 1),
            ("\n \n".to_owned(), 1),
            (format!("{KEY}\nshort\n"), 2),
            (format!("{KEY}A\n"), 1),
            (format!("{KEY}AAAA\n"), 1),
            (format!("\n{KEY} later\n"), 2),
            (format!("{KEY} sealing-from=tomorrow\n"), 1),
            (format!("{KEY} sealing-from=2026-11-22T18:00:00Z {KEY}\n"), 1),
        ] {
            assert_eq!(parse(&text).unwrap_err(), MalformedLine(line), "{text}");
        }
    }

    #[test]
    fn the_newest_key_whose_time_has_come_seals() {
        let time = |second| Timestamp::from_second(second).unwrap();
        for (from, now, sealing_one) in [
            ([None, None].as_slice(), 5, 0),
            (&[Some(10), None], 5, 1),
            (&[Some(10), None], 10, 0),
            (&[Some(20), Some(10), None], 15, 1),
            (&[Some(20), Some(10)], 5, 1),
            (&[Some(10)], 5, 0),
        ] {
            let from: Vec<_> = from.iter().map(|from: &Option<i64>| from.map(time)).collect();
            assert_eq!(sealing(from.iter().copied(), || time(now)), sealing_one, "{from:?} at {now}");
        }
    }
}
