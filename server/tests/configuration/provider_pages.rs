//! The pages of `docs/providers` show configurations that work.

use crate::{Setup, private_key};
use oauth2flow::{config::Config, registration};
use oauth2flow_protocol::preset;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/providers")
}

/// Every page by its name, without the index.
fn pages() -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    for entry in std::fs::read_dir(directory()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_some_and(|extension| extension == "md") && name != "README" {
            pages.insert(name, std::fs::read_to_string(path).unwrap());
        }
    }
    pages
}

/// The TOML of a page: whole examples, and pieces that belong into the table of a provider.
fn examples(page: &str) -> (Vec<&str>, Vec<&str>) {
    page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).partition(|example| example.contains("[providers."))
}

/// A directory with the files that the examples name.
fn setup(text: &str) -> Setup {
    let key = if text.contains("signing_algorithm = \"PS") { private_key::rsa() } else { private_key::p256() };
    let mut setup = Setup::with_file(text);
    for line in text.lines() {
        let Some((key_of_file, value)) = line.split_once("_file = \"") else { continue };
        let name = value.split('"').next().unwrap();
        let content = match key_of_file.trim() {
            "client_certificate" => "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
            "private_key" | "client_certificate_key" => key.as_str(),
            _ => "a secret",
        };
        setup = setup.file(name, content);
    }
    setup
}

fn load(page: &str, example: &str) -> Config {
    setup(example).load().unwrap_or_else(|problems| panic!("docs/providers/{page}.md:\n{example}\n{problems}"))
}

#[test]
fn every_preset_has_a_page_and_every_page_a_preset() {
    let pages: Vec<_> = pages().into_keys().collect();
    let mut presets: Vec<_> = preset::ALL.iter().map(|preset| preset.id.to_owned()).collect();
    presets.sort();
    assert_eq!(pages, presets);
}

#[test]
fn every_whole_example_is_accepted_and_makes_a_provider_of_its_kind() {
    for (page, text) in pages() {
        let (whole, _) = examples(&text);
        assert!(!whole.is_empty(), "docs/providers/{page}.md has no example");
        for example in &whole {
            let config = load(&page, example);
            assert!(config.providers.iter().all(|provider| provider.preset.as_str() == page), "docs/providers/{page}.md:\n{example}");
            let made = registration::providers(&config);
            assert_eq!(made.map(|providers| providers.len()).unwrap(), config.providers.len(), "docs/providers/{page}.md");
        }
    }
}

#[test]
fn every_piece_fits_into_the_first_whole_example() {
    for (page, text) in pages() {
        let (whole, pieces) = examples(&text);
        for piece in pieces {
            // A section of its own stands behind the provider; settings stand in it, instead of those that it has already.
            let is_section = piece.trim_start().starts_with('[');
            let table = whole[0].split("\n[upstreams").next().unwrap();
            let replaced = |line: &&str| is_section || piece.lines().all(|other| key(other).is_none() || key(other) != key(line));
            let kept: Vec<_> = table.lines().filter(replaced).collect();
            load(&page, &format!("{}\n{piece}", kept.join("\n")));
        }
    }
}

/// The key that a line sets.
fn key(line: &str) -> Option<&str> {
    line.split_once(" = ").map(|(key, _)| key.trim()).filter(|key| !key.starts_with('#'))
}

#[test]
fn every_page_says_what_to_register_and_leads_on() {
    for (page, text) in pages() {
        for needed in ["## Register", "## Configure", "## When it does not work", "/callback", "configuration.md"] {
            let needed = if page == "apple" && needed == "/callback" { "/api/v1/oauth/code" } else { needed };
            assert!(text.contains(needed), "docs/providers/{page}.md lacks {needed}");
        }
    }
}

#[test]
fn the_index_leads_to_every_page() {
    let index = std::fs::read_to_string(directory().join("README.md")).unwrap();
    for page in pages().into_keys() {
        assert!(index.contains(&format!("({page}.md)")), "docs/providers/README.md lacks {page}.md");
    }
}

#[test]
fn no_link_of_a_page_leads_nowhere() {
    let index = std::fs::read_to_string(directory().join("README.md")).unwrap();
    for (page, text) in pages().into_iter().chain([("README".to_owned(), index)]) {
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap();
            if !path.is_empty() && !path.contains(':') {
                assert!(directory().join(path).exists(), "docs/providers/{page}.md links to {link}");
            }
        }
    }
}
