//! The parts of the app that come when they are gone to, taken out of the module that every page starts with.
//!
//! `#[wasm_split]` marks where a part begins ([`wasm_split_helpers`](https://docs.rs/wasm_split_helpers)); what only that part needs goes
//! with it, as far as the relocations tell that the linker has left in the module.

use anyhow::{Context, Result, anyhow};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use wasm_split_cli_support::{Options, transform};

/// What the main module imports the loader as.
const LOADER: &str = "./__wasm_split.js";

/// Loads a style sheet, unless the server has put it into the page. A part can be read without its styles, so it does not fail with them.
const STYLE_SHEET: &str = r#"
const sheets = {};
function styleSheet(address) {
    return sheets[address] ??= document.querySelector(`link[href="${address}"]`) ?? new Promise((done) => {
        const link = document.createElement("link");
        link.rel = "stylesheet";
        link.href = address;
        link.onload = link.onerror = done;
        document.head.append(link);
    });
}
"#;

/// A module taken apart.
pub(super) struct Split {
    /// The module that every page starts with, which is still to be bound.
    pub(super) main: PathBuf,
    /// The modules of the parts, by their names.
    pub(super) modules: BTreeMap<String, Vec<u8>>,
    /// Which modules each part needs.
    pub(super) parts: BTreeMap<String, Vec<String>>,
    /// What fetches them.
    loader: Option<String>,
}

/// Takes a linked module apart; the pieces are left in the directory.
pub(super) fn split(module: &Path, directory: &Path) -> Result<Split> {
    let linked = fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
    let main = directory.join("main.wasm");
    let mut options = Options::new(&linked);
    options.output_dir = directory;
    options.main_out_path = &main;
    options.link_name = LOADER;
    let split = transform(options).map_err(|error| anyhow!("cannot take the module apart: {error:#}"))?;
    let mut modules = BTreeMap::new();
    for path in &split.split_modules {
        let name = path.file_stem().and_then(|name| name.to_str()).context("a part without a name")?;
        modules.insert(name.to_owned(), fs::read(path).with_context(|| format!("cannot read {}", path.display()))?);
    }
    let loader = directory.join(LOADER);
    let loader = fs::read_to_string(&loader).with_context(|| format!("cannot read {}", loader.display()))?;
    Ok(Split { main, modules, parts: split.prefetch_map.into_iter().collect(), loader: Some(loader) })
}

impl Split {
    /// A module that stays whole.
    pub(super) fn whole(module: PathBuf) -> Self {
        Self { main: module, modules: BTreeMap::new(), parts: BTreeMap::new(), loader: None }
    }

    /// The script with the loader in it, which fetches the modules from these addresses, and with a part its style sheet.
    pub(super) fn with_loader(
        &self,
        script: &str,
        addresses: &HashMap<String, String>,
        sheets: &BTreeMap<String, String>,
    ) -> Result<String> {
        let Some(loader) = &self.loader else { return Ok(script.to_owned()) };
        let mut loader = with_sheets(loader, sheets)?;
        for (name, address) in addresses {
            loader = loader.replace(&format!("\"./{name}.wasm\""), &format!("\"{address}\""));
        }
        inline(script, &loader)
    }
}

/// Lets each of these parts wait for its style sheet as it waits for the modules it needs, so that it is never shown without.
fn with_sheets(loader: &str, sheets: &BTreeMap<String, String>) -> Result<String> {
    let mut loader = loader.to_owned();
    for (part, address) in sheets {
        let no_place = || anyhow!("the loader has no place for the style sheet of the part {part}");
        let start = loader.find(&format!("export const __wasm_split_load_{part} = ")).ok_or_else(no_place)?;
        let dependencies = loader[start..].find("\n, [").ok_or_else(no_place)? + start + "\n, [".len();
        loader.insert_str(dependencies, &format!("() => styleSheet(\"{address}\"), "));
    }
    if !sheets.is_empty() {
        loader.push_str(STYLE_SHEET);
    }
    Ok(loader)
}

/// Puts the loader into the script that imports it, so that no page has to wait for one more file. They import each other, and so they
/// could not be named by their content either.
fn inline(script: &str, loader: &str) -> Result<String> {
    let mut names = Vec::new();
    let mut body = String::new();
    for line in loader.lines().filter(|line| !line.starts_with("import ")) {
        let line = match line.strip_prefix("export const ") {
            Some(definition) => {
                names.push(definition.split_once(' ').map_or(definition, |(name, _)| name));
                line.trim_start_matches("export ")
            }
            None => line,
        };
        body.push_str(line);
        body.push('\n');
    }
    let definition = format!("(() => {{\n{body}return {{ {} }};\n}})()", names.join(", "));
    let import = format!(" from \"{LOADER}\"");
    let mut inlined = String::new();
    let mut first = None;
    for line in script.lines() {
        match line.strip_prefix("import * as ").and_then(|rest| rest.trim_end_matches(';').strip_suffix(&import)) {
            Some(name) => {
                let value = first.get_or_insert((name, definition.as_str()));
                let value = if value.0 == name { value.1 } else { value.0 };
                inlined.extend(["const ", name, " = ", value, ";"]);
            }
            None => inlined.push_str(line),
        }
        inlined.push('\n');
    }
    if first.is_none() && !names.is_empty() {
        return Err(anyhow!("the script does not import the loader of the parts"));
    }
    Ok(inlined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loader_becomes_a_piece_of_the_script() {
        let loader = "import { initSync } from \"./main.js\";\nfunction make() {}\nexport const a = make();\nexport const b = make();\n";
        let script =
            "import * as import1 from \"./__wasm_split.js\"\nimport * as import2 from \"./__wasm_split.js\"\nuse(import1, import2);\n";
        let inlined = inline(script, loader).unwrap();
        let expected = "const import1 = (() => {\nfunction make() {}\nconst a = make();\nconst b = make();\nreturn { a, b };\n})();\n\
                        const import2 = import1;\nuse(import1, import2);\n";
        assert_eq!(inlined, expected);
    }

    #[test]
    fn a_script_that_cannot_load_its_parts_is_refused() {
        assert!(inline("use();\n", "export const a = make();\n").is_err());
        assert_eq!(inline("use();\n", "").unwrap(), "use();\n");
    }

    #[test]
    fn a_part_is_fetched_from_its_address() {
        let split = Split {
            main: PathBuf::new(),
            modules: BTreeMap::new(),
            parts: BTreeMap::new(),
            loader: Some("export const load = fetch(\"./split_a.wasm\");\n".to_owned()),
        };
        let addresses = HashMap::from([("split_a".to_owned(), "/pkg/split_a.1.wasm".to_owned())]);
        let script = split.with_loader("import * as parts from \"./__wasm_split.js\";\n", &addresses, &BTreeMap::new()).unwrap();
        assert!(script.contains("fetch(\"/pkg/split_a.1.wasm\")") && !script.contains("import"), "{script}");
    }
    #[test]
    fn a_part_waits_for_its_style_sheet() {
        let part = |name: &str| format!("export const __wasm_split_load_{name} = wrap(makeLoad(() => {{\n}}\n, [__chunk_1]));\n");
        let loader = part("pages") + &part("flow");
        let sheets = BTreeMap::from([("flow".to_owned(), "/pkg/flow.1.css".to_owned())]);
        let loader = with_sheets(&loader, &sheets).unwrap();
        let expected = part("pages") + &part("flow").replace("[__chunk_1]", "[() => styleSheet(\"/pkg/flow.1.css\"), __chunk_1]");
        assert_eq!(loader.strip_suffix(STYLE_SHEET), Some(expected.as_str()));
        let missing = BTreeMap::from([("attic".to_owned(), "/pkg/flow.1.css".to_owned())]);
        assert!(with_sheets(&part("pages"), &missing).unwrap_err().to_string().contains("attic"));
    }
}
