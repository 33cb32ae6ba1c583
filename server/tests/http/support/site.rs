//! A site as `cargo xtask` builds it, but for its content.

use oauth2flow_app::texts::VERSION;
use std::{fs, path::Path};

pub(crate) const SCRIPT: &str = "/pkg/oauth2flow.0000000000000001.js";
const WASM: &str = "/pkg/oauth2flow.0000000000000002.wasm";
const STYLE: &str = "/pkg/oauth2flow.0000000000000003.css";

pub(crate) fn write(directory: &Path) {
    fs::create_dir_all(directory.join("pkg")).unwrap();
    let manifest = serde_json::json!({ "js": SCRIPT, "wasm": WASM, "css": STYLE, "texts": VERSION });
    fs::write(directory.join("manifest.json"), manifest.to_string()).unwrap();
    for (path, content) in [(SCRIPT, "export default () => {};"), (WASM, "\0asm"), (STYLE, "body { color: black; }")] {
        fs::write(directory.join(&path[1..]), content).unwrap();
    }
}
