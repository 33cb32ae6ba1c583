//! Public keys of others: how they verify, and what they are called.

use aws_lc_rs::{
    digest,
    signature::{RsaPublicKeyComponents, UnparsedPublicKey},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::{SigningAlgorithm, signing_algorithm::Family};

/// Members that only private or shared keys have.
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

fn text<'jwk>(jwk: &'jwk Value, member: &str) -> Option<&'jwk str> {
    jwk.get(member)?.as_str()
}

fn bytes(jwk: &Value, member: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text(jwk, member)?).ok()
}

/// Whether a key holds more than its public half.
pub(crate) fn is_private(jwk: &Value) -> bool {
    PRIVATE_MEMBERS.iter().any(|member| jwk.get(member).is_some())
}

/// Whether `signature` is the key's, over `message`, made with `algorithm`.
pub(crate) fn verify(jwk: &Value, algorithm: SigningAlgorithm, message: &[u8], signature: &[u8]) -> bool {
    verified(jwk, algorithm, message, signature).is_some()
}

fn verified(jwk: &Value, algorithm: SigningAlgorithm, message: &[u8], signature: &[u8]) -> Option<()> {
    if text(jwk, "alg").is_some_and(|declared| declared != algorithm.name()) {
        return None;
    }
    match algorithm.family() {
        Family::Rsa(parameters) => {
            (text(jwk, "kty")? == "RSA").then_some(())?;
            RsaPublicKeyComponents { n: bytes(jwk, "n")?, e: bytes(jwk, "e")? }.verify(parameters, message, signature).ok()
        }
        Family::Elliptic(curve, length, parameters) => {
            (text(jwk, "kty")? == "EC" && text(jwk, "crv")? == curve).then_some(())?;
            let (x, y) = (bytes(jwk, "x")?, bytes(jwk, "y")?);
            (x.len() == length && y.len() == length).then_some(())?;
            UnparsedPublicKey::new(parameters, [&[4], x.as_slice(), y.as_slice()].concat()).verify(message, signature).ok()
        }
        Family::Edwards(parameters) => {
            (text(jwk, "kty")? == "OKP" && text(jwk, "crv")? == "Ed25519").then_some(())?;
            UnparsedPublicKey::new(parameters, bytes(jwk, "x")?).verify(message, signature).ok()
        }
    }
}

/// The key's thumbprint: the members that make it up, in this order, without white space
/// ([RFC 7638 §3](https://www.rfc-editor.org/rfc/rfc7638#section-3)).
pub(crate) fn thumbprint(jwk: &Value) -> Option<String> {
    let members: &[&str] = match text(jwk, "kty")? {
        "RSA" => &["e", "kty", "n"],
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        _ => return None,
    };
    let pairs: Option<Vec<_>> = members.iter().map(|member| Some(format!("\"{member}\":{}", Value::from(text(jwk, member)?)))).collect();
    let canonical = format!("{{{}}}", pairs?.join(","));
    Some(URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, canonical.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_thumbprint_is_that_of_the_specification() {
        let jwk = json!({
            "kty": "RSA",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
            "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
        });
        assert_eq!(thumbprint(&jwk).unwrap(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn a_key_of_another_kind_or_another_algorithm_verifies_nothing() {
        for jwk in [
            json!({}),
            json!({ "kty": "oct", "k": "AAAA" }),
            json!({ "kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA" }),
            json!({ "kty": "RSA", "n": "", "e": "" }),
            json!({ "kty": "OKP", "crv": "X25519", "x": "AAAA" }),
        ] {
            for algorithm in SigningAlgorithm::ALL {
                assert!(!verify(&jwk, algorithm, b"", b""), "{jwk}");
            }
        }
    }

    #[test]
    fn private_members_give_a_key_away() {
        assert!(is_private(&json!({ "kty": "EC", "d": "AAAA" })));
        assert!(is_private(&json!({ "kty": "oct", "k": "AAAA" })));
        assert!(!is_private(&json!({ "kty": "EC", "x": "AAAA" })));
    }
}
