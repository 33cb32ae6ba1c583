//! ID tokens that are not what they should be.

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{Defect, attacker};
use crate::{SigningAlgorithm, digest, failure::Failure, hostile, jwt, routes::token::Occasion, signing_key::SigningKey, state::Provider};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// A token that nobody has signed, but for its header, which says so in this spelling.
pub(super) fn alg_none(mut header: Value, claims: &Value, spelling: &str) -> String {
    header["alg"] = spelling.into();
    format!("{}.", jwt::message(&header, claims))
}

/// A token with a message authentication code.
pub(super) fn hs256(mut header: Value, claims: &Value, key: &str) -> String {
    header["alg"] = "HS256".into();
    let message = jwt::message(&header, claims);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()), message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
}

/// A token whose signature is wrong in one bit.
pub(super) fn spoiled_signature(key: &SigningKey, header: &Value, claims: &Value) -> Result<String, Failure> {
    let message = jwt::message(header, claims);
    let mut signature = key.sign(message.as_bytes())?;
    if let Some(byte) = signature.last_mut() {
        *byte ^= 1;
    }
    Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// Makes an ID token out of the right header and the right claims. A defect of the refresh leaves the first token alone.
pub(crate) fn forge(
    defect: Defect,
    provider: &Provider,
    key: &SigningKey,
    occasion: Occasion<'_>,
    header: Value,
    mut claims: Value,
) -> Result<String, Failure> {
    if occasion == Occasion::Refresh {
        return refreshed(defect, provider, key, &header, claims);
    }
    spoil_claims(defect, provider, &mut claims);
    sign(defect, provider, key, header, &claims)
}

fn refreshed(defect: Defect, provider: &Provider, key: &SigningKey, header: &Value, mut claims: Value) -> Result<String, Failure> {
    match defect {
        Defect::RefreshIssOther => claims["iss"] = hostile::honest_sibling(&provider.config.issuer).into(),
        Defect::RefreshSubOther => claims["sub"] = "somebody-else".into(),
        Defect::RefreshAudOther => claims["aud"] = "another-client".into(),
        Defect::RefreshSignatureBad => return spoiled_signature(key, header, &claims),
        _ => {}
    }
    jwt::sign_with_header(key, header, &claims)
}

fn spoil_claims(defect: Defect, provider: &Provider, claims: &mut Value) {
    let (now, client_id) = (provider.now(), provider.config.client_id.as_str());
    match defect {
        Defect::IdTokenIssOther => claims["iss"] = hostile::honest_sibling(&provider.config.issuer).into(),
        Defect::IdTokenAudOther => claims["aud"] = "another-client".into(),
        Defect::IdTokenAudExtra => claims["aud"] = json!([client_id, "another-client"]),
        Defect::IdTokenAudArray => claims["aud"] = json!([client_id]),
        Defect::IdTokenAzpOther => claims["azp"] = "another-client".into(),
        Defect::IdTokenSubEmpty => claims["sub"] = "".into(),
        Defect::UserinfoScript => super::userinfo::spoil(defect, claims),
        Defect::IdTokenIatFuture => claims["iat"] = (now + HOUR).into(),
        Defect::IdTokenNbfFuture => claims["nbf"] = (now + HOUR).into(),
        Defect::IdTokenExpired => claims["exp"] = (now - 120).into(),
        Defect::IdTokenNonceOther => claims["nonce"] = "another-nonce".into(),
        Defect::IdTokenAtHashOther => claims["at_hash"] = digest::at_hash(SigningAlgorithm::Es256, "another access token").into(),
        Defect::IdTokenAcrWeak => claims["acr"] = crate::acr::Acr::Password.name().into(),
        Defect::IdTokenAuthTimeOld => claims["auth_time"] = (now - DAY).into(),
        Defect::IdTokenOtherClock => {
            for name in ["iat", "exp", "auth_time"] {
                claims[name] = claims[name].as_i64().map(|time| time - DAY).into();
            }
        }
        Defect::IdTokenIsLogoutToken => {
            claims["events"] = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
            claims["jti"] = "logout-1".into();
        }
        _ => {}
    }
    let missing = match defect {
        Defect::IdTokenIssMissing => "iss",
        Defect::IdTokenAudMissing => "aud",
        Defect::IdTokenSubMissing => "sub",
        Defect::IdTokenIatMissing => "iat",
        Defect::IdTokenExpMissing => "exp",
        // A logout token has no nonce either.
        Defect::IdTokenNonceMissing | Defect::IdTokenIsLogoutToken => "nonce",
        Defect::IdTokenAcrMissing => "acr",
        Defect::IdTokenAuthTimeMissing => "auth_time",
        _ => return,
    };
    if let Some(claims) = claims.as_object_mut() {
        claims.remove(missing);
    }
}

fn sign(defect: Defect, provider: &Provider, key: &SigningKey, mut header: Value, claims: &Value) -> Result<String, Failure> {
    let attacker = provider.attacker.as_ref().map(|attacker| &attacker.key).ok_or(Failure::Signing)?;
    let of_attacker = |mut header: Value, member: &str, value: Value| {
        header["alg"] = attacker.algorithm().name().into();
        header["kid"] = attacker.kid().into();
        header[member] = value;
        jwt::sign_with_header(attacker, &header, claims)
    };
    let address = |path: &str| Value::from(format!("{}{}{path}", provider.config.issuer, attacker::PATH));
    match defect {
        Defect::IdTokenSignatureBadRs256 | Defect::IdTokenSignatureBadPs256 | Defect::IdTokenSignatureBadEs256 => {
            spoiled_signature(key, &header, claims)
        }
        Defect::IdTokenSignatureMissing => Ok(format!("{}.", jwt::message(&header, claims))),
        Defect::IdTokenAlgNone | Defect::IdTokenAlgNoneOffered => Ok(alg_none(header, claims, "none")),
        Defect::IdTokenAlgNoneCapitals => Ok(alg_none(header, claims, "NONE")),
        Defect::IdTokenAlgHs256PublicKey => Ok(hs256(header, claims, &key.public_pem().unwrap_or_default())),
        Defect::IdTokenAlgHs256Secret => Ok(hs256(header, claims, &provider.config.client_secret)),
        Defect::KeysSymmetric => Ok(hs256(header, claims, super::keys::SHARED_SECRET)),
        Defect::IdTokenHeaderJwk => of_attacker(header, "jwk", attacker.public_jwk()),
        Defect::IdTokenHeaderJku => of_attacker(header, "jku", address("/jwks")),
        Defect::IdTokenHeaderX5u => of_attacker(header, "x5u", address("/certificate")),
        Defect::KeysRedirected => of_attacker(header, "typ", "JWT".into()),
        Defect::IdTokenAlgOther => {
            let other = super::keys::other_key(provider)?;
            jwt::sign_with_header(&other, &jwt::header(&other, jwt::TokenType::IdToken), claims)
        }
        Defect::IdTokenHeaderCrit => {
            header["crit"] = json!(["urn:example:understand-me"]);
            header["urn:example:understand-me"] = true.into();
            jwt::sign_with_header(key, &header, claims)
        }
        Defect::IdTokenKidUnknown => {
            header["kid"] = format!("unknown-{}", provider.identifier()?).into();
            jwt::sign_with_header(attacker, &header, claims)
        }
        Defect::IdTokenKidMissing | Defect::IdTokenKidMissingManyKeys => {
            if let Some(header) = header.as_object_mut() {
                header.remove("kid");
            }
            jwt::sign_with_header(key, &header, claims)
        }
        Defect::IdTokenEncrypted => {
            let header = URL_SAFE_NO_PAD.encode(json!({ "alg": "RSA-OAEP", "enc": "A256GCM" }).to_string());
            Ok(format!("{header}.AAAA.AAAA.AAAA.AAAA"))
        }
        Defect::IdTokenIsLogoutToken => {
            header["typ"] = "logout+jwt".into();
            jwt::sign_with_header(key, &header, claims)
        }
        Defect::IdTokenIsAccessToken => {
            header["typ"] = "at+jwt".into();
            jwt::sign_with_header(key, &header, claims)
        }
        Defect::KeysRotated => {
            let fresh = SigningKey::generate(key.algorithm()).map_err(|_| Failure::Signing)?;
            let token = jwt::sign_with_header(&fresh, &jwt::header(&fresh, jwt::TokenType::IdToken), claims);
            provider.signing_keys.rotate(fresh);
            token
        }
        _ => jwt::sign_with_header(key, &header, claims),
    }
}
