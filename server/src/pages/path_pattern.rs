//! Which paths a route of the app stands for.

/// The path of a route, as [`leptos_axum::generate_route_list`] writes it: `/entries/{id}`, `/files/{*rest}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PathPattern(Vec<Segment>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    /// This text.
    Static(String),
    /// Any text, but some.
    Parameter,
    /// Whatever comes, nothing among it.
    Rest,
}

impl PathPattern {
    /// Reads the path of a route. Nested routes may leave empty segments in it, which stand for nothing.
    pub(super) fn parse(route: &str) -> Self {
        let segment = |text: &str| match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            Some(name) if name.starts_with('*') => Segment::Rest,
            Some(_) => Segment::Parameter,
            None => Segment::Static(text.to_owned()),
        };
        Self(route.split('/').filter(|text| !text.is_empty()).map(segment).collect())
    }

    /// Whether the route stands for this path. A slash at the end belongs to the path.
    pub(super) fn matches(&self, path: &str) -> bool {
        let Some(path) = path.strip_prefix('/') else { return false };
        let mut given = (!path.is_empty()).then(|| path.split('/')).into_iter().flatten();
        for segment in &self.0 {
            let fits = match segment {
                Segment::Rest => return true,
                Segment::Parameter => given.next().is_some_and(|text| !text.is_empty()),
                Segment::Static(expected) => given.next() == Some(expected),
            };
            if !fits {
                return false;
            }
        }
        given.next().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::PathPattern;

    #[test]
    fn a_route_stands_for_the_paths_that_the_apps_router_takes_it_for() {
        for (route, paths, others) in [
            ("/", &["/"][..], &["", "/a", "//", "a"][..]),
            ("", &["/"], &["", "/a"]),
            ("/entries", &["/entries"], &["/entries/", "/entries/1", "/entriess", "/Entries", "entries"]),
            ("/entries/{id}", &["/entries/1", "/entries/%2f"], &["/entries", "/entries/", "/entries/1/", "/entries/1/edit", "/other/1"]),
            ("/{user}/entries/{id}", &["/a/entries/1"], &["//entries/1", "/a/entries", "/a/other/1"]),
            ("/files/{*rest}", &["/files", "/files/", "/files/a", "/files/a/b/"], &["/", "/file", "/filesa"]),
            ("/{*rest}", &["/", "/a", "/a/b"], &["", "a"]),
            // A route inside of one whose path is "/".
            ("//entries", &["/entries"], &["//entries"]),
        ] {
            let pattern = PathPattern::parse(route);
            for path in paths {
                assert!(pattern.matches(path), "{route} {path}");
            }
            for path in others {
                assert!(!pattern.matches(path), "{route} {path}");
            }
        }
    }
}
