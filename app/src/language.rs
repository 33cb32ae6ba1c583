//! The languages of the app, and which of them a reader wants.

/// A language that every text is there in. A directory of `locales` each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// German.
    De,
    /// English, the language that every text is written in first.
    #[default]
    En,
    /// Spanish.
    Es,
    /// French.
    Fr,
    /// Chinese, in simplified characters.
    Zh,
}

impl Language {
    /// Every language, in the order of their names.
    pub const ALL: [Self; 5] = [Self::De, Self::En, Self::Es, Self::Fr, Self::Zh];

    /// The language tag ([RFC 5646](https://www.rfc-editor.org/rfc/rfc5646)).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::De => "de",
            Self::En => "en",
            Self::Es => "es",
            Self::Fr => "fr",
            Self::Zh => "zh-Hans",
        }
    }

    /// What those who speak it call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::De => "Deutsch",
            Self::En => "English",
            Self::Es => "Español",
            Self::Fr => "Français",
            Self::Zh => "中文",
        }
    }

    /// Where its lines begin, as the attribute `dir` wants it.
    pub const fn direction(self) -> &'static str {
        match self {
            Self::De | Self::En | Self::Es | Self::Fr | Self::Zh => "ltr",
        }
    }

    /// Which of a text's two forms, for one and for others, goes with a number.
    pub const fn is_singular(self, number: u64) -> bool {
        match self {
            Self::De | Self::En | Self::Es => number == 1,
            Self::Fr => number < 2,
            Self::Zh => false,
        }
    }

    /// The language of that tag, exactly as [`Self::tag`] writes it.
    pub fn parse(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.tag() == tag)
    }

    /// The language for a range such as `de-AT` or `zh-Hant`: the first part decides, since whoever reads one variant reads the other
    /// better than English ([RFC 4647 §3.4](https://www.rfc-editor.org/rfc/rfc4647#section-3.4), lookup).
    fn for_range(range: &str) -> Option<Self> {
        let primary = range.split('-').next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| {
            let tag = language.tag();
            tag.split('-').next().is_some_and(|own| own.eq_ignore_ascii_case(primary))
        })
    }

    /// The best language for an `Accept-Language` ([RFC 9110 §12.5.4](https://www.rfc-editor.org/rfc/rfc9110#section-12.5.4)): the one with
    /// the greatest weight, the first among equals; English where none is wanted, or nobody can tell.
    pub fn negotiate(accept_language: &str) -> Self {
        let mut best = (0, Self::default());
        // A browser sends a handful; nobody makes the server look at thousands.
        for offer in accept_language.split(',').take(32) {
            let mut parts = offer.split(';').map(str::trim);
            let range = parts.next().unwrap_or_default();
            let weight = parts
                .find_map(|parameter| parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q=")))
                .map_or(Some(1_000), weight);
            let language = if range == "*" { Some(Self::default()) } else { Self::for_range(range) };
            if let (Some(weight), Some(language)) = (weight, language)
                && weight > best.0
            {
                best = (weight, language);
            }
        }
        best.1
    }
}

/// A weight in thousandths ([RFC 9110 §12.4.2](https://www.rfc-editor.org/rfc/rfc9110#section-12.4.2)); what is none counts for nothing.
fn weight(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths = decimals.bytes().chain(std::iter::repeat(b'0')).take(3).fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1_000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Language;

    #[test]
    fn the_browsers_first_choice_that_there_is_wins() {
        let cases = [
            ("de", Language::De),
            ("de-AT,de;q=0.9,en;q=0.8", Language::De),
            ("fr-CA", Language::Fr),
            ("es-419, es;q=0.9", Language::Es),
            ("zh-TW,zh;q=0.9,en;q=0.8", Language::Zh),
            ("zh-Hans-CN", Language::Zh),
            ("ZH-hant", Language::Zh),
            ("DE", Language::De),
            ("en-GB,en;q=0.9,de;q=0.8", Language::En),
            ("pt-BR,pt;q=0.9,es;q=0.5,en;q=0.4", Language::Es),
            ("en;q=0.3, fr;q=0.7, de;q=0.5", Language::Fr),
            ("en ; q=0.3 , fr ;q=1.0", Language::Fr),
            ("de;q=0.5,fr;q=0.5", Language::De),
            ("de;q=0,fr;q=0.001", Language::Fr),
            ("de;level=1;q=0.2,es;Q=0.3", Language::Es),
            ("*", Language::En),
            ("*,de", Language::En),
            ("*;q=0.1,de;q=0.2", Language::De),
        ];
        for (accept_language, language) in cases {
            assert_eq!(Language::negotiate(accept_language), language, "{accept_language}");
        }
    }

    #[test]
    fn what_is_no_wish_for_a_language_of_ours_gets_english() {
        let long = "x,".repeat(100_000) + "de";
        let texts = [
            "",
            " ",
            ",",
            ";",
            ",,;q=1",
            "q=1",
            "pt",
            "dede",
            "d",
            "-de",
            "*-de",
            "de;q=",
            "de;q=2",
            "de;q=1.001",
            "de;q=-1",
            "de;q=0.0001",
            "de;q=.5",
            "de;q=1e0",
            "de;q=NaN",
            "de;q=+1",
            "de;q=0,*;q=0",
            "\u{0}",
            "dé",
            "德",
            "de_AT",
            "<script>",
            "de;q=0",
            &long,
        ];
        for text in texts {
            assert_eq!(Language::negotiate(text), Language::En, "{text:.40}");
        }
    }

    #[test]
    fn a_tag_is_read_back_and_nothing_else_is() {
        for language in Language::ALL {
            assert_eq!(Language::parse(language.tag()), Some(language));
        }
        for text in ["", "DE", "de-AT", "zh", "english", " de"] {
            assert_eq!(Language::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_number_takes_the_form_that_its_language_has_for_it() {
        let singular = |language: Language| [0, 1, 2, 21].map(|number| language.is_singular(number));
        assert_eq!(singular(Language::En), [false, true, false, false]);
        assert_eq!(singular(Language::Fr), [true, true, false, false]);
        assert_eq!(singular(Language::Zh), [false; 4]);
    }
}
