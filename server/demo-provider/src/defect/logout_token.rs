//! Logout tokens that are not what they should be.

use serde_json::{Value, json};

use super::{
    Defect,
    id_token::{alg_none, spoiled_signature},
};
use crate::{
    failure::Failure,
    hostile,
    jwt::{self, TokenType},
    signing_key::SigningKey,
    state::Provider,
};

/// Makes a logout token out of the right claims.
pub(crate) fn forge(defect: Defect, provider: &Provider, key: &SigningKey, mut claims: Value) -> Result<String, Failure> {
    let header = jwt::header(key, TokenType::LogoutToken);
    let now = provider.now();
    match defect {
        Defect::LogoutAlgNone => return Ok(alg_none(header, &claims, "none")),
        Defect::LogoutSignatureBad => return spoiled_signature(key, &header, &claims),
        Defect::LogoutAlgOther => return jwt::sign(&*super::keys::other_key(provider)?, TokenType::LogoutToken, &claims),
        Defect::LogoutIssOther => claims["iss"] = hostile::honest_sibling(&provider.config.issuer).into(),
        Defect::LogoutAudOther => claims["aud"] = "another-client".into(),
        Defect::LogoutEventOther => claims["events"] = json!({ "http://schemas.openid.net/event/something-else": {} }),
        Defect::LogoutNonce => claims["nonce"] = "a-nonce".into(),
        Defect::LogoutExpired => {
            claims["iat"] = (now - 3720).into();
            claims["exp"] = (now - 3600).into();
        }
        Defect::LogoutIsIdToken => {
            let claims = json!({
                "iss": claims["iss"], "aud": claims["aud"], "sub": claims["sub"], "sid": claims["sid"],
                "iat": now, "exp": now + 600, "nonce": "a-nonce",
            });
            return jwt::sign(key, TokenType::IdToken, &claims);
        }
        _ => {}
    }
    let missing: &[&str] = match defect {
        Defect::LogoutEventMissing => &["events"],
        Defect::LogoutJtiMissing => &["jti"],
        Defect::LogoutIatMissing => &["iat"],
        Defect::LogoutNobody => &["sub", "sid"],
        _ => &[],
    };
    if let Some(claims) = claims.as_object_mut() {
        claims.retain(|name, _| !missing.contains(&name.as_str()));
    }
    jwt::sign_with_header(key, &header, &claims)
}
