//! Which paths of an upstream are passed on.

/// One path, or one with all below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern {
    path: String,
    and_below: bool,
}

impl PathPattern {
    /// Reads a pattern: `/orders` is that path alone, `/orders/*` all below it, and `/*` everything. `None` when it is none, or would
    /// never match a path that is passed on at all.
    pub fn parse(text: &str) -> Option<Self> {
        let (path, and_below) = match text.strip_suffix("/*") {
            Some(path) => (format!("{path}/"), true),
            None => (text.to_owned(), false),
        };
        let is_segment = |segment: &str| !matches!(segment, "" | "." | "..");
        let segments = path.strip_prefix('/')?.strip_suffix('/').or_else(|| path.strip_prefix('/'))?;
        let fits = path == "/" || segments.split('/').all(is_segment);
        let is_written = path.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'*' | b'?' | b'#' | b'\\'));
        (fits && is_written).then_some(Self { path, and_below })
    }

    /// Whether a path is it, or lies below it. Nothing is decoded: a path that is written otherwise is another one.
    pub fn matches(&self, path: &str) -> bool {
        let path = if path.is_empty() { "/" } else { path };
        if self.and_below { path.starts_with(&self.path) } else { path == self.path }
    }
}

#[cfg(test)]
mod tests {
    use super::PathPattern;

    fn matches(pattern: &str, path: &str) -> bool {
        PathPattern::parse(pattern).unwrap().matches(path)
    }

    #[test]
    fn a_pattern_is_a_path_or_all_below_it() {
        for (pattern, path) in [
            ("/", "/"),
            ("/", ""),
            ("/*", ""),
            ("/*", "/anything/at/all"),
            ("/orders", "/orders"),
            ("/orders/", "/orders/"),
            ("/orders/*", "/orders/"),
            ("/orders/*", "/orders/1"),
            ("/orders/*", "/orders/1/lines"),
            ("/a%20b/*", "/a%20b/c"),
        ] {
            assert!(matches(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("/", "/orders"),
            ("/orders", "/orders/"),
            ("/orders", "/orders/1"),
            ("/orders", "/ordersx"),
            ("/orders", "/Orders"),
            ("/orders", "/%6frders"),
            ("/orders", "/orders;x"),
            ("/orders/*", "/orders"),
            ("/orders/*", "/ordersx/1"),
            ("/orders/*", "/x/orders/1"),
        ] {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn what_could_never_match_is_no_pattern() {
        for text in
            ["", "orders", "*", "/orders*", "/*/lines", "/a/../b", "/a/./b", "//a", "/a//b", "/a?b", "/a#b", "/a b", "/a\\b", "/ä", "/a//*"]
        {
            assert_eq!(PathPattern::parse(text), None, "{text}");
        }
    }
}
