//! The ID token and the provider's metadata, as tables that can be read.

use leptos::prelude::*;
use serde_json::Value;

use super::{
    meaning,
    parameter_list::{Explained, parameter_list, row},
    secrets::{self, Occurrence},
    walk::Walk,
};
use crate::{
    erased::erased,
    flow::{Parameter, ParameterValue, RecordedLogin},
    texts::{flow, t},
};

/// The header and the claims of the ID token, if there was one.
pub(crate) fn id_token(login: &RecordedLogin, walk: Walk) -> Option<AnyView> {
    let token = login.id_token.as_ref()?;
    let explained = |parameters: &[Parameter]| -> Vec<_> {
        let explain = |parameter: &Parameter| Explained {
            elsewhere: match &parameter.value {
                ParameterValue::Hidden { fingerprint, .. } => secrets::elsewhere(login, Occurrence::IdToken, fingerprint),
                ParameterValue::Shown(_) | ParameterValue::Shortened { .. } => Vec::new(),
            },
            parameter: parameter.clone(),
        };
        parameters.iter().map(explain).collect()
    };
    let meaning = |parameter: &Parameter| meaning::claim(&parameter.name);
    let (header, claims) = (explained(&token.header), explained(&token.claims));
    Some(erased(view! {
        <section class="card" id="id-token" aria-labelledby="id-token-title">
            <h2 id="id-token-title">{t(flow::FLOW_TOKEN)}</h2>
            <p>
                {t(flow::FLOW_TOKEN_WHY)}
            </p>
            <h3>{t(flow::FLOW_TOKEN_HEADER)}</h3>
            {parameter_list(header, meaning, walk)}
            <h3>{t(flow::FLOW_TOKEN_CLAIMS)}</h3>
            {parameter_list(claims, meaning, walk)}
        </section>
    }))
}

/// What the provider publishes about itself, if it does.
pub(crate) fn metadata(login: &RecordedLogin) -> Option<AnyView> {
    let members = login.metadata.as_ref()?.as_object().filter(|members| !members.is_empty())?;
    let rows: Vec<_> = members
        .iter()
        .map(|(name, value)| {
            let value = erased(view! {
                <code>
                    <bdi>{in_words(value)}</bdi>
                </code>
            });
            row(name.clone(), None, value, meaning::metadata(name))
        })
        .collect();
    Some(erased(view! {
        <section class="card" id="metadata" aria-labelledby="metadata-title">
            <h2 id="metadata-title">{t(flow::FLOW_METADATA)}</h2>
            <p>{t(flow::FLOW_METADATA_WHY)}</p>
            <details class="more">
                <summary>{t(flow::FLOW_METADATA_ALL)}</summary>
                <dl class="parameters">{rows}</dl>
            </details>
        </section>
    }))
}

/// A value without quotation marks, a list without brackets; JSON for anything deeper.
fn in_words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) if values.iter().all(Value::is_string) => {
            values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
        }
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::in_words;
    use serde_json::json;

    #[test]
    fn a_value_is_told_as_plainly_as_it_can_be() {
        for (value, text) in [
            (json!("a"), "a"),
            (json!(["a", "b"]), "a, b"),
            (json!(true), "true"),
            (json!({"a": [1]}), "{\"a\":[1]}"),
            (json!(["a", 1]), "[\"a\",1]"),
        ] {
            assert_eq!(in_words(&value), text);
        }
    }
}
