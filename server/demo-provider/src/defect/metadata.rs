//! Metadata that is not what it should be.

use serde_json::{Value, json};

use super::Defect;
use crate::{hostile, state::Provider};

/// Where clouds keep what their machines should keep to themselves.
const LINK_LOCAL: &str = "http://169.254.169.254/latest/meta-data/";

/// Changes the metadata.
pub(crate) fn spoil(defect: Defect, provider: &Provider, document: &mut Value) {
    let issuer = &provider.config.issuer;
    let mut remove = |name: &str| {
        if let Some(members) = document.as_object_mut() {
            members.remove(name);
        }
    };
    match defect {
        Defect::MetadataIssuerMissing => remove("issuer"),
        Defect::MetadataTokenEndpointMissing => remove("token_endpoint"),
        Defect::MetadataIssuerOther => document["issuer"] = format!("{}x", issuer.get(..issuer.len() - 1).unwrap_or_default()).into(),
        Defect::MetadataIssuerSlash => document["issuer"] = format!("{issuer}/").into(),
        Defect::MetadataWrongTypes => {
            document["authorization_endpoint"] = 7.into();
            document["token_endpoint"] = json!([]);
        }
        Defect::MetadataTokenEndpointLinkLocal => document["token_endpoint"] = LINK_LOCAL.into(),
        Defect::MetadataTokenEndpointFile => document["token_endpoint"] = "file:///etc/passwd".into(),
        Defect::MetadataTokenEndpointPlain => document["token_endpoint"] = "http://provider.example/token".into(),
        Defect::MetadataKeysLinkLocal => document["jwks_uri"] = LINK_LOCAL.into(),
        Defect::MetadataAuthorizationEndpointScript => document["authorization_endpoint"] = "javascript:alert(1)//".into(),
        Defect::MetadataPushedRequestsImpossible => document["require_pushed_authorization_requests"] = true.into(),
        Defect::MetadataPkcePlainOnly => document["code_challenge_methods_supported"] = json!(["plain"]),
        Defect::MetadataAuthorizationEndpointForeign => {
            document["authorization_endpoint"] = format!("{}/authorize", hostile::honest_sibling(issuer)).into();
        }
        Defect::IdTokenAlgNoneOffered => document["id_token_signing_alg_values_supported"] = json!(["none", "RS256"]),
        _ => {}
    }
}
