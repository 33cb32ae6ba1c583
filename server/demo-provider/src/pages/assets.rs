//! The style sheet and the drawings.

pub(crate) const STYLESHEET: &str = include_str!("style.css");
pub(crate) const ICON: &str = include_str!("icon.svg");
/// The icon inside a page, where it takes the page's colours.
pub(crate) const MARK: &str = include_str!("mark.svg");
/// Beside every permission.
pub(crate) const CHECK: &str = include_str!("check.svg");
