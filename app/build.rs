//! Makes Rust of the texts in `locales`: a constant for each text, and the texts themselves for those who have all languages.
//!
//! It fails, and says everything that is wrong, unless each language has the same texts with the same placeholders and elements.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::Path,
};
use toml::{Table, Value};

/// The language that the others are compared with.
const SOURCE: &str = "en";

/// The texts of one file, by `SECTION_NAME`.
type Texts = BTreeMap<String, String>;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=locales");
    println!("cargo::rerun-if-changed=build.rs");
    let mut mistakes = Vec::new();
    let mut catalogs = BTreeMap::new();
    for language in names(Path::new("locales"))? {
        let directory = Path::new("locales").join(&language);
        let mut groups = BTreeMap::new();
        for file in names(&directory)? {
            let table: Table = fs::read_to_string(directory.join(&file))?.parse().map_err(|error| format!("{language}/{file}: {error}"))?;
            let group = file.trim_end_matches(".toml").to_owned();
            groups.insert(group, texts(&language, &format!("{language}/{file}"), table, &mut mistakes));
        }
        catalogs.insert(language, groups);
    }
    let source = catalogs.get(SOURCE).ok_or("there is no locales/en")?;
    for (language, groups) in &catalogs {
        compare(language, groups, source, &mut mistakes);
    }
    if !mistakes.is_empty() {
        return Err(format!("the texts do not fit together:\n{}", mistakes.join("\n")).into());
    }
    let version = version(&catalogs);
    // For `cargo xtask`, which writes it into the site.
    println!("cargo::rustc-env=OAUTH2FLOW_TEXTS={version}");
    let out = env::var("OUT_DIR")?;
    let out = Path::new(&out);
    for (language, groups) in &catalogs {
        for (group, texts) in groups {
            fs::write(out.join(file(language, group)), texts.values().map(String::as_str).collect::<Vec<_>>().join("\n"))?;
        }
    }
    Ok(fs::write(out.join("texts.rs"), generate(&catalogs, source, &version)?)?)
}

/// Where the texts of a group stand beside the generated code: one a line, in the order of their numbers.
fn file(language: &str, group: &str) -> String {
    format!("{language}.{group}.txt")
}

/// The expression for what is in that file.
fn included(language: &str, group: &str) -> String {
    format!("include_str!(concat!(env!(\"OUT_DIR\"), \"/{}\"))", file(language, group))
}

/// Tells one state of the texts from another (FNV-1a). It is the same from whatever compiler: the site may be of another one than the server.
fn version(catalogs: &BTreeMap<String, BTreeMap<String, Texts>>) -> String {
    let mut version = 0xcbf2_9ce4_8422_2325_u64;
    for (language, groups) in catalogs {
        for (group, texts) in groups {
            for (key, text) in texts {
                for byte in [language, group, key, text].into_iter().flat_map(|part| part.bytes().chain([0])) {
                    version = (version ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
                }
            }
        }
    }
    format!("{version:016x}")
}

/// What is in a directory, but for what an editor leaves there.
fn names(directory: &Path) -> Result<BTreeSet<String>, Box<dyn Error>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name().into_string().map_err(|_| "a name is no text")?;
        if !name.starts_with('.') && !name.ends_with('~') {
            names.insert(name);
        }
    }
    Ok(names)
}

fn texts(language: &str, file: &str, table: Table, mistakes: &mut Vec<String>) -> Texts {
    let mut texts = Texts::new();
    for (section, entries) in table {
        let Value::Table(entries) = entries else {
            mistakes.push(format!("{file}: {section} stands in no [section]"));
            continue;
        };
        for (name, text) in entries {
            let key = format!("{section}_{name}").to_uppercase();
            let Value::String(text) = text else {
                mistakes.push(format!("{file}: [{section}] {name} is no text"));
                continue;
            };
            // One text is one line of what the browser gets.
            if text.is_empty() || text.trim() != text || text.chars().any(char::is_control) {
                mistakes.push(format!("{file}: [{section}] {name} is empty, begins or ends with a space, or has more than one line"));
            }
            let elements = elements(&text);
            if name.ends_with("_html") {
                if elements
                    .iter()
                    .any(|element| element.starts_with("<script") || element.starts_with("</script") || element.starts_with("<!"))
                {
                    mistakes.push(format!("{file}: [{section}] {name} has an element that no text may have"));
                }
            } else if !elements.is_empty() {
                mistakes.push(format!("{file}: [{section}] {name} has elements, and a name that does not end with _html"));
            }
            if !are_placeholders(&text) {
                mistakes.push(format!("{file}: [{section}] {name} has a brace that is no {{placeholder}}"));
            }
            if texts.insert(key, typeset(language, &text)).is_some() {
                mistakes.push(format!("{file}: [{section}] {name} is there twice"));
            }
        }
    }
    texts
}

/// The text as a printer sets it, so that nobody has to find the letters on a keyboard: an apostrophe for a straight one, and in French the
/// spaces where no line may break. What stands in an element's own brackets, or is code, stays as it is.
fn typeset(language: &str, text: &str) -> String {
    const NO_BREAK: char = '\u{a0}';
    const NARROW_NO_BREAK: char = '\u{202f}';
    let mut set = String::new();
    let (mut is_element, mut is_code, mut before) = (false, false, None);
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        if letter == '<' {
            is_element = true;
            is_code = text[at..].starts_with("<code>");
        }
        let after = letters.peek().map(|(_, letter)| *letter);
        set.push(match (letter, after) {
            _ if is_element || is_code => letter,
            ('\'', _) => '’',
            (' ', Some(';' | '!' | '?')) if language == "fr" => NARROW_NO_BREAK,
            (' ', Some(':' | '»')) if language == "fr" => NO_BREAK,
            // After an opening quote, and between a number and what it counts.
            (' ', _) if language == "fr" && (before == Some('«') || set.ends_with("{number}")) => NO_BREAK,
            _ => letter,
        });
        if letter == '>' {
            is_element = false;
        }
        before = Some(letter);
    }
    set
}

fn compare(language: &str, groups: &BTreeMap<String, Texts>, source: &BTreeMap<String, Texts>, mistakes: &mut Vec<String>) {
    let nothing = Texts::new();
    for group in groups.keys().chain(source.keys()).collect::<BTreeSet<_>>() {
        let (texts, originals) = (groups.get(group).unwrap_or(&nothing), source.get(group).unwrap_or(&nothing));
        for key in texts.keys().chain(originals.keys()).collect::<BTreeSet<_>>() {
            match (texts.get(key), originals.get(key)) {
                (Some(text), Some(original)) => {
                    if placeholders(text) != placeholders(original) {
                        mistakes.push(format!("{language}/{group}.toml: {key} has other placeholders than the English text"));
                    }
                    if elements(text) != elements(original) {
                        mistakes.push(format!("{language}/{group}.toml: {key} has other elements than the English text"));
                    }
                }
                (None, _) => mistakes.push(format!("{language}/{group}.toml: {key} is missing")),
                (_, None) => mistakes.push(format!("{language}/{group}.toml: {key} is not in English")),
            }
        }
    }
}

/// What stands between `open` and `close`, sorted: their order is the language's own.
fn between(text: &str, open: char, close: char) -> Vec<&str> {
    let mut found: Vec<_> =
        text.match_indices(open).filter_map(|(start, _)| text.get(start..).and_then(|rest| rest.get(..=rest.find(close)?))).collect();
    found.sort_unstable();
    found
}

fn placeholders(text: &str) -> Vec<&str> {
    between(text, '{', '}')
}

fn elements(text: &str) -> Vec<&str> {
    between(text, '<', '>')
}

/// Whether each brace belongs to a `{name}`.
fn are_placeholders(text: &str) -> bool {
    let found = placeholders(text);
    let is_name = |name: &&str| name.len() > 2 && name.bytes().filter(|byte| !byte.is_ascii_lowercase() && *byte != b'_').count() == 2;
    found.iter().all(is_name) && text.matches('{').count() == found.len() && text.matches('}').count() == found.len()
}

/// The number as people write it.
fn hexadecimal(number: u32) -> String {
    format!("0x{:04x}_{:04x}", number >> 16, number & 0xffff)
}

/// As the app does it.
fn mark(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |mark, byte| (mark ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

fn generate(
    catalogs: &BTreeMap<String, BTreeMap<String, Texts>>,
    source: &BTreeMap<String, Texts>,
    version: &str,
) -> Result<String, Box<dyn Error>> {
    let mut out = String::new();
    let variant = |name: &str| -> String {
        let mut letters = name.chars();
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
    };
    writeln!(out, "/// Tells one state of the texts from another.\npub const VERSION: &str = \"{version}\";\n")?;
    writeln!(out, "/// Texts that come to the browser together: a file in each language's directory.")?;
    writeln!(out, "#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]\npub enum Group {{")?;
    for group in source.keys() {
        writeln!(out, "    /// `{group}.toml`\n    {},", variant(group))?;
    }
    writeln!(out, "}}\n\nimpl Group {{\n    /// Every group.\n    pub const ALL: [Self; {}] = [", source.len())?;
    for group in source.keys() {
        writeln!(out, "        Self::{},", variant(group))?;
    }
    writeln!(out, "    ];\n\n    /// The name of its files.\n    pub const fn name(self) -> &'static str {{\n        match self {{")?;
    for group in source.keys() {
        writeln!(out, "            Self::{} => \"{group}\",", variant(group))?;
    }
    writeln!(out, "        }}\n    }}\n}}\n")?;
    // A document says them in English, also to a page that has no English.
    let general: Vec<_> = source
        .values()
        .flatten()
        .filter(|(key, _)| key.starts_with("PROBLEM_") && key.ends_with("_WHY"))
        .map(|(_, text)| hexadecimal(mark(text)))
        .collect();
    writeln!(out, "/// The marks of the general words about each problem, in English.")?;
    writeln!(out, "pub(crate) const GENERAL_WORDS: [u32; {}] = [{}];\n", general.len(), general.join(", "))?;
    for (group, texts) in source {
        writeln!(out, "/// The texts of `{group}.toml`.\npub mod {group} {{\n    use super::{{Group, Text}};\n")?;
        for (number, (key, text)) in texts.iter().enumerate() {
            writeln!(out, "    #[doc = {:?}]", format!("```text\n{text}\n```"))?;
            writeln!(out, "    pub const {key}: Text = Text::new(Group::{}, {number});", variant(group))?;
        }
        writeln!(out, "}}\n")?;
    }
    writeln!(out, "/// All texts of a group, one a line, in the order of their numbers.")?;
    writeln!(
        out,
        "#[cfg(feature = \"ssr\")]\nconst fn lines(language: Language, group: Group) -> &'static str {{\n    match (language, group) {{"
    )?;
    for (language, groups) in catalogs {
        for group in groups.keys() {
            writeln!(out, "        (Language::{}, Group::{}) => {},", variant(language), variant(group), included(language, group))?;
        }
    }
    writeln!(out, "    }}\n}}\n")?;
    writeln!(out, "/// The English ones, for a bundle whose document brings none.")?;
    writeln!(
        out,
        "#[cfg(not(any(feature = \"ssr\", feature = \"hydrate\")))]\nconst fn english(group: Group) -> &'static str {{\n    match group {{"
    )?;
    for group in source.keys() {
        writeln!(out, "        Group::{} => {},", variant(group), included(SOURCE, group))?;
    }
    writeln!(out, "    }}\n}}")?;
    Ok(out)
}
