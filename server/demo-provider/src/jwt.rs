//! Compact JSON Web Tokens, signed and read with RS256 and nothing else.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{failure::Failure, signing_key::SigningKey};

/// What kind of token it is: the header's `typ`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenType {
    IdToken,
    LogoutToken,
}

impl TokenType {
    const fn name(self) -> &'static str {
        match self {
            Self::IdToken => "JWT",
            Self::LogoutToken => "logout+jwt",
        }
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
}

/// Signs `claims`.
pub(crate) fn sign(key: &SigningKey, token_type: TokenType, claims: &Value) -> Result<String, Failure> {
    let header = json!({ "alg": "RS256", "typ": token_type.name(), "kid": key.kid() });
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let message = format!("{}.{}", encode(&header), encode(claims));
    let signature = key.sign(message.as_bytes())?;
    Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// Reads the claims of a token that this provider signed.
///
/// Checks, in this order: three parts; the algorithm is RS256; the type is `token_type`; the signature.
pub(crate) fn verify<Claims: DeserializeOwned>(key: &SigningKey, token_type: TokenType, token: &str) -> Option<Claims> {
    let (message, signature) = token.rsplit_once('.')?;
    let (header, claims) = message.split_once('.')?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
    let header: Header = serde_json::from_slice(&decode(header)?).ok()?;
    if header.alg != "RS256" || header.typ.as_deref() != Some(token_type.name()) {
        return None;
    }
    key.verify(message.as_bytes(), &decode(signature)?).then_some(())?;
    serde_json::from_slice(&decode(claims)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tokens_of_this_key_and_type_are_read() {
        let key = SigningKey::generate().unwrap();
        let token = sign(&key, TokenType::IdToken, &json!({ "sub": "somebody" })).unwrap();
        let other_key = SigningKey::generate().unwrap();
        let read = |key: &SigningKey, token_type, token: &str| verify::<Value>(key, token_type, token);

        assert_eq!(read(&key, TokenType::IdToken, &token).unwrap()["sub"], "somebody");
        assert_eq!(read(&key, TokenType::LogoutToken, &token), None);
        assert_eq!(read(&other_key, TokenType::IdToken, &token), None);

        let (message, signature) = token.rsplit_once('.').unwrap();
        let (header, _) = message.split_once('.').unwrap();
        let other_claims = URL_SAFE_NO_PAD.encode(r#"{"sub":"somebody else"}"#);
        assert_eq!(read(&key, TokenType::IdToken, &format!("{header}.{other_claims}.{signature}")), None);
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
        assert_eq!(read(&key, TokenType::IdToken, &format!("{none}.{other_claims}.")), None);
        for rubbish in ["", ".", "..", "a.b.c", "a.b.c.d"] {
            assert_eq!(read(&key, TokenType::IdToken, rubbish), None);
        }
    }
}
