//! Logins for the tests, as the server tells them.

use crate::flow::RecordedLogin;

/// The fingerprint of the state of [`signed_in`].
pub(crate) const STATE: &str = "5ca1ab1e";

/// The fingerprint of its nonce.
pub(crate) const NONCE: &str = "0ddba11e";

/// A login that worked, with a call to an API.
pub(crate) fn signed_in() -> RecordedLogin {
    serde_json::from_str(include_str!("../../../tests/flow/signed_in.json")).unwrap()
}

/// One that the user refused at the provider.
pub(crate) fn denied() -> RecordedLogin {
    serde_json::from_str(include_str!("../../../tests/flow/denied.json")).unwrap()
}
