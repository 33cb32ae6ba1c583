//! What the app says, in the reader's language.
//!
//! The texts stand in `locales`, a directory for each language, and are not in the app's WebAssembly: the server writes those that a page
//! begins with into it ([`Element`]), and those of a part come with the part. So nobody loads a language they do not read.

use leptos::prelude::*;

use crate::language::Language;

include!(concat!(env!("OUT_DIR"), "/texts.rs"));

/// One text, in whatever language it is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    group: Group,
    number: u16,
}

impl Text {
    const fn new(group: Group, number: u16) -> Self {
        Self { group, number }
    }

    /// The text so many places after this one, for tables that are ordered alike.
    #[must_use]
    pub const fn after(self, places: u16) -> Self {
        Self { group: self.group, number: self.number + places }
    }
}

/// The language of the page.
pub(crate) fn language() -> Language {
    source::language()
}

/// The text, in the language of the page.
pub fn t(text: Text) -> &'static str {
    source::get(text)
}

/// The words before and after the one placeholder of the text, for something else than text to stand between them.
pub fn around(text: Text) -> (&'static str, &'static str) {
    let text = t(text);
    text.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?.1))).unwrap_or((text, ""))
}

/// The text with values in the places of their names.
pub fn fill(text: Text, values: &[(&str, &str)]) -> String {
    let mut filled = String::new();
    each_piece(t(text), |piece| match piece {
        Ok(words) => filled.push_str(words),
        Err(name) => filled.push_str(values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)),
    });
    filled
}

/// How many there are of something: the text for one or for others, with the number in the place of `{number}`.
pub fn count(number: u64, one: Text, other: Text) -> String {
    fill(if source::language().is_singular(number) { one } else { other }, &[("number", &number.to_string())])
}

/// The text with what `place` gives for each name in its place.
pub(crate) fn pieces(text: Text, place: impl Fn(&str) -> AnyView) -> Vec<AnyView> {
    let mut views = Vec::new();
    each_piece(t(text), |piece| {
        views.push(match piece {
            Ok(words) => crate::erased::erased(words),
            Err(name) => place(name),
        });
    });
    views
}

/// Gives the words of a text and the names of its placeholders, as errors, in their order.
fn each_piece(text: &'static str, mut take: impl FnMut(Result<&'static str, &'static str>)) {
    let mut rest = text;
    while let Some((before, (name, after))) = rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?))) {
        if !before.is_empty() {
            take(Ok(before));
        }
        take(Err(name));
        rest = after;
    }
    if !rest.is_empty() {
        take(Ok(rest));
    }
}

/// Whether the texts of the group are there. On the server they always are.
pub(crate) fn has(group: Group) -> bool {
    source::has(group)
}

/// A short mark of a text, by which it is known again (FNV-1a).
pub(crate) fn mark(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |mark, byte| (mark ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Loads the texts of these groups, unless they are there, and tells whether they are now. On the server they always are.
pub(crate) async fn load(groups: &[Group]) -> bool {
    let mut all = true;
    for group in groups {
        all &= source::load(*group).await;
    }
    all
}

/// Every language is there, and a page is in the one that its request wants.
#[cfg(feature = "ssr")]
mod source {
    use super::{Group, Language, Text, lines};
    use leptos::prelude::use_context;
    use std::sync::LazyLock;

    type Catalog = [Vec<&'static str>; Group::ALL.len()];

    static CATALOGS: LazyLock<[Catalog; Language::ALL.len()]> =
        LazyLock::new(|| Language::ALL.map(|language| Group::ALL.map(|group| lines(language, group).split('\n').collect())));

    pub(super) fn language() -> Language {
        use_context().unwrap_or_default()
    }

    pub(super) fn get(text: Text) -> &'static str {
        of(language(), text)
    }

    pub(super) fn of(language: Language, text: Text) -> &'static str {
        CATALOGS[language as usize][text.group as usize][usize::from(text.number)]
    }

    pub(super) const fn has(_group: Group) -> bool {
        true
    }

    pub(super) fn load(_group: Group) -> impl Future<Output = bool> {
        std::future::ready(true)
    }
}

/// The text in that language.
#[cfg(feature = "ssr")]
pub fn text_in(language: Language, text: Text) -> &'static str {
    source::of(language, text)
}

/// All texts of a group in that language, one a line, as the app reads them.
#[cfg(feature = "ssr")]
pub fn catalog(language: Language, group: Group) -> &'static str {
    lines(language, group)
}

/// The path below which the server answers with texts, followed by their version, the language and the group.
pub const BASE: &str = "/pkg/texts";

/// The `<meta>` of a page in which its texts stand.
#[cfg(any(feature = "ssr", target_arch = "wasm32"))]
const ELEMENT: &str = "texts";

/// The texts that a page begins with, for its `<head>`: the language's, of these groups.
#[cfg(feature = "ssr")]
#[component]
pub fn Element(
    /// The page's language.
    language: Language,
    /// The groups that it draws with before anything else is loaded.
    groups: &'static [Group],
) -> impl IntoView {
    let address = [BASE, "/", VERSION, "/", language.tag(), "/"].concat();
    // No text is empty, so an empty line parts the groups.
    let blocks: Vec<_> = groups.iter().map(|group| [group.name(), "\n", lines(language, *group)].concat()).collect();
    view! { <meta id=ELEMENT name=ELEMENT data-address=address content=blocks.join("\n\n") /> }
}

/// What the document has brought, and what has been loaded since.
#[cfg(not(feature = "ssr"))]
mod source {
    use super::{Group, Language, Text};
    use std::cell::RefCell;

    type Catalog = [Vec<&'static str>; Group::ALL.len()];

    thread_local! {
        static TEXTS: RefCell<Option<Catalog>> = const { RefCell::new(None) };
    }

    fn with<T>(look: impl FnOnce(&mut Catalog) -> T) -> T {
        TEXTS.with_borrow_mut(|texts| look(texts.get_or_insert_with(at_start)))
    }

    /// That of the document.
    pub(super) fn language() -> Language {
        #[cfg(target_arch = "wasm32")]
        let tag = leptos::prelude::document().document_element().and_then(|root| root.get_attribute("lang"));
        #[cfg(not(target_arch = "wasm32"))]
        let tag = None::<String>;
        tag.and_then(|tag| Language::parse(&tag)).unwrap_or_default()
    }

    pub(super) fn get(text: Text) -> &'static str {
        with(|texts| texts[text.group as usize].get(usize::from(text.number)).copied().unwrap_or_default())
    }

    pub(super) fn has(group: Group) -> bool {
        with(|texts| !texts[group as usize].is_empty())
    }

    /// The texts of one group, for as long as the page lives.
    #[cfg(any(target_arch = "wasm32", not(feature = "hydrate")))]
    fn keep(lines: &str) -> Vec<&'static str> {
        let lines: &'static str = String::from(lines).leak();
        lines.split('\n').collect()
    }

    fn at_start() -> Catalog {
        #[cfg(not(feature = "hydrate"))]
        let catalog = Group::ALL.map(|group| keep(super::english(group)));
        #[cfg(feature = "hydrate")]
        let catalog = Catalog::default();
        with_the_documents(catalog)
    }

    /// Takes over what the document says.
    #[cfg(target_arch = "wasm32")]
    fn with_the_documents(mut catalog: Catalog) -> Catalog {
        for block in element().and_then(|element| element.get_attribute("content")).unwrap_or_default().split("\n\n") {
            if let Some((name, lines)) = block.split_once('\n')
                && let Some(group) = Group::ALL.into_iter().find(|group| group.name() == name)
            {
                catalog[group as usize] = keep(lines);
            }
        }
        catalog
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn with_the_documents(catalog: Catalog) -> Catalog {
        catalog
    }

    #[cfg(target_arch = "wasm32")]
    fn element() -> Option<web_sys::Element> {
        leptos::prelude::document().get_element_by_id(super::ELEMENT)
    }

    #[cfg(target_arch = "wasm32")]
    pub(super) async fn load(group: Group) -> bool {
        if has(group) {
            return true;
        }
        let Some(address) = element().and_then(|element| element.get_attribute("data-address")) else { return false };
        match crate::api::text(&[&address, group.name()].concat()).await {
            Some(lines) => {
                with(|texts| texts[group as usize] = keep(&lines));
                true
            }
            None => false,
        }
    }

    /// Only a browser has a page to load for.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn load(group: Group) -> impl Future<Output = bool> {
        std::future::ready(has(group))
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::{GENERAL_WORDS, Group, VERSION, catalog, each_piece, flow, frame, learn, mark, pages, text_in};
    use crate::{language::Language, problem::ProblemCode};

    #[test]
    fn words_and_placeholders_come_in_the_order_of_the_text() {
        let pieces = |text| {
            let mut pieces = Vec::new();
            each_piece(text, |piece| pieces.push(piece));
            pieces
        };
        assert_eq!(pieces("{a} of {b}."), [Err("a"), Ok(" of "), Err("b"), Ok(".")]);
        assert_eq!(pieces("words"), [Ok("words")]);
        assert_eq!(pieces("a { alone"), [Ok("a { alone")]);
        assert_eq!(pieces(""), []);
    }

    #[test]
    fn the_general_words_about_a_problem_are_known_again() {
        for code in ProblemCode::ALL {
            assert!(GENERAL_WORDS.contains(&mark(code.explain().why)), "{code:?}");
        }
        assert!(!GENERAL_WORDS.contains(&mark("There are too many notes.")));
    }

    #[test]
    fn every_language_has_a_line_for_each_text_and_words_of_its_own() {
        for group in Group::ALL {
            let english = catalog(Language::En, group).lines().count();
            for language in Language::ALL {
                assert_eq!(catalog(language, group).lines().count(), english, "{language:?} {group:?}");
                assert!(language == Language::En || catalog(language, group) != catalog(Language::En, group), "{language:?} {group:?}");
            }
        }
        assert_eq!(text_in(Language::En, frame::PAGE_SKIP), "Skip to content");
        assert_eq!(text_in(Language::De, frame::PAGE_SKIP), "Zum Inhalt springen");
        assert_eq!(VERSION.len(), 16);
    }

    /// What a reader sees of a text: neither elements nor code.
    fn visible(text: &str) -> String {
        let mut rest = text;
        let mut visible = String::new();
        while let Some((before, element)) = rest.split_once('<') {
            visible.push_str(before);
            let end = if element.starts_with("code>") { "</code>" } else { ">" };
            // An element without an end is none: the build looks at that.
            rest = element.split_once(end).map_or("", |(_, rest)| rest);
        }
        visible + rest
    }

    #[test]
    fn apostrophes_and_french_spaces_are_set_by_the_build() {
        for group in Group::ALL {
            for language in Language::ALL {
                for text in catalog(language, group).lines().map(visible) {
                    assert!(!text.contains('\''), "{language:?}: {text}");
                    let marks = [" :", " ;", " !", " ?", " »", "« "];
                    assert!(language != Language::Fr || !marks.iter().any(|mark| text.contains(mark)), "{text}");
                }
            }
        }
        assert_eq!(text_in(Language::Fr, pages::TIME_MINUTE_OTHER), "{number}\u{a0}minutes");
        assert_eq!(text_in(Language::Fr, learn::LEARN_CHEATING), "Et si quelqu’un triche\u{202f}?");
        assert_eq!(text_in(Language::Fr, learn::STEPS_CLICK), "Vous cliquez sur «\u{a0}Se connecter\u{a0}»");
        assert_eq!(text_in(Language::Fr, flow::STEP_ONE), "Étape 1\u{a0}: vous cliquez");
        assert_eq!(text_in(Language::De, flow::STEP_ONE), "Schritt 1: Du klickst");
        assert!(text_in(Language::Fr, frame::PAGE_NEEDS_SCRIPT_HTML).contains("<code>render = \"ssr\"</code>\u{a0}: "));
    }
}
