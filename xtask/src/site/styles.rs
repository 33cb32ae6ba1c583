//! The styles: one small file out of `style/main.css` and what it imports, and one for each of [`SHEETS`].

use anyhow::{Result, anyhow};
use lightningcss::bundler::{Bundler, FileProvider};
use lightningcss::stylesheet::{MinifyOptions, ParserOptions, PrinterOptions};
use lightningcss::targets::{Browsers, Targets};
use std::path::Path;

/// The style sheets that come with parts of the app, of which the first page needs nothing: `style/NAME.css`, and the parts it belongs to.
pub(super) const SHEETS: [(&str, &[&str]); 2] = [("flow", &["flow", "learn"]), ("lab", &["lab"])];

/// The oldest browsers that the app's WebAssembly runs in anyway (reference types, bulk memory) and that have what plain
/// CSS of today needs (nesting, `light-dark()`): nothing older has to be written for.
fn targets() -> Targets {
    let version = |major: u32, minor: u32| Some(major << 16 | minor << 8);
    Targets::from(Browsers {
        android: version(123, 0),
        chrome: version(123, 0),
        edge: version(123, 0),
        firefox: version(120, 0),
        ios_saf: version(17, 5),
        safari: version(17, 5),
        ..Browsers::default()
    })
}

/// Bundles the file with its imports and makes it small.
pub(super) fn bundle(entry: &Path) -> Result<String> {
    let files = FileProvider::new();
    let mut bundler = Bundler::new(&files, None, ParserOptions::default());
    // The errors borrow from `files`, so their words are all that can be kept.
    let mut sheet = bundler.bundle(entry).map_err(|error| anyhow!("{error} (bundling {})", entry.display()))?;
    let targets = targets();
    sheet
        .minify(MinifyOptions { targets, ..MinifyOptions::default() })
        .map_err(|error| anyhow!("{error} (making {} small)", entry.display()))?;
    let printed = sheet
        .to_css(PrinterOptions { minify: true, targets, ..PrinterOptions::default() })
        .map_err(|error| anyhow!("{error} (writing {})", entry.display()))?;
    Ok(printed.code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::{cache_directory, empty_directory};
    use std::fs;

    #[test]
    fn imports_become_one_small_file() {
        let directory = cache_directory().join("tests/styles");
        empty_directory(&directory).unwrap();
        fs::write(directory.join("colors.css"), ":root { --ink: #000000; }\n").unwrap();
        fs::write(directory.join("main.css"), "@import \"./colors.css\";\nbody { color: var(--ink); }\n").unwrap();
        assert_eq!(bundle(&directory.join("main.css")).unwrap(), ":root{--ink:#000}body{color:var(--ink)}");
    }

    #[test]
    fn a_mistake_is_named_with_its_file() {
        let directory = cache_directory().join("tests/broken-styles");
        empty_directory(&directory).unwrap();
        fs::write(directory.join("main.css"), "@import \"./missing.css\";").unwrap();
        let error = bundle(&directory.join("main.css")).unwrap_err().to_string();
        assert!(error.contains("main.css"), "{error}");
    }
}
