//! Text that a provider wrote, made fit for a log line or a page.

use std::fmt;

/// The longest text kept, in characters.
const MAXIMUM_CHARACTERS: usize = 300;

/// Text that a provider wrote: bounded, without control characters or invisible direction marks. Still only text:
/// whoever puts it into HTML escapes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProviderText(String);

impl ProviderText {
    /// Cleans the text.
    pub fn new(text: &str) -> Self {
        let cleaned = text
            .chars()
            .take(MAXIMUM_CHARACTERS)
            .map(|character| if character.is_control() || is_deceptive(character) { ' ' } else { character })
            .collect::<String>();
        Self(cleaned.trim().to_owned())
    }

    /// The cleaned text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProviderText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Line separators and marks that reorder or hide what follows them.
fn is_deceptive(character: char) -> bool {
    matches!(
        character,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
    )
}
