//! What the bytes of the WebAssembly are made of: which crate's functions, and what besides.

use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use wasmparser::{KnownCustom, Name, Parser, Payload, TypeRef};

/// How many crates the table names; the small ones are added up.
const SHOWN: usize = 14;

/// The bytes of a module by where they come from. Names and producers are left out: they are not sent.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Composition {
    /// Code, by crate.
    crates: BTreeMap<String, usize>,
    /// Texts and tables.
    data: usize,
    /// Types, imports, exports and the like.
    rest: usize,
}

impl Composition {
    /// Takes a module apart; it has to have the names of its functions.
    pub(crate) fn of(module: &[u8]) -> Result<Self> {
        let mut sizes = Vec::new();
        let (mut names, mut imported, mut data, mut unsent) = (HashMap::new(), 0_u32, 0, 0);
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        if matches!(import?.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)) {
                            imported += 1;
                        }
                    }
                }
                Payload::CodeSectionEntry(body) => sizes.push(body.range().len()),
                Payload::DataSection(section) => data = section.range().len(),
                Payload::CustomSection(section) => {
                    unsent += section.range().len();
                    if let KnownCustom::Name(subsections) = section.as_known() {
                        for subsection in subsections {
                            if let Name::Function(functions) = subsection? {
                                for function in functions {
                                    let function = function?;
                                    names.insert(function.index, function.name);
                                }
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        let code: usize = sizes.iter().sum();
        let mut crates = BTreeMap::new();
        for (index, size) in (imported..).zip(sizes) {
            let name = names.get(&index).copied().unwrap_or_default();
            *crates.entry(crate_of(name).to_owned()).or_default() += size;
        }
        Ok(Self { crates, data, rest: module.len().saturating_sub(code + data + unsent) })
    }

    /// The table for people, the largest first.
    pub(crate) fn table(&self) -> String {
        let total = self.crates.values().sum::<usize>() + self.data + self.rest;
        let mut rows: Vec<(String, usize)> = self.crates.iter().map(|(name, size)| (name.clone(), *size)).collect();
        rows.sort_by_key(|(name, size)| (std::cmp::Reverse(*size), name.clone()));
        let small = rows.split_off(rows.len().min(SHOWN));
        rows.push((format!("{} smaller crates", small.len()), small.iter().map(|(_, size)| size).sum()));
        rows.push(("texts and tables".to_owned(), self.data));
        rows.push(("types, imports, exports".to_owned(), self.rest));
        let mut table = "What the WebAssembly is made of (bytes of code by crate, before wasm-opt):\n".to_owned();
        for (name, size) in rows {
            let per_mille = (size * 1000).checked_div(total).unwrap_or_default();
            // Cannot fail: it writes into memory.
            let _ = writeln!(table, "  {name:<28}{size:>10}{:>6}.{} %", per_mille / 10, per_mille % 10);
        }
        table
    }
}

/// The crate that a function was written in, from its name as Rust prints it.
fn crate_of(name: &str) -> &str {
    if let Some((subject, implemented)) = implementation(name) {
        // A type without a path, such as `u32` or `&str`, is no crate's: the trait says who wrote the code.
        return first_path(subject).or_else(|| first_path(implemented)).unwrap_or("(unnamed)");
    }
    first_path(name).unwrap_or("(unnamed)")
}

/// The type and the trait of `<type as trait>::function`.
fn implementation(name: &str) -> Option<(&str, &str)> {
    let inside = name.strip_prefix('<')?;
    let mut depth = 0_usize;
    for (position, character) in inside.char_indices() {
        match character {
            '<' => depth += 1,
            '>' if depth == 0 => return None,
            // The arrow of a closure's type closes nothing.
            '>' if !inside[..position].ends_with('-') => depth -= 1,
            ' ' if depth == 0 => {
                if let Some(implemented) = inside[position..].strip_prefix(" as ") {
                    return Some((&inside[..position], implemented));
                }
            }
            _ => {}
        }
    }
    None
}

/// The first part of the first path: `core` of `&mut core::fmt::Formatter`.
fn first_path(text: &str) -> Option<&str> {
    let (before, _) = text.split_once("::")?;
    // The standard library's names carry the crate's hash: `core[0123456789abcdef]::fmt`.
    let before = before.strip_suffix(']').and_then(|hashed| hashed.rsplit_once('[')).map_or(before, |(name, _)| name);
    let start = before.rfind(|character: char| !character.is_alphanumeric() && character != '_').map_or(0, |position| position + 1);
    before.get(start..).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_belongs_to_the_crate_that_wrote_it() {
        for (name, expected) in [
            ("core::fmt::Formatter::pad", "core"),
            ("leptos_router::matching::route::new::h0123", "leptos_router"),
            ("<alloc::string::String as core::fmt::Write>::write_str", "alloc"),
            ("<&mut serde_json::de::Deserializer<R> as serde::de::Deserializer>::deserialize_str", "serde_json"),
            ("<u32 as serde::ser::Serialize>::serialize", "serde"),
            ("<alloc::vec::Vec<tachys::view::View> as tachys::view::Render>::build", "alloc"),
            ("<oauth2flow_app::session::Session>::new", "oauth2flow_app"),
            ("core::ptr::drop_in_place<leptos::children::ViewFn>", "core"),
            ("<F as leptos::IntoView>::into_view", "leptos"),
            ("<core[6a5b]::fmt::builders::DebugStruct>::is_pretty", "core"),
            ("<hashbrown[11c2]::raw::RawTable<u8> as core[6a5b]::ops::drop::Drop>::drop", "hashbrown"),
            ("std[77]::panicking::begin_panic_handler", "std"),
            ("main", "(unnamed)"),
            ("", "(unnamed)"),
        ] {
            assert_eq!(crate_of(name), expected, "{name}");
        }
    }

    #[test]
    fn the_table_adds_up_the_small_ones() {
        let crates = (1..=20).map(|number| (format!("crate{number:02}"), number * 10)).collect();
        let table = Composition { crates, data: 100, rest: 50 }.table();
        let lines: Vec<&str> = table.lines().collect();
        assert!(lines[1].contains("crate20") && lines[1].contains("200"), "{table}");
        assert!(table.contains("6 smaller crates") && table.contains(" 210 "), "{table}");
        assert_eq!(lines.len(), 1 + SHOWN + 3);
    }
}
