//! Proof key for code exchange. [RFC 7636](https://www.rfc-editor.org/rfc/rfc7636)

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::secret::PkceVerifier;

/// The challenge of the method S256, the only one there is here: 43 characters.
/// [RFC 7636 §4.2](https://www.rfc-editor.org/rfc/rfc7636#section-4.2)
pub(crate) fn challenge(verifier: &PkceVerifier) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose()))
}
