//! Where a browser goes when it is sent to a target: the basic URL parser of the [URL standard](https://url.spec.whatwg.org/#url-parsing),
//! written down from its text for a page at an `https` address, state by state. The code under test asks the `url` crate, so that crate
//! alone could not show where both of them are wrong.

/// Where a target leads from a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// To a path of the page's own origin.
    Path(String),
    /// Anywhere else, or nowhere: to another scheme, to whatever host is named, even the page's own, or to none that can be.
    Elsewhere,
}

/// Where a target leads from a page with this path.
pub(crate) fn follow(page_path: &str, target: &str) -> Destination {
    // Leading and trailing C0 controls and spaces are stripped, tabs and newlines are removed.
    let input = target.trim_matches(|character| character <= ' ').chars().filter(|character| !matches!(character, '\t' | '\n' | '\r'));
    let input = input.collect::<Vec<_>>();
    scheme_start(&input, page_path)
}

/// The scheme start state and the scheme state.
fn scheme_start(input: &[char], page_path: &str) -> Destination {
    let is_scheme = |character: &char| character.is_ascii_alphanumeric() || matches!(character, '+' | '-' | '.');
    let end = input.iter().position(|character| !is_scheme(character)).unwrap_or(input.len());
    let has_scheme = input.first().is_some_and(char::is_ascii_alphabetic) && input.get(end) == Some(&':');
    if !has_scheme {
        return relative(input, page_path);
    }
    let scheme = input[..end].iter().collect::<String>().to_ascii_lowercase();
    match &input[end + 1..] {
        // The special relative or authority state is for the page's own scheme only.
        rest if scheme == "https" && !rest.starts_with(&['/', '/']) => relative(rest, page_path),
        _ => Destination::Elsewhere,
    }
}

/// The relative state and the relative slash state.
fn relative(input: &[char], page_path: &str) -> Destination {
    match input {
        // The special authority ignore slashes state: a host follows.
        ['/' | '\\', '/' | '\\', ..] => Destination::Elsewhere,
        ['/' | '\\', rest @ ..] => path(rest, Vec::new()),
        [] | ['?' | '#', ..] => Destination::Path(page_path.to_owned()),
        rest => {
            let mut segments = page_path.split('/').skip(1).map(str::to_owned).collect::<Vec<_>>();
            segments.pop();
            path(rest, segments)
        }
    }
}

/// The path state, up to query and fragment.
fn path(input: &[char], mut segments: Vec<String>) -> Destination {
    let end = input.iter().position(|character| matches!(character, '?' | '#')).unwrap_or(input.len());
    let mut parts = input[..end].split(|character| matches!(character, '/' | '\\')).peekable();
    while let Some(part) = parts.next() {
        let part = part.iter().collect::<String>();
        let is_last = parts.peek().is_none();
        match part.to_ascii_lowercase().replace("%2e", ".").as_str() {
            ".." => {
                segments.pop();
                if is_last {
                    segments.push(String::new());
                }
            }
            "." if is_last => segments.push(String::new()),
            "." => {}
            _ => segments.push(part),
        }
    }
    Destination::Path(format!("/{}", segments.join("/")))
}
