//! Names and values as forms and queries have them. [URL §5.2](https://url.spec.whatwg.org/#urlencoded-serializing)

/// How much longer than its value a pair may become without the text growing: most values are letters and digits, addresses are not.
const ROOM_FOR_A_PAIR: usize = 16;

/// What stands for itself.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0_u8;
    // All of them are ASCII.
    while byte < 0x80 {
        plain[byte as usize] = matches!(byte, b'*' | b'-' | b'.' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z');
        byte += 1;
    }
    plain
};

/// Adds pairs to a text that ends before the first or after another.
pub(crate) fn append_pairs<'a>(text: &mut String, pairs: impl Iterator<Item = (&'a str, &'a str)> + Clone) {
    text.reserve(pairs.clone().map(|(name, value)| name.len() + value.len() + ROOM_FOR_A_PAIR).sum());
    for (name, value) in pairs {
        if !text.is_empty() && !text.ends_with('?') {
            text.push('&');
        }
        append(text, name);
        text.push('=');
        append(text, value);
    }
}

fn append(text: &mut String, mut value: &str) {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    while let Some(other) = value.bytes().position(|byte| !PLAIN[usize::from(byte)]) {
        let (plain, rest) = value.split_at(other);
        text.push_str(plain);
        // A character ends where the next begins: only whole ones are split off.
        let width = rest.chars().next().map_or(1, char::len_utf8);
        for byte in rest.bytes().take(width) {
            if byte == b' ' {
                text.push('+');
            } else {
                text.extend(['%', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
            }
        }
        value = &rest[width..];
    }
    text.push_str(value);
}

#[cfg(test)]
mod tests {
    use super::append_pairs;
    use proptest::prelude::*;

    #[test]
    fn pairs_are_added_to_what_is_there() {
        for (before, after) in [("", "a=b+c&d="), ("https://a.example/?", "https://a.example/?a=b+c&d="), ("x=y", "x=y&a=b+c&d=")] {
            let mut text = before.to_owned();
            append_pairs(&mut text, [("a", "b c"), ("d", "")].into_iter());
            assert_eq!(text, after);
        }
    }

    proptest! {
        #[test]
        fn every_pair_is_written_as_the_standard_says(pairs in proptest::collection::vec(("(?s:.){0,12}", "(?s:.){0,12}"), 0..4)) {
            let mut text = String::new();
            append_pairs(&mut text, pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())));
            prop_assert_eq!(text, url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish());
        }
    }
}
