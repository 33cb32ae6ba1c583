//! The sealed transaction's plaintext: our own writing, which an older version or a stolen key may have made.

use oauth2flow_protocol::Transaction;

use super::return_to::return_to;
use super::stand_in::assert_is_plain;

/// What is read is written the same way again, leads nowhere but into the app, and prints no secret.
pub fn transaction(input: &[u8]) -> bool {
    let Ok(transaction) = Transaction::from_plaintext(input) else { return false };
    let written = transaction.to_plaintext();
    let again = Transaction::from_plaintext(&written).expect("its own writing");
    assert_eq!(again.to_plaintext(), written);
    assert_eq!(again.id(), transaction.id());
    assert_eq!(again.id().len(), 16);
    assert_is_plain(&again.id());
    assert!(transaction.expires_at() >= transaction.created_at());
    return_to(transaction.return_to().as_str().as_bytes());
    true
}
