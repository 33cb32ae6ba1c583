//! Sealing: what leaves the process, in a cookie or in the store, is encrypted and bound to its place.

use crate::entropy::{Entropy, random};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};
use thiserror::Error;
use zeroize::Zeroizing;

const KEY_LENGTH: usize = 32;
const KEY_ID_LENGTH: usize = 4;
const NONCE_LENGTH: usize = 24;
const HEADER_LENGTH: usize = KEY_ID_LENGTH + NONCE_LENGTH;

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
    /// The text is not a list of keys.
    #[error(
        "{origin} is not a session key: line {line} should be 32 bytes in base64url (43 characters). Restore it from a backup; \
         to begin anew, which signs everybody out, move it away and start again."
    )]
    Malformed {
        /// The file or setting.
        origin: String,
        /// The first bad line, counted from 1.
        line: usize,
    },
}

struct Key {
    id: [u8; KEY_ID_LENGTH],
    cipher: XChaCha20Poly1305,
}

/// The keys that seal and open, newest first: the first seals, every one opens.
pub struct KeyRing {
    keys: Vec<Key>,
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "KeyRing({} keys)", self.keys.len())
    }
}

impl KeyRing {
    /// Reads keys from a secret's text: one key a line, 32 bytes in base64url, newest first.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] names the first bad line.
    pub fn parse(text: &SecretString, origin: &str) -> Result<Self, KeyError> {
        let mut keys = Vec::new();
        for (index, line) in text.expose_secret().lines().enumerate() {
            let line = line.trim();
            if line.is_empty() {
                continue;
            }
            let malformed = || KeyError::Malformed { origin: origin.to_owned(), line: index + 1 };
            let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(line).map_err(|_| malformed())?);
            let bytes: &[u8; KEY_LENGTH] = bytes.as_slice().try_into().map_err(|_| malformed())?;
            keys.push(Key::new(bytes));
        }
        if keys.is_empty() {
            return Err(KeyError::Malformed { origin: origin.to_owned(), line: 1 });
        }
        Ok(Self { keys })
    }

    /// Reads the key file, or makes it, readable by its owner only, when there is none.
    ///
    /// # Errors
    /// When the file can be neither read nor made, or holds something else; it is never overwritten.
    pub fn open(path: &Path, entropy: &dyn Entropy) -> Result<Self, KeyError> {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&SecretString::from(text), &format!("the key file {}", path.display())),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                let key = Zeroizing::new(random::<KEY_LENGTH>(entropy));
                match (write_new(path, &key), fs::read_to_string(path)) {
                    (Ok(()), _) => Ok(Self { keys: vec![Key::new(&key)] }),
                    // Another server that starts at this very moment has made it.
                    (Err(error), Ok(text)) if error.kind() == io::ErrorKind::AlreadyExists => {
                        Self::parse(&SecretString::from(text), &format!("the key file {}", path.display()))
                    }
                    (Err(source), _) => Err(KeyError::NotCreated { path: path.to_owned(), source }),
                }
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(KeyError::Malformed { origin: format!("the key file {}", path.display()), line: 1 })
            }
            Err(source) => Err(KeyError::Unreadable { path: path.to_owned(), source }),
        }
    }

    /// Encrypts `plaintext` and binds it to `place`: it opens nowhere else.
    ///
    /// # Panics
    /// For a plaintext of 256 GiB.
    pub fn seal(&self, place: &[u8], plaintext: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
        let Some(key) = self.keys.first() else { unreachable!("a key ring is never made empty") };
        let nonce = random::<NONCE_LENGTH>(entropy);
        let payload = Payload { msg: plaintext, aad: place };
        #[expect(clippy::expect_used, reason = "encryption fails only past 256 GiB")]
        let ciphertext = key.cipher.encrypt(&XNonce::from(nonce), payload).expect("the plaintext is short");
        let mut sealed = Vec::with_capacity(HEADER_LENGTH + ciphertext.len());
        sealed.extend_from_slice(&key.id);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&ciphertext);
        sealed
    }

    /// Decrypts what [`KeyRing::seal`] made for the same place; nothing tells a wrong key, place or byte apart.
    pub fn open_sealed(&self, place: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (header, ciphertext) = sealed.split_at_checked(HEADER_LENGTH)?;
        let (id, nonce) = header.split_at_checked(KEY_ID_LENGTH)?;
        let nonce: [u8; NONCE_LENGTH] = nonce.try_into().ok()?;
        let key = self.keys.iter().find(|key| key.id == id)?;
        let payload = Payload { msg: ciphertext, aad: place };
        key.cipher.decrypt(&XNonce::from(nonce), payload).ok().map(Zeroizing::new)
    }
}

impl Key {
    fn new(bytes: &[u8; KEY_LENGTH]) -> Self {
        let mut id = [0; KEY_ID_LENGTH];
        id.copy_from_slice(&Sha256::digest([b"oauth2flow key id", bytes.as_slice()].concat())[..KEY_ID_LENGTH]);
        Self { id, cipher: XChaCha20Poly1305::new(bytes.into()) }
    }
}

/// Writes the key beside its place and links it in, so that a crash leaves either no key file or a whole one,
/// and of two processes that start at once one wins.
fn write_new(path: &Path, key: &[u8; KEY_LENGTH]) -> io::Result<()> {
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        fs::create_dir_all(directory)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let unfinished = path.with_extension(format!("unfinished-{}", std::process::id()));
    let text = Zeroizing::new(format!("{}\n", URL_SAFE_NO_PAD.encode(key)));
    let written = options.open(&unfinished).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    let linked = written.and_then(|()| fs::hard_link(&unfinished, path));
    let _ = fs::remove_file(&unfinished);
    linked
}

#[cfg(test)]
mod tests {
    use super::{KeyError, KeyRing};
    use crate::entropy::SystemEntropy;
    use secrecy::SecretString;
    use std::fs;

    fn ring() -> KeyRing {
        KeyRing::parse(&SecretString::from("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), "the test key").unwrap()
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_only() {
        let sealed = ring().seal(b"here", b"secret", &SystemEntropy);
        assert_eq!(ring().open_sealed(b"here", &sealed).unwrap().as_slice(), b"secret");
        assert!(ring().open_sealed(b"there", &sealed).is_none());
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let sealed = ring().seal(b"here", b"secret", &SystemEntropy);
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(ring().open_sealed(b"here", &changed).is_none(), "byte {index}");
            assert!(ring().open_sealed(b"here", &sealed[..index]).is_none(), "cut at {index}");
        }
    }

    #[test]
    fn a_new_first_key_seals_and_the_old_one_still_opens() {
        let old = ring().seal(b"here", b"secret", &SystemEntropy);
        let rotated = SecretString::from("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n");
        let rotated = KeyRing::parse(&rotated, "the test key").unwrap();
        assert_eq!(rotated.open_sealed(b"here", &old).unwrap().as_slice(), b"secret");
        assert!(ring().open_sealed(b"here", &rotated.seal(b"here", b"secret", &SystemEntropy)).is_none());
    }

    #[test]
    fn the_key_file_is_made_once_and_only_its_owner_can_read_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/session.key");
        let sealed = KeyRing::open(&path, &SystemEntropy).unwrap().seal(b"here", b"secret", &SystemEntropy);
        assert!(KeyRing::open(&path, &SystemEntropy).unwrap().open_sealed(b"here", &sealed).is_some());
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions()) & 0o777, 0o600);
    }

    #[test]
    fn a_bad_key_file_is_refused_and_left_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("session.key");
        for bad in ["", "short\n", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nnot a key\n"] {
            fs::write(&path, bad).unwrap();
            let error = KeyRing::open(&path, &SystemEntropy).unwrap_err();
            assert!(matches!(error, KeyError::Malformed { .. }), "{error}");
            assert!(!error.to_string().contains("not a key"), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), bad);
        }
    }
}
