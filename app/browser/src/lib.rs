//! The WebAssembly module of oauth2flow's own app: it starts the app in the page that loads it.

/// Starts the app.
#[cfg(all(target_arch = "wasm32", any(feature = "hydrate", feature = "csr")))]
#[wasm_bindgen::prelude::wasm_bindgen(start)]
pub fn start() {
    oauth2flow_app::start();
}
