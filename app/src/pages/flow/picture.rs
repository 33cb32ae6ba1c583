//! The diagram as a picture: an SVG that stands by itself, with no script, no style and nothing to fetch.

use super::{
    layout::{Arrow, Direction, Lanes, party},
    meaning, sentences, timing,
};
use crate::{
    flow::{Channel, LoginOutcome, Message, RecordedLogin},
    texts::{fill, flow, language, t},
};

const WIDTH: usize = 1_000;
const MARGIN: usize = 24;
/// Where the lanes begin, after the numbers.
const LEFT: usize = 64;
/// Where they end, before the times.
const RIGHT: usize = 904;
const HEAD: usize = 132;
const ROW: usize = 58;
const FOOT: usize = 40;

const INK: &str = "#1b1d22";
const SOFT: &str = "#55585f";
const LINE: &str = "#d9d5cc";
const ACCENT: &str = "#1f5f4a";
const DANGER: &str = "#97281f";

/// How many letters of a line fit under an arrow: an address may be of any length.
const LETTERS: usize = 64;

/// The picture of a login.
pub(crate) fn picture(login: &RecordedLogin) -> String {
    let lanes = Lanes::of(login);
    let bottom = HEAD + login.messages.len() * ROW;
    let height = bottom + FOOT;
    let title = fill(flow::FLOW_PICTURE_TITLE, &[("provider", &login.provider_name)]);
    let mut svg = Svg(String::new());
    svg.raw("<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" lang=\"");
    svg.raw(language().tag());
    svg.raw("\" direction=\"");
    svg.raw(language().direction());
    svg.raw("\" viewBox=\"0 0 ");
    svg.raw(
        &[&WIDTH.to_string(), " ", &height.to_string(), "\" width=\"", &WIDTH.to_string(), "\" height=\"", &height.to_string()].concat(),
    );
    svg.raw("\" font-family=\"system-ui, sans-serif\" font-size=\"14\"><title>");
    svg.text(&title);
    svg.raw("</title><desc>");
    svg.text(&sentences::outcome(login));
    svg.raw("</desc>");
    svg.rectangle(0, 0, WIDTH, height, "#fbfaf8");
    svg.label(MARGIN, 40, "start", INK, "font-size=\"22\" font-weight=\"600\"", &title);
    svg.label(MARGIN, 64, "start", SOFT, "", &timing::moment_of(&login.started_at));
    let failed_at = match &login.outcome {
        LoginOutcome::Failed(failure) => Some(failure.message),
        LoginOutcome::Running | LoginOutcome::SignedIn => None,
    };
    svg.label(MARGIN, 86, "start", if failed_at.is_some() { DANGER } else { INK }, "", &sentences::outcome(login));
    for (at, &one) in lanes.parties().iter().enumerate() {
        let x = centre(&lanes, at);
        svg.line(x, HEAD - 4, x, bottom, LINE, "");
        svg.label(x, HEAD - 14, "middle", INK, "font-weight=\"600\"", party(one));
    }
    for (at, message) in login.messages.iter().enumerate() {
        row(&mut svg, &lanes, message, HEAD + at * ROW, failed_at == Some(message.number));
    }
    svg.label(MARGIN, bottom + 26, "start", SOFT, "font-size=\"12\"", t(flow::FLOW_PICTURE_LEGEND));
    svg.raw("</svg>");
    svg.0
}

fn row(svg: &mut Svg, lanes: &Lanes, message: &Message, top: usize, failed: bool) {
    let colour = match (failed, message.channel) {
        (true, _) => DANGER,
        (false, Channel::Back) => ACCENT,
        (false, Channel::Front) => INK,
    };
    let arrow = lanes.arrow(message);
    let (left, right) = (centre(lanes, arrow.left), centre(lanes, arrow.right));
    let (anchor, x) = ("middle", centre_of_half(lanes, arrow.left + arrow.right));
    svg.label(MARGIN, top + 32, "start", SOFT, "", &message.number.to_string());
    let act = meaning::message(message.name).act;
    let act = if failed { fill(flow::FLOW_PICTURE_FAILED_HERE, &[("act", act)]) } else { act.to_owned() };
    svg.paper(x, top + 20, anchor, colour, "", &act);
    let y = top + 30;
    draw(svg, arrow, (left, right), y, colour, message.channel);
    if let Some(call) = sentences::short_call(message) {
        svg.paper(x, top + 47, anchor, SOFT, "font-size=\"11\"", &clipped(&call));
    }
    svg.label(WIDTH - MARGIN, top + 32, "end", SOFT, "font-size=\"12\"", &timing::duration(message.at_microseconds));
}

fn draw(svg: &mut Svg, arrow: Arrow, (left, right): (usize, usize), y: usize, colour: &str, channel: Channel) {
    let (from, to, tip) = match arrow.direction {
        Direction::Onward => (left, right - 9, [(right, y), (right - 11, y - 6), (right - 11, y + 6)]),
        Direction::Back => (left + 9, right, [(left, y), (left + 11, y - 6), (left + 11, y + 6)]),
        Direction::Within => {
            svg.line(left.saturating_sub(30), y, left + 30, y, colour, " stroke-dasharray=\"4 4\"");
            return;
        }
    };
    if channel == Channel::Back {
        svg.line(from, y - 2, to, y - 2, colour, "");
        svg.line(from, y + 2, to, y + 2, colour, "");
    } else {
        svg.line(from, y, to, y, colour, "");
    }
    svg.raw("<path fill=\"");
    svg.raw(colour);
    svg.raw("\" d=\"M");
    svg.raw(&tip.map(|(x, y)| [x.to_string(), y.to_string()].join(" ")).join(" L"));
    svg.raw("Z\"/>");
}

fn centre(lanes: &Lanes, place: usize) -> usize {
    centre_of_half(lanes, 2 * place)
}

/// The middle of the lanes whose places add up to `sum`.
fn centre_of_half(lanes: &Lanes, sum: usize) -> usize {
    LEFT + (RIGHT - LEFT) * (sum + 1) / (2 * lanes.parties().len())
}

fn clipped(text: &str) -> String {
    if text.chars().count() <= LETTERS {
        return text.to_owned();
    }
    text.chars().take(LETTERS - 1).chain(['…']).collect()
}

/// The text of a picture, in which everything but the parts that are written here is escaped.
struct Svg(String);

impl Svg {
    fn raw(&mut self, markup: &str) {
        self.0.push_str(markup);
    }

    fn text(&mut self, text: &str) {
        escape(text, &mut self.0);
    }

    fn label(&mut self, x: usize, y: usize, anchor: &str, colour: &str, more: &str, text: &str) {
        self.raw(
            &["<text x=\"", &x.to_string(), "\" y=\"", &y.to_string(), "\" text-anchor=\"", anchor, "\" fill=\"", colour, "\" ", more, ">"]
                .concat(),
        );
        self.text(text);
        self.raw("</text>");
    }

    /// Words on top of lines, which end around them.
    fn paper(&mut self, x: usize, y: usize, anchor: &str, colour: &str, more: &str, text: &str) {
        self.label(x, y, anchor, colour, &[more, " stroke=\"#fbfaf8\" stroke-width=\"5\" paint-order=\"stroke\""].concat(), text);
    }

    fn line(&mut self, x1: usize, y1: usize, x2: usize, y2: usize, colour: &str, more: &str) {
        let [x1, y1, x2, y2] = [x1, y1, x2, y2].map(|number| number.to_string());
        self.raw(
            &[
                "<path fill=\"none\" stroke-width=\"1.5\" stroke=\"",
                colour,
                "\"",
                more,
                " d=\"M",
                &x1,
                " ",
                &y1,
                "L",
                &x2,
                " ",
                &y2,
                "\"/>",
            ]
            .concat(),
        );
    }

    fn rectangle(&mut self, x: usize, y: usize, width: usize, height: usize, colour: &str) {
        let [x, y, width, height] = [x, y, width, height].map(|number| number.to_string());
        self.raw(&["<rect x=\"", &x, "\" y=\"", &y, "\" width=\"", &width, "\" height=\"", &height, "\" fill=\"", colour, "\"/>"].concat());
    }
}

/// Appends `text` as the text of an XML document: what XML cannot hold, and what turns the direction of writing, becomes a replacement
/// character.
fn escape(text: &str, escaped: &mut String) {
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\t' | '\n' | '\r' => escaped.push(' '),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ if letter.is_control() => escaped.push('\u{fffd}'),
            _ => escaped.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{clipped, escape, picture};
    use crate::{
        flow::{LoginFailure, LoginOutcome},
        pages::flow::example,
    };

    /// Nothing but elements and attributes that are known to do nothing, each opened and closed in order.
    fn assert_harmless(svg: &str) {
        let mut open = Vec::new();
        for part in svg.split('<').skip(1) {
            let (tag, text) = part.split_once('>').unwrap();
            assert!(!text.contains('>'), "{text}");
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name));
                continue;
            }
            let name = tag.split([' ', '/']).next().unwrap();
            assert!(["svg", "title", "desc", "text", "path", "rect"].contains(&name), "{tag}");
            let known = [
                "xmlns",
                "role",
                "lang",
                "direction",
                "viewBox",
                "width",
                "height",
                "x",
                "y",
                "d",
                "fill",
                "stroke",
                "text-anchor",
                "paint-order",
            ];
            // Of the parts between quotation marks, every other one is a value.
            for attribute in tag
                .split('"')
                .step_by(2)
                .filter_map(|part| part.trim().split([' ', '=']).rfind(|part| !part.is_empty() && *part != "/" && *part != name))
            {
                assert!(
                    known.contains(&attribute) || attribute.starts_with("font-") || attribute.starts_with("stroke-"),
                    "{attribute} in {tag}"
                );
            }
            if !tag.ends_with('/') {
                open.push(name);
            }
        }
        assert!(open.is_empty(), "{open:?}");
        assert_eq!(svg.matches("://").count(), svg.matches("http://www.w3.org/2000/svg").count(), "it needs nothing from elsewhere");
    }

    #[test]
    fn the_picture_shows_who_says_what_and_needs_nothing_else() {
        for login in [example::signed_in(), example::denied()] {
            let svg = picture(&login);
            assert_harmless(&svg);
            for word in ["Browser", "Backend", "Provider", "brings the authorization request", ">POST /api/v1/oauth/code"] {
                assert!(svg.contains(word), "{word}");
            }
        }
        assert!(picture(&example::denied()).contains("hands the answer to the backend – failed here"));
    }

    /// On the server, which has every language.
    #[cfg(feature = "ssr")]
    #[test]
    fn the_picture_is_in_the_language_of_the_page() {
        use crate::{
            language::Language,
            texts::{flow, text_in},
        };
        use leptos::prelude::{Owner, provide_context};

        for language in Language::ALL {
            let svg = Owner::new().with(|| {
                provide_context(language);
                picture(&example::denied())
            });
            assert_harmless(&svg);
            assert!(svg.contains(&["lang=\"", language.tag(), "\" direction=\"", language.direction(), "\""].concat()), "{svg}");
            let mut said = String::new();
            for text in [flow::FLOW_PICTURE_LEGEND, flow::MESSAGE_AUTHORIZATION_REQUEST_ACT, flow::PARTY_PROVIDER] {
                said.clear();
                escape(text_in(language, text), &mut said);
                assert!(svg.contains(&said), "{said} in {svg}");
            }
            let (before, after) = text_in(language, flow::FLOW_PICTURE_TITLE).split_once("{provider}").unwrap();
            assert!(svg.contains(&["<title>", before, "Demo", after, "</title>"].concat()), "{svg}");
            let (before, after) = text_in(language, flow::FLOW_PICTURE_FAILED_HERE).split_once("{act}").unwrap();
            let act = text_in(language, flow::MESSAGE_CODE_FORWARDED_ACT);
            said.clear();
            escape(&[before, act, after].concat(), &mut said);
            assert!(svg.contains(&said), "{said} in {svg}");
            if language != Language::En {
                for english in ["Sign-in with", "failed here", "Thin line", "Provider", "Not signed in"] {
                    assert!(!svg.contains(english), "{english} in {svg}");
                }
            }
        }
    }

    #[test]
    fn hostile_text_stays_text() {
        let hostile = "\"><script>alert(1)</script><image href='//evil.example' onload=\"alert(1)\"/>&\u{0}\u{1b}\u{202e}\u{ffff}]]>";
        let mut login = example::denied();
        login.provider_name = hostile.to_owned();
        login.started_at = hostile.to_owned();
        login.outcome = LoginOutcome::Failed(LoginFailure {
            code: hostile.to_owned(),
            title: hostile.to_owned(),
            detail: hostile.to_owned(),
            message: 6,
        });
        for message in &mut login.messages {
            message.address = Some(hostile.to_owned());
            message.method = Some(hostile.to_owned());
            message.error = Some(hostile.to_owned());
        }
        let svg = picture(&login);
        assert_harmless(&svg);
        assert!(svg.contains("&quot;&gt;&lt;script&gt;alert(1)"), "{svg}");
        assert!(!svg.contains(['\0', '\u{1b}', '\u{202e}', '\u{ffff}']));
    }

    #[test]
    fn a_long_address_is_clipped_between_letters() {
        let clipped = clipped(&"ü".repeat(500));
        assert_eq!(clipped.chars().count(), 64);
        assert!(clipped.ends_with("ü…"));
    }

    #[test]
    fn everything_that_means_something_in_xml_is_escaped() {
        let mut escaped = String::new();
        escape("<a b=\"c\" d='e'>&\n\u{7f}", &mut escaped);
        assert_eq!(escaped, "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp; \u{fffd}");
    }
}
