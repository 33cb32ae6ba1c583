//! Taking a login along: as data, as a picture, on paper.

use leptos::prelude::*;
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, BlobPropertyBag, HtmlAnchorElement, Url};

use super::{Current, picture::picture};
use crate::{
    erased::erased,
    flow::RecordedLogin,
    texts::{flow, t},
};

/// How long a saved file stays reachable for the browser, which fetches it right away.
const GRACE: Duration = Duration::from_secs(10);

/// The buttons that save what is shown: the data as the server has told it, without secrets, and the picture that is made of it here.
pub(crate) fn export(login: Current) -> AnyView {
    let failed = RwSignal::new(false);
    let save_as = move |kind: &'static str, media_type: &'static str, content: fn(&RecordedLogin) -> String| {
        let saved = login.with_untracked(|login| save(&file_name(login, kind), media_type, &content(login)));
        failed.set(saved.is_err());
    };
    erased(view! {
        <div class="toolbar needs-script">
            <button
                type="button"
                class="button button-quiet button-small"
                on:click=move |_| save_as("json", "application/json", data)
            >
                {t(flow::FLOW_SAVE_JSON)}
            </button>
            <button
                type="button"
                class="button button-quiet button-small"
                on:click=move |_| save_as("svg", "image/svg+xml", picture)
            >
                {t(flow::FLOW_SAVE_PICTURE)}
            </button>
            <button
                type="button"
                class="button button-quiet button-small"
                on:click=move |_| {
                    // Whoever has no printer is not told so.
                    let _ = window().print();
                }
            >
                {t(flow::FLOW_PRINT)}
            </button>
        </div>
        {move || failed.get().then(|| view! { <p class="notice notice-problem" role="alert">{t(flow::FLOW_NOT_SAVED)}</p> })}
    })
}

fn data(login: &RecordedLogin) -> String {
    // It is made of strings and numbers, which JSON can always hold.
    serde_json::to_string_pretty(login).unwrap_or_default()
}

/// A name for the file, of nothing but letters, digits and hyphens.
fn file_name(login: &RecordedLogin, kind: &str) -> String {
    let mut name = String::from("sign-in");
    for part in [&login.provider, &login.started_at] {
        name.push('-');
        name.extend(part.chars().take(40).map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }));
    }
    name.push('.');
    name.push_str(kind);
    name
}

/// Has the browser save a file that is made here.
fn save(name: &str, media_type: &str, text: &str) -> Result<(), JsValue> {
    let options = BlobPropertyBag::new();
    options.set_type(media_type);
    let blob = Blob::new_with_str_sequence_and_options(&js_sys::Array::of1(&text.into()), &options)?;
    let address = Url::create_object_url_with_blob(&blob)?;
    // It is no part of the page, so no click on it is mistaken for one on a link of the app.
    let link: HtmlAnchorElement = document().create_element("a")?.unchecked_into();
    link.set_href(&address);
    link.set_download(name);
    link.click();
    set_timeout(
        move || {
            // An address that is gone already needs no revoking.
            let _ = Url::revoke_object_url(&address);
        },
        GRACE,
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{data, file_name};
    use crate::{flow::RecordedLogin, pages::flow::example};

    #[test]
    fn a_file_is_named_after_the_login_and_leads_nowhere_else() {
        let mut login = example::signed_in();
        assert_eq!(file_name(&login, "json"), "sign-in-demo-2026-11-22T10-57-00Z.json");
        login.provider = "../../etc/ü\u{202e}".to_owned();
        assert_eq!(file_name(&login, "svg"), "sign-in-------etc----2026-11-22T10-57-00Z.svg");
    }

    #[test]
    fn the_data_are_those_that_the_server_has_told() {
        let login = example::denied();
        assert_eq!(serde_json::from_str::<RecordedLogin>(&data(&login)).unwrap(), login);
    }
}
