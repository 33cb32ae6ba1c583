//! wasm-bindgen, as a library of the same version as the app's: the script between the browser and the module.

use anyhow::{Context, Result, anyhow};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use wasm_bindgen_cli_support::Bindgen;
use wasmparser::{Parser, Payload};

/// A module with its script.
pub(crate) struct Bound {
    /// The script, an ES module whose default export starts the app.
    pub(crate) js: String,
    /// The module, with the names of its functions.
    pub(crate) wasm: Vec<u8>,
    /// Scripts that crates bring along, by their path under `snippets`.
    pub(crate) snippets: Vec<(PathBuf, String)>,
}

/// What a module is bound for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bind {
    /// The site: the script runs the module's start function.
    Site,
    /// The same, and the parts find in the module what they share with it.
    SiteWithParts,
    /// Tests, which start what they want.
    Tests,
}

/// Binds a compiled module for browsers.
pub(crate) fn bind(module: &Path, purpose: Bind) -> Result<Bound> {
    let mut bindgen = Bindgen::new();
    bindgen.web(true).map_err(|error| anyhow!("{error:#}"))?;
    bindgen.input_bytes("oauth2flow", fs::read(module).with_context(|| format!("cannot read {}", module.display()))?);
    // The names stay for the table of what the bytes are made of, and go afterwards.
    bindgen.typescript(false).omit_default_module_path(true).remove_producers_section(true);
    bindgen.emit_start(purpose != Bind::Tests).keep_lld_exports(purpose == Bind::SiteWithParts);
    let mut output = bindgen.generate_output().map_err(|error| anyhow!("wasm-bindgen: {error:#}"))?;
    let inline = output.snippets().iter().flat_map(|(identifier, scripts)| {
        scripts.iter().enumerate().map(move |(index, script)| (Path::new(identifier).join(format!("inline{index}.js")), script.clone()))
    });
    let local = output.local_modules().iter().map(|(path, script)| (PathBuf::from(path), script.clone()));
    let snippets = inline.chain(local).collect();
    let mut js = output.js().to_owned();
    if purpose != Bind::Tests {
        let module = output.wasm_mut();
        let mut names = ShortNames::default();
        module.imports.iter_mut().for_each(|import| names.shorten(&mut import.name));
        module.exports.iter_mut().for_each(|export| names.shorten(&mut export.name));
        js = without_comments(&names.renamed(&js));
    }
    Ok(Bound { js, snippets, wasm: output.wasm_mut().emit_wasm() })
}

/// Short names for those that only the script and the module know each other's functions by. They end in a hash, which no compression makes
/// any shorter, and both files have them all.
#[derive(Default)]
struct ShortNames(HashMap<String, String>);

impl ShortNames {
    fn shorten(&mut self, name: &mut String) {
        const HASH_LENGTH: usize = 16;
        let hash = name.len().checked_sub(HASH_LENGTH).and_then(|start| name.get(start..)).unwrap_or_default();
        if !hash.is_empty() && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let number = self.0.len();
            // Nothing else in the script has a dollar in its name.
            let short = self.0.entry(name.clone()).or_insert_with(|| format!("${number:x}"));
            name.clone_from(short);
        }
    }

    /// The script with the short names.
    fn renamed(&self, script: &str) -> String {
        let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '$');
        let mut renamed = String::with_capacity(script.len());
        let mut rest = script;
        while !rest.is_empty() {
            let (name, after) = rest.split_at(rest.find(|letter| !is_of_name(letter)).unwrap_or(rest.len()));
            renamed.push_str(self.0.get(name).map_or(name, String::as_str));
            let (between, after) = after.split_at(after.find(is_of_name).unwrap_or(after.len()));
            renamed.push_str(between);
            rest = after;
        }
        renamed
    }
}

/// The script without lines that only comment, and without indentation.
fn without_comments(script: &str) -> String {
    let lines = script
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !["//", "/*", "* ", "*/"].iter().any(|start| line.starts_with(start)) && *line != "*");
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The content of a custom section.
pub(crate) fn custom_section(module: &[u8], name: &str) -> Result<Option<Vec<u8>>> {
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::CustomSection(section) = payload?
            && section.name() == name
        {
            return Ok(Some(section.data().to_vec()));
        }
    }
    Ok(None)
}

/// The module without the names of its functions, which nobody's browser needs.
pub(super) fn without_names(module: &[u8]) -> Result<Vec<u8>> {
    let mut slim = module.to_vec();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::CustomSection(section) = payload?
            && section.name() == "name"
        {
            // The range begins after the section's number (one byte) and length (LEB128).
            let content = section.range();
            let header = 1 + leb128_length(content.len());
            slim.drain(content.start - header..content.end);
            // A module has one such section.
            break;
        }
    }
    Ok(slim)
}

/// How many bytes a number takes in LEB128.
fn leb128_length(number: usize) -> usize {
    let bits = usize::BITS - number.leading_zeros();
    bits.div_ceil(7).max(1) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An empty module with custom sections.
    fn module(sections: &[(&str, &[u8])]) -> Vec<u8> {
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        for (name, data) in sections {
            let length = 1 + name.len() + data.len();
            module.push(0);
            if length < 128 {
                module.push(u8::try_from(length).unwrap());
            } else {
                module.extend([u8::try_from(length & 127).unwrap() | 128, u8::try_from(length >> 7).unwrap()]);
            }
            module.push(u8::try_from(name.len()).unwrap());
            module.extend(name.as_bytes());
            module.extend(*data);
        }
        module
    }

    #[test]
    fn the_names_go_and_everything_else_stays() {
        for size in [0, 100, 122, 123, 124, 5_000] {
            let names = vec![7; size];
            let before = module(&[("first", b"1"), ("name", &names), ("last", b"2")]);
            assert_eq!(without_names(&before).unwrap(), module(&[("first", b"1"), ("last", b"2")]), "{size} bytes of names");
        }
        assert_eq!(without_names(&module(&[("other", b"1")])).unwrap(), module(&[("other", b"1")]));
    }

    #[test]
    fn a_custom_section_is_found_by_its_name() {
        let module = module(&[("first", b"1"), ("second", b"22")]);
        assert_eq!(custom_section(&module, "second").unwrap().as_deref(), Some(&b"22"[..]));
        assert_eq!(custom_section(&module, "third").unwrap(), None);
    }

    #[test]
    fn script_and_module_agree_on_the_short_names() {
        let mut names = ShortNames::default();
        let mut both = ["__wbg_get_0123456789abcdef".to_owned(), "memory".to_owned(), "__wbg_set_fedcba9876543210".to_owned()];
        for name in &mut both {
            names.shorten(name);
        }
        assert_eq!(both, ["$0", "memory", "$1"]);
        let script = "x = {\n  // a comment\n  __wbg_set_fedcba9876543210: (a) => wasm.memory,\n  /**\n   * b\n   */\n  __wbg_get_0123456789abcdef,\n}";
        assert_eq!(without_comments(&names.renamed(script)), "x = {\n$1: (a) => wasm.memory,\n$0,\n}\n");
    }

    #[test]
    fn what_is_no_module_is_refused() {
        assert!(without_names(b"<!doctype html>").is_err());
    }
}
