//! The least that counts as a built site.

use oauth2flow_app::texts::VERSION;
use std::{fs, path::Path};

/// Writes it.
pub(crate) fn write(directory: &Path) {
    fs::create_dir_all(directory.join("pkg")).unwrap();
    let manifest = format!(r#"{{"js": "/pkg/app.js", "wasm": "/pkg/app.wasm", "css": "/pkg/app.css", "texts": "{VERSION}"}}"#);
    fs::write(directory.join("manifest.json"), manifest).unwrap();
    fs::write(directory.join("pkg/app.js"), "export default () => {};\n").unwrap();
    fs::write(directory.join("pkg/app.wasm"), b"\0asm\x01\0\0\0").unwrap();
    fs::write(directory.join("pkg/app.css"), "body { margin: 0 }\n").unwrap();
}
