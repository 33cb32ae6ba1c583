//! Token answers that are not what they should be.

use serde_json::Value;

use super::Defect;
use crate::routes::token::Occasion;

/// Changes the answer.
pub(crate) fn spoil(defect: Defect, occasion: Occasion<'_>, answer: &mut Value) {
    if occasion == Occasion::Refresh {
        return;
    }
    match defect {
        Defect::TokenWrongTypes => answer["access_token"] = 7.into(),
        Defect::TokenTypeUnknown => answer["token_type"] = "mac".into(),
        Defect::TokenTypeCapitals => answer["token_type"] = "BEARER".into(),
        Defect::TokenIdTokenRubbish => answer["id_token"] = "rubbish".into(),
        Defect::DpopDowngraded => answer["token_type"] = "Bearer".into(),
        _ => {}
    }
    let missing = match defect {
        Defect::TokenAccessTokenMissing => "access_token",
        Defect::TokenTypeMissing => "token_type",
        Defect::TokenExpiresInMissing => "expires_in",
        Defect::TokenIdTokenMissing => "id_token",
        _ => return,
    };
    if let Some(answer) = answer.as_object_mut() {
        answer.remove(missing);
    }
}
