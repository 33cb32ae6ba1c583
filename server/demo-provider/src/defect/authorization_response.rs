//! Authorization responses that are not what they should be.

use serde_json::Value;

use super::{
    Defect,
    id_token::{alg_none, hs256, spoiled_signature},
};
use crate::{
    authorization_response::{ResponseMode, ResponseParameters},
    failure::Failure,
    hostile, jwt,
    signing_key::SigningKey,
    state::Provider,
};

/// What becomes an alert when somebody shows it as markup.
pub(crate) const SCRIPT: &str = "<img src=x onerror=alert(1)><script>alert(2)</script>";

/// Changes the parameters of the response.
pub(crate) fn spoil(defect: Defect, provider: &Provider, parameters: &mut ResponseParameters) {
    let issuer = &provider.config.issuer;
    match defect {
        Defect::ResponseIssOther | Defect::JarmIssOther => set(parameters, "iss", hostile::honest_sibling(issuer)),
        Defect::ResponseIssMissing => remove(parameters, "iss"),
        Defect::ResponseIssSlash => set(parameters, "iss", format!("{issuer}/")),
        Defect::ResponseIssCase => set(parameters, "iss", issuer.to_uppercase()),
        Defect::ResponseIssTwice => parameters.push(("iss", hostile::honest_sibling(issuer))),
        Defect::ResponseStateOther | Defect::JarmStateOther => set(parameters, "state", "another".to_owned()),
        Defect::ResponseStateMissing => remove(parameters, "state"),
        Defect::ResponseStateTwice => parameters.push(("state", "another".to_owned())),
        Defect::ResponseCodeMissing => remove(parameters, "code"),
        Defect::ResponseCodeTwice => parameters.push(("code", "another".to_owned())),
        Defect::ResponseCodeAndError => parameters.push(("error", "access_denied".to_owned())),
        Defect::ResponseCodeHuge => set(parameters, "code", "x".repeat(12_000)),
        Defect::ResponseErrorScript => refuse(parameters, "access_denied", SCRIPT),
        Defect::ResponseErrorUnknown => refuse(parameters, SCRIPT, SCRIPT),
        Defect::ResponseErrorIssOther => {
            refuse(parameters, "access_denied", "No.");
            set(parameters, "iss", hostile::honest_sibling(issuer));
        }
        Defect::ResponseErrorStateMissing => {
            refuse(parameters, "access_denied", "No.");
            remove(parameters, "state");
        }
        _ => {}
    }
}

fn remove(parameters: &mut ResponseParameters, name: &str) {
    parameters.retain(|(other, _)| *other != name);
}

fn set(parameters: &mut ResponseParameters, name: &'static str, value: String) {
    remove(parameters, name);
    parameters.push((name, value));
}

fn refuse(parameters: &mut ResponseParameters, error: &str, description: &str) {
    remove(parameters, "code");
    set(parameters, "error", error.to_owned());
    set(parameters, "error_description", description.to_owned());
}

/// Changes how the response travels.
pub(crate) const fn mode(defect: Defect, mode: ResponseMode) -> ResponseMode {
    match defect {
        Defect::JarmLeftOut => ResponseMode::Query,
        Defect::JarmUnasked => ResponseMode::QueryJwt,
        _ => mode,
    }
}

/// Signs the response, or does not.
pub(crate) fn sign(defect: Defect, provider: &Provider, key: &SigningKey, mut header: Value, mut claims: Value) -> Result<String, Failure> {
    match defect {
        Defect::JarmUnsigned => return Ok(alg_none(header, &claims, "none")),
        Defect::JarmAlgHs256PublicKey => return Ok(hs256(header, &claims, &key.public_pem().unwrap_or_default())),
        Defect::JarmSignatureBad => return spoiled_signature(key, &header, &claims),
        Defect::JarmAudOther => claims["aud"] = "another-client".into(),
        Defect::JarmExpired => claims["exp"] = (provider.now() - 600).into(),
        Defect::JarmExpMissing => {
            if let Some(claims) = claims.as_object_mut() {
                claims.remove("exp");
            }
        }
        _ => header["typ"] = "JWT".into(),
    }
    jwt::sign_with_header(key, &header, &claims)
}
