//! Compact JSON Web Tokens: our own, and those of clients.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{SigningAlgorithm, failure::Failure, json_web_key, signing_key::SigningKey};

/// What kind of token it is: the header's `typ`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenType {
    IdToken,
    LogoutToken,
    AuthorizationResponse,
    UserInfo,
}

impl TokenType {
    const fn name(self) -> &'static str {
        match self {
            Self::LogoutToken => "logout+jwt",
            Self::IdToken | Self::AuthorizationResponse | Self::UserInfo => "JWT",
        }
    }
}

/// The header of a token that `key` signs.
pub(crate) fn header(key: &SigningKey, token_type: TokenType) -> Value {
    json!({ "alg": key.algorithm().name(), "typ": token_type.name(), "kid": key.kid() })
}

/// Signs `claims`.
pub(crate) fn sign(key: &SigningKey, token_type: TokenType, claims: &Value) -> Result<String, Failure> {
    sign_with_header(key, &header(key, token_type), claims)
}

/// Signs `claims` under a header of the caller's.
pub(crate) fn sign_with_header(key: &SigningKey, header: &Value, claims: &Value) -> Result<String, Failure> {
    let message = message(header, claims);
    let signature = key.sign(message.as_bytes())?;
    Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// What is signed ([RFC 7515 §5.1](https://www.rfc-editor.org/rfc/rfc7515#section-5.1)).
pub(crate) fn message(header: &Value, claims: &Value) -> String {
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    format!("{}.{}", encode(header), encode(claims))
}

/// A token as it came, taken apart and not yet believed.
pub(crate) struct Unverified {
    pub(crate) header: Value,
    pub(crate) claims: Value,
    pub(crate) message: String,
    pub(crate) signature: Vec<u8>,
}

impl Unverified {
    /// Takes a token apart: three parts, two of them JSON objects.
    pub(crate) fn parse(token: &str) -> Option<Self> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        let object = |part: &str| serde_json::from_slice::<Value>(&decode(part)?).ok().filter(Value::is_object);
        Some(Self { header: object(header)?, claims: object(claims)?, message: message.to_owned(), signature: decode(signature)? })
    }

    /// The algorithm that the header names, if it is one with a public key. A header with `crit` names none that we know.
    pub(crate) fn algorithm(&self) -> Option<SigningAlgorithm> {
        self.header.get("crit").is_none().then(|| SigningAlgorithm::named(self.header["alg"].as_str()?)).flatten()
    }

    /// Whether this key signed it, with the algorithm that the header names.
    pub(crate) fn is_signed_by(&self, jwk: &Value) -> bool {
        self.algorithm().is_some_and(|algorithm| json_web_key::verify(jwk, algorithm, self.message.as_bytes(), &self.signature))
    }

    /// Whether one of these keys signed it; a `kid` leaves only keys of that name.
    pub(crate) fn is_signed_by_one_of(&self, keys: &[Value]) -> bool {
        let named = self.header.get("kid");
        keys.iter()
            .filter(|jwk| named.is_none_or(|kid| jwk.get("kid").is_none_or(|of_key| of_key == kid)))
            .any(|jwk| self.is_signed_by(jwk))
    }
}

/// Reads the claims of a token that this provider signed.
///
/// Checks, in this order: three parts; the type is `token_type`; one of `keys` has its name, its algorithm and its signature.
pub(crate) fn verify<'keys, Claims: DeserializeOwned>(
    keys: impl IntoIterator<Item = &'keys SigningKey>,
    token_type: TokenType,
    token: &str,
) -> Option<Claims> {
    let token = Unverified::parse(token)?;
    if token.header["typ"] != token_type.name() {
        return None;
    }
    let key = keys.into_iter().find(|key| token.header["kid"] == key.kid())?;
    token.is_signed_by(&key.public_jwk()).then_some(())?;
    serde_json::from_value(token.claims).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tokens_of_this_key_and_type_are_read() {
        let key = SigningKey::generate(SigningAlgorithm::Rs256).unwrap();
        let token = sign(&key, TokenType::IdToken, &json!({ "sub": "somebody" })).unwrap();
        let other_key = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
        let read = |key: &SigningKey, token_type, token: &str| verify::<Value>([key], token_type, token);

        assert_eq!(read(&key, TokenType::IdToken, &token).unwrap()["sub"], "somebody");
        assert_eq!(read(&key, TokenType::LogoutToken, &token), None);
        assert_eq!(read(&other_key, TokenType::IdToken, &token), None);

        let (message, signature) = token.rsplit_once('.').unwrap();
        let (header, _) = message.split_once('.').unwrap();
        let other_claims = URL_SAFE_NO_PAD.encode(r#"{"sub":"somebody else"}"#);
        assert_eq!(read(&key, TokenType::IdToken, &format!("{header}.{other_claims}.{signature}")), None);
        let none = URL_SAFE_NO_PAD.encode(json!({ "alg": "none", "typ": "JWT", "kid": key.kid() }).to_string());
        assert_eq!(read(&key, TokenType::IdToken, &format!("{none}.{other_claims}.")), None);
        for rubbish in ["", ".", "..", "a.b.c", "a.b.c.d"] {
            assert_eq!(read(&key, TokenType::IdToken, rubbish), None);
        }
    }

    #[test]
    fn a_header_that_must_be_understood_is_not() {
        let key = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
        let mut header = header(&key, TokenType::IdToken);
        header["crit"] = json!(["exp"]);
        let token = sign_with_header(&key, &header, &json!({})).unwrap();
        assert!(!Unverified::parse(&token).unwrap().is_signed_by(&key.public_jwk()));
    }
}
