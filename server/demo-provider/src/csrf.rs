//! The token that a form of ours carries, so that no other page can send it.

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// The token of a form for this browser: nobody can make it without the browser's secret, which is in an `HttpOnly` cookie.
/// It holds for one `purpose` and one `subject` only.
pub(crate) fn token(browser_secret: &str, purpose: &str, subject: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, browser_secret.as_bytes());
    URL_SAFE_NO_PAD.encode(hmac::sign(&key, format!("{purpose}\n{subject}").as_bytes()))
}

/// Whether a form's token is the one that [`token`] makes.
pub(crate) fn verify(sent: Option<&str>, browser_secret: &str, purpose: &str, subject: &str) -> bool {
    let expected = token(browser_secret, purpose, subject);
    sent.is_some_and(|sent| aws_lc_rs::constant_time::verify_slices_are_equal(sent.as_bytes(), expected.as_bytes()).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_holds_for_its_browser_purpose_and_subject_only() {
        let token = token("browser", "login", "transaction");
        assert!(verify(Some(&token), "browser", "login", "transaction"));
        assert!(!verify(Some(&token), "other", "login", "transaction"));
        assert!(!verify(Some(&token), "browser", "consent", "transaction"));
        assert!(!verify(Some(&token), "browser", "login", "other"));
        assert!(!verify(None, "browser", "login", "transaction"));
    }
}
