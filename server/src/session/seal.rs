//! Sealing: what leaves the process, in a cookie or in the store, is encrypted and bound to its place.
//!
//! With AES-256-GCM-SIV ([RFC 8452](https://www.rfc-editor.org/rfc/rfc8452)) and a random nonce. One that is drawn twice, as after a
//! snapshot of a machine was started twice, gives nothing away but that the same was sealed twice in the same place.

pub mod key_file;
pub mod key_list;

use crate::{
    clock::Clock,
    entropy::{Entropy, random},
};
use aws_lc_rs::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};
use jiff::Timestamp;
pub use key_list::KeyId;
use key_list::{KEY_BYTES, ListedKey, MalformedLine};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};
use thiserror::Error;
use zeroize::Zeroizing;

const TAG_LENGTH: usize = 16;
const HEADER_LENGTH: usize = KeyId::BYTES + NONCE_LEN;

/// How often the file is looked at for the same missing key, and for whatever somebody from outside sends: anybody can send
/// something that looks sealed.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Why the keys cannot be used.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The file exists and cannot be read.
    #[error("the key file {} cannot be read; check its owner and mode", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file does not exist and cannot be made.
    #[error("the key file {} cannot be created; check that its directory exists and can be written", path.display())]
    NotCreated {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be replaced by one with another key.
    #[error(
        "the key file {} cannot be replaced and is as it was; its directory has to be one that can be written, and in it no file \
         {} of another rotation", path.display(), path.with_extension("rotating").display()
    )]
    NotReplaced {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The text is not a list of keys.
    #[error(
        "{origin} is not a session key: line {line} should be 32 bytes in base64url (43 characters). Restore it from a backup; \
         to begin anew, which signs everybody out, move it away together with the session store and start again."
    )]
    Malformed {
        /// The file or setting.
        origin: String,
        /// The first bad line, counted from 1.
        line: usize,
    },
}

/// Something was sealed with a key that this server does not have: another server's. It is not lost, and nobody is signed out for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "it was sealed with the key {0}, which this server does not have: every server of this app needs the same keys in session.key or \
     session.key_file (`oauth2flow keys list` shows those of a server; docs/keys.md)"
)]
pub struct KeysDiffer(pub KeyId);

/// Why something sealed cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OpenError {
    /// It was sealed with a key that is not in the ring.
    #[error(transparent)]
    UnknownKey(#[from] KeysDiffer),
    /// It is not what was sealed here: a byte, or the place, is another.
    #[error("it is damaged, or not from here")]
    Corrupt,
}

struct Key {
    id: KeyId,
    sealing_from: Option<Timestamp>,
    cipher: LessSafeKey,
}

impl From<&ListedKey> for Key {
    fn from(listed: &ListedKey) -> Self {
        Self { id: listed.id, sealing_from: listed.sealing_from, cipher: listed.cipher() }
    }
}

/// The keys that seal and open, newest first: the newest whose time has come seals, every one opens. Those of a file are read again
/// when it changes, so that a key can be added while the servers run.
pub struct KeyRing {
    keys: RwLock<Vec<Key>>,
    clock: Arc<dyn Clock>,
    file: Option<Watched>,
    made_file: bool,
    lacking: Mutex<Option<KeyId>>,
}

/// The file that the keys came from.
struct Watched {
    path: PathBuf,
    seen: Mutex<Seen>,
}

/// Where something sealed comes from.
#[derive(Clone, Copy)]
enum Origin {
    Store,
    Stranger,
}

/// What was last found there; of the text only its hash.
struct Seen {
    hash: [u8; 32],
    problem: Option<String>,
    looked_for_stranger: Option<Duration>,
    missed: Option<(KeyId, Duration)>,
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "KeyRing({:?})", self.ids())
    }
}

impl KeyRing {
    /// Reads keys from a secret's text: one key a line, 32 bytes in base64url, newest first.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] names the first bad line.
    pub fn parse(text: &SecretString, origin: &str, clock: Arc<dyn Clock>) -> Result<Self, KeyError> {
        let keys =
            key_list::parse(text.expose_secret()).map_err(|MalformedLine(line)| KeyError::Malformed { origin: origin.to_owned(), line })?;
        Ok(Self { keys: RwLock::new(keys.iter().map(Key::from).collect()), clock, file: None, made_file: false, lacking: Mutex::default() })
    }

    /// Reads the key file, or makes it, readable by its owner only, when there is none.
    ///
    /// # Errors
    /// When the file can be neither read nor made, or holds something else; it is never overwritten.
    pub fn open(path: &Path, clock: Arc<dyn Clock>, entropy: &dyn Entropy) -> Result<Self, KeyError> {
        let (text, made_file) = match key_file::read_text(path) {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                let key = ListedKey::new(Zeroizing::new(random::<KEY_BYTES>(entropy)), None);
                let made = match key_file::create(path, &key, entropy) {
                    // Another server that starts at this very moment has made it.
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
                    made => made.map(|()| true),
                };
                let made = made.map_err(|source| KeyError::NotCreated { path: path.to_owned(), source })?;
                (key_file::read_text(path), made)
            }
            read => (read, false),
        };
        let text = text.map_err(|source| KeyError::Unreadable { path: path.to_owned(), source })?;
        let keys = key_file::parse(&text, path)?.iter().map(Key::from).collect();
        let seen = Seen { hash: Sha256::digest(text.as_bytes()).into(), problem: None, looked_for_stranger: None, missed: None };
        let file = Watched { path: path.to_owned(), seen: Mutex::new(seen) };
        Ok(Self { keys: RwLock::new(keys), clock, file: Some(file), made_file, lacking: Mutex::default() })
    }

    /// The file that was made for this ring, which had none.
    pub fn made_file(&self) -> Option<&Path> {
        self.file.as_ref().filter(|_| self.made_file).map(|file| file.path.as_path())
    }

    /// The names of the keys, newest first.
    pub fn ids(&self) -> Vec<KeyId> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).iter().map(|key| key.id).collect()
    }

    /// The key of another server of the same store that this one lacks, if that is known.
    pub fn lacking(&self) -> Option<KeysDiffer> {
        self.lacking.lock().unwrap_or_else(PoisonError::into_inner).map(KeysDiffer)
    }

    /// Remembers which key this server lacks.
    pub fn set_lacking(&self, key: Option<KeyId>) {
        *self.lacking.lock().unwrap_or_else(PoisonError::into_inner) = key;
    }

    /// Reads the file again, and takes the keys that are in it now. One that cannot be used leaves those from before, and is logged
    /// once.
    pub fn reload(&self) {
        let Some(Watched { path, seen }) = &self.file else { return };
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        self.look(path, &mut seen);
    }

    /// The same for a key that is missing, unless that was done a moment ago. Answers whether it was done.
    fn look_for(&self, missing: KeyId, from: Origin) -> bool {
        let Some(Watched { path, seen }) = &self.file else { return false };
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.elapsed();
        let before = match from {
            Origin::Store => seen.missed.filter(|(missed, _)| *missed == missing).map(|(_, at)| at),
            Origin::Stranger => seen.looked_for_stranger,
        };
        if before.is_some_and(|before| now.saturating_sub(before) < LOOK_INTERVAL) {
            return false;
        }
        self.look(path, &mut seen);
        match from {
            Origin::Store if self.ids().contains(&missing) => {}
            Origin::Store => seen.missed = Some((missing, now)),
            Origin::Stranger => seen.looked_for_stranger = Some(now),
        }
        true
    }

    fn look(&self, path: &Path, seen: &mut Seen) {
        let read = key_file::read_text(path).map_err(|source| KeyError::Unreadable { path: path.to_owned(), source });
        let read = read.and_then(|text| {
            let hash = Sha256::digest(text.as_bytes()).into();
            let is_new = hash != seen.hash;
            let keys = if is_new { Some(key_file::parse(&text, path)?) } else { None };
            Ok((hash, keys))
        });
        match read {
            Ok((hash, keys)) => {
                seen.hash = hash;
                seen.problem = None;
                if let Some(keys) = keys {
                    *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys.iter().map(Key::from).collect();
                    tracing::info!(keys = ?keys.iter().map(|key| key.id.to_string()).collect::<Vec<_>>(), "the session keys have changed");
                }
            }
            Err(error) => {
                let problem = error.to_string();
                if seen.problem.as_ref() != Some(&problem) {
                    let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                    tracing::error!(error = problem, cause, "the key file cannot be used; the keys from before are kept");
                }
                seen.problem = Some(problem);
            }
        }
    }

    /// The name of the key that seals now.
    pub fn sealing(&self) -> KeyId {
        self.with_sealing(|key| key.id)
    }

    fn with_sealing<T>(&self, operation: impl FnOnce(&Key) -> T) -> T {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let sealing = key_list::sealing(keys.iter().map(|key| key.sealing_from), || self.clock.now());
        let Some(key) = keys.get(sealing) else { unreachable!("a key ring is never made empty") };
        operation(key)
    }

    /// Encrypts `plaintext` and binds it to `place`: it opens nowhere else.
    ///
    /// # Panics
    /// For a plaintext of more than 64 GiB.
    pub fn seal(&self, place: &[u8], plaintext: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
        let nonce = random::<NONCE_LEN>(entropy);
        self.with_sealing(|key| {
            let mut sealed = Vec::with_capacity(HEADER_LENGTH + plaintext.len() + TAG_LENGTH);
            sealed.extend_from_slice(&key.id.0);
            sealed.extend_from_slice(&nonce);
            sealed.extend_from_slice(plaintext);
            let (nonce, place) = (Nonce::assume_unique_for_key(nonce), Aad::from(place));
            #[expect(clippy::expect_used, reason = "encryption fails only past 64 GiB")]
            let tag = key.cipher.seal_in_place_separate_tag(nonce, place, &mut sealed[HEADER_LENGTH..]).expect("the plaintext is short");
            sealed.extend_from_slice(tag.as_ref());
            sealed
        })
    }

    /// The name of the key that sealed something; nothing for what is too short to have been.
    pub fn sealed_with(sealed: &[u8]) -> Option<KeyId> {
        (sealed.len() >= HEADER_LENGTH).then(|| sealed.first_chunk().copied().map(KeyId))?
    }

    /// Decrypts what [`KeyRing::seal`] made for the same place, and somebody from outside has brought back. When the key is not known,
    /// the file is looked at once more: another server may have read the new key before this one. Strangers cannot make it look more
    /// than once a second.
    ///
    /// # Errors
    /// [`OpenError`]; nothing tells a wrong place or byte apart.
    pub fn open_sealed(&self, place: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        self.open_from(Origin::Stranger, place, sealed)
    }

    /// The same for what was in the store, where only servers put things: for a key that is missing the file is looked at at once.
    ///
    /// # Errors
    /// As for [`KeyRing::open_sealed`].
    pub fn open_stored(&self, place: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        self.open_from(Origin::Store, place, sealed)
    }

    fn open_from(&self, origin: Origin, place: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        match self.open_with_known(place, sealed) {
            Err(OpenError::UnknownKey(KeysDiffer(missing))) if self.look_for(missing, origin) => self.open_with_known(place, sealed),
            opened => opened,
        }
    }

    fn open_with_known(&self, place: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let (header, ciphertext) = sealed.split_first_chunk::<HEADER_LENGTH>().ok_or(OpenError::Corrupt)?;
        let (id, nonce) = header.split_first_chunk().ok_or(OpenError::Corrupt)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| OpenError::Corrupt)?;
        let (ciphertext, tag) = ciphertext.split_last_chunk::<TAG_LENGTH>().ok_or(OpenError::Corrupt)?;
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let id = KeyId(*id);
        let key = keys.iter().find(|key| key.id == id).ok_or(KeysDiffer(id))?;
        let mut plaintext = Zeroizing::new(vec![0; ciphertext.len()]);
        let opened = key.cipher.open_separate_gather(nonce, Aad::from(place), ciphertext, tag, &mut plaintext);
        opened.map(|()| plaintext).map_err(|_| OpenError::Corrupt)
    }
}

#[cfg(test)]
mod tests {
    use super::{KeyError, KeyRing, KeysDiffer, OpenError};
    use crate::{
        clock::{Clock, SystemClock},
        entropy::SystemEntropy,
    };
    use jiff::Timestamp;
    use secrecy::SecretString;
    use std::{
        fs,
        path::Path,
        sync::{
            Arc,
            atomic::{AtomicU64, Ordering},
        },
        time::Duration,
    };

    const OLD: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    const NEW: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";

    fn ring_of(text: &str, clock: Arc<dyn Clock>) -> KeyRing {
        KeyRing::parse(&SecretString::from(text), "the test key", clock).unwrap()
    }

    fn ring() -> KeyRing {
        ring_of(OLD, Arc::new(SystemClock::start()))
    }

    fn open(path: &Path) -> Result<KeyRing, KeyError> {
        KeyRing::open(path, Arc::new(SystemClock::start()), &SystemEntropy)
    }

    /// Seconds since 1970, and since the start.
    #[derive(Default)]
    struct Seconds(AtomicU64);

    impl Clock for Seconds {
        fn now(&self) -> Timestamp {
            Timestamp::from_second(i64::try_from(self.elapsed().as_secs()).unwrap()).unwrap()
        }

        fn elapsed(&self) -> Duration {
            Duration::from_secs(self.0.load(Ordering::Relaxed))
        }
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_only() {
        let sealed = ring().seal(b"here", b"secret", &SystemEntropy);
        assert_eq!(ring().open_sealed(b"here", &sealed).unwrap().as_slice(), b"secret");
        assert_eq!(ring().open_sealed(b"there", &sealed), Err(OpenError::Corrupt));
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let sealed = ring().seal(b"here", b"secret", &SystemEntropy);
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(ring().open_sealed(b"here", &changed).is_err(), "byte {index}");
            assert_eq!(ring().open_sealed(b"here", &sealed[..index]), Err(OpenError::Corrupt), "cut at {index}");
        }
    }

    #[test]
    fn a_new_first_key_seals_and_the_old_one_still_opens() {
        let old = ring().seal(b"here", b"secret", &SystemEntropy);
        let rotated = ring_of(&format!("{NEW}\n{OLD}\n"), Arc::new(SystemClock::start()));
        assert_eq!(rotated.open_sealed(b"here", &old).unwrap().as_slice(), b"secret");
        let new = rotated.seal(b"here", b"secret", &SystemEntropy);
        assert_eq!(ring().open_sealed(b"here", &new), Err(OpenError::UnknownKey(KeysDiffer(rotated.sealing()))));
        assert_eq!(KeyRing::sealed_with(&new), Some(rotated.sealing()));
    }

    #[test]
    fn a_key_opens_before_its_time_to_seal_has_come() {
        let clock = Arc::new(Seconds::default());
        let early = ring_of(&format!("{NEW} sealing-from=1970-01-01T00:05:00Z\n{OLD}\n"), clock.clone());
        let late = ring_of(NEW, clock.clone());
        let sealed_with_new = late.seal(b"here", b"secret", &SystemEntropy);
        assert!(early.open_sealed(b"here", &sealed_with_new).is_ok());
        assert_eq!(early.sealing(), ring().sealing());
        clock.0.store(300, Ordering::Relaxed);
        assert_eq!(early.sealing(), late.sealing());
    }

    #[test]
    fn a_file_that_changes_is_read_again_when_a_key_is_missing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("session.key");
        fs::write(&path, OLD).unwrap();
        let clock = Arc::new(Seconds::default());
        let keys = KeyRing::open(&path, clock.clone(), &SystemEntropy).unwrap();
        let sealed = ring_of(NEW, clock.clone()).seal(b"here", b"secret", &SystemEntropy);
        assert!(matches!(keys.open_stored(b"here", &sealed), Err(OpenError::UnknownKey(_))));
        fs::write(&path, format!("{NEW}\n{OLD}")).unwrap();
        // It was looked for just now.
        assert!(matches!(keys.open_stored(b"here", &sealed), Err(OpenError::UnknownKey(_))));
        clock.0.store(1, Ordering::Relaxed);
        assert!(keys.open_stored(b"here", &sealed).is_ok());
    }

    #[test]
    fn a_stranger_cannot_make_the_file_be_read_all_the_time_nor_keep_a_server_from_reading_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("session.key");
        fs::write(&path, OLD).unwrap();
        let clock = Arc::new(Seconds::default());
        let keys = KeyRing::open(&path, clock.clone(), &SystemEntropy).unwrap();
        let sealed = ring_of(NEW, clock.clone()).seal(b"here", b"secret", &SystemEntropy);
        assert!(keys.open_sealed(b"here", &[0; 64]).is_err());
        fs::write(&path, format!("{NEW}\n{OLD}")).unwrap();
        assert!(matches!(keys.open_sealed(b"here", &sealed), Err(OpenError::UnknownKey(_))));
        assert!(keys.open_stored(b"here", &sealed).is_ok());
        assert!(keys.open_sealed(b"here", &sealed).is_ok());
    }

    #[test]
    fn a_file_that_cannot_be_used_any_more_leaves_the_keys() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("session.key");
        fs::write(&path, OLD).unwrap();
        let keys = open(&path).unwrap();
        let ids = keys.ids();
        for broken in ["", "sentinel", "AAAA"] {
            fs::write(&path, broken).unwrap();
            keys.reload();
            assert_eq!(keys.ids(), ids);
        }
        fs::remove_file(&path).unwrap();
        keys.reload();
        assert_eq!(keys.ids(), ids);
        fs::write(&path, NEW).unwrap();
        keys.reload();
        assert_ne!(keys.ids(), ids);
    }

    #[test]
    fn the_key_file_is_made_once_and_only_its_owner_can_read_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/session.key");
        let made = open(&path).unwrap();
        assert_eq!(made.made_file(), Some(path.as_path()));
        let sealed = made.seal(b"here", b"secret", &SystemEntropy);
        let found = open(&path).unwrap();
        assert_eq!(found.made_file(), None);
        assert!(found.open_sealed(b"here", &sealed).is_ok());
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions()) & 0o777, 0o600);
    }

    #[test]
    fn a_bad_key_file_is_refused_and_left_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("session.key");
        for bad in ["", "short\n", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nnot a key\n"] {
            fs::write(&path, bad).unwrap();
            let error = open(&path).unwrap_err();
            assert!(matches!(error, KeyError::Malformed { .. }), "{error}");
            assert!(!error.to_string().contains("not a key"), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), bad);
        }
    }
}
