//! The beginning in the browser.

use leptos::prelude::*;

use crate::on_demand::Part;

/// Starts `app` in the page that loaded it: over the server's markup where there is some, else in its own.
///
/// A document without `data-render` is not one of ours, so nothing is started there. Where the page is in a part of its own, the server's
/// markup or the shell is left alone until that has come.
pub(crate) fn start<V: IntoView + 'static>(app: fn() -> V, part_at: impl FnOnce(&str) -> Option<Part>) {
    let Some(render) = document().document_element().and_then(|root| root.get_attribute("data-render")) else { return };
    let is_rendered = cfg!(feature = "hydrate") && render == "ssr";
    match location().pathname().ok().and_then(|path| part_at(&path)) {
        None => take_over(is_rendered, app),
        Some(part) => wasm_bindgen_futures::spawn_local(async move {
            let has_come = part.load().await;
            take_over(is_rendered && has_come, app);
        }),
    }
}

fn take_over<V: IntoView + 'static>(is_rendered: bool, app: fn() -> V) {
    #[cfg(feature = "hydrate")]
    if is_rendered {
        hydrate_body(app);
        return;
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = is_rendered;
    // In the place of the shell, or of markup that has nobody to take it over.
    if let Some(body) = document().body() {
        body.set_inner_html("");
        mount_to_renderer(&body, app).forget();
    }
}
