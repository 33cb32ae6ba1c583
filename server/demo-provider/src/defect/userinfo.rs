//! Userinfo that is not what it should be.

use serde_json::Value;

use super::{
    Defect,
    authorization_response::SCRIPT,
    id_token::{alg_none, spoiled_signature},
};
use crate::{failure::Failure, hostile, jwt, signing_key::SigningKey, state::Provider};

/// Changes what is told.
pub(crate) fn spoil(defect: Defect, claims: &mut Value) {
    match defect {
        Defect::UserinfoSubOther => claims["sub"] = "somebody-else".into(),
        Defect::UserinfoSubNumber => claims["sub"] = 7.into(),
        Defect::UserinfoSubMissing => {
            if let Some(claims) = claims.as_object_mut() {
                claims.remove("sub");
            }
        }
        Defect::UserinfoScript => {
            claims["name"] = SCRIPT.into();
            claims["picture"] = "javascript:alert(3)".into();
        }
        _ => {}
    }
}

/// Whether the answer is plain although the client's registration says that it is signed.
pub(crate) fn is_left_unsigned(defect: Defect) -> bool {
    defect == Defect::UserinfoUnsigned
}

/// Signs what is told, or does not.
pub(crate) fn sign(defect: Defect, provider: &Provider, key: &SigningKey, header: Value, mut claims: Value) -> Result<String, Failure> {
    match defect {
        Defect::UserinfoAlgNone => return Ok(alg_none(header, &claims, "none")),
        Defect::UserinfoSignatureBad => return spoiled_signature(key, &header, &claims),
        Defect::UserinfoIssOther => claims["iss"] = hostile::honest_sibling(&provider.config.issuer).into(),
        Defect::UserinfoAudOther => claims["aud"] = "another-client".into(),
        _ => {}
    }
    jwt::sign_with_header(key, &header, &claims)
}
