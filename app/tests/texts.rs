//! No text is there for nobody.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The Rust files below a directory.
fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_text_is_used() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&here.join("src"), &mut files);
    let source: String = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let mut unused = Vec::new();
    for entry in fs::read_dir(here.join("locales/en")).unwrap() {
        let path = entry.unwrap().path();
        let group = path.file_stem().unwrap().to_str().unwrap();
        let mut section = String::new();
        for line in fs::read_to_string(&path).unwrap().lines() {
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                section = name.to_owned();
            } else if let Some((name, _)) =
                line.split_once(" = \"").filter(|(name, _)| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
            {
                // The texts about a problem are found from the first of them, and so are the months.
                let first = match section.as_str() {
                    "month" => "m01",
                    _ if section.starts_with("problem_") => "advice",
                    _ => name,
                };
                let constant = format!("{group}::{}", format!("{section}_{first}").to_uppercase());
                if !source.contains(&constant) {
                    unused.push(constant);
                }
            }
        }
    }
    assert_eq!(unused, Vec::<String>::new());
}
