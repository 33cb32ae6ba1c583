//! Whether all servers that share a store have the same keys.
//!
//! The first server seals a few words and leaves them in the store; every other has to be able to open them before it serves
//! anybody. Servers that cannot open each other's sessions would tell people at random that theirs cannot be read.

use super::{
    seal::{KeyId, KeyRing, KeysDiffer, OpenError},
    store::{Store, StoreError},
};
use crate::entropy::Entropy;
use thiserror::Error;

const PLACE: &[u8] = b"oauth2flow key check";
const WORDS: &[u8] = b"whoever reads this has the keys";

/// Why it is not known that the keys are the same.
#[derive(Debug, Error)]
pub enum KeyCheckError {
    /// They are not.
    #[error("the sessions in the store are sealed with the key {sealed_with}, and this server has only {}", listed(known))]
    Differ {
        /// The key of the others.
        sealed_with: KeyId,
        /// Those of this server.
        known: Vec<KeyId>,
    },
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn listed(keys: &[KeyId]) -> String {
    keys.iter().map(KeyId::to_string).collect::<Vec<_>>().join(", ")
}

/// Makes sure that this server can open what the others seal. After a rotation, the check is sealed with the new key, so that the
/// old one can be given up.
///
/// # Errors
/// [`KeyCheckError::Differ`] when it cannot.
pub async fn check(store: &dyn Store, keys: &KeyRing, entropy: &dyn Entropy) -> Result<(), KeyCheckError> {
    let fresh = keys.seal(PLACE, WORDS, entropy);
    let found = store.key_check(&fresh).await?;
    match keys.open_stored(PLACE, &found) {
        Ok(_) if KeyRing::sealed_with(&found) == Some(keys.sealing()) => {}
        // One that is damaged says nothing about keys, and is of no use to anybody.
        Ok(_) | Err(OpenError::Corrupt) => {
            store.replace_key_check(&found, &fresh).await?;
        }
        Err(OpenError::UnknownKey(KeysDiffer(sealed_with))) => return Err(KeyCheckError::Differ { sealed_with, known: keys.ids() }),
    }
    Ok(())
}
