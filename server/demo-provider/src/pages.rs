//! The pages: HTML and one style sheet, no script.

pub(crate) mod assets;
pub(crate) mod consent;
pub(crate) mod end_session;
pub(crate) mod form_post;
pub(crate) mod home;
pub(crate) mod login;
pub(crate) mod notice;

use std::fmt;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::failure::Failure;
use notice::Notice;

pub(crate) const STYLESHEET_PATH: &str = "/style.css";
pub(crate) const ICON_PATH: &str = "/icon.svg";

/// Text that is shown as text, whatever it is.
pub(crate) struct Escaped<'text>(pub(crate) &'text str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => formatter.write_str("&amp;")?,
                '<' => formatter.write_str("&lt;")?,
                '>' => formatter.write_str("&gt;")?,
                '"' => formatter.write_str("&quot;")?,
                '\'' => formatter.write_str("&#39;")?,
                other => fmt::Write::write_char(formatter, other)?,
            }
        }
        Ok(())
    }
}

/// Puts the content of a page between what all pages have.
fn page(status: StatusCode, title: &str, content: &str) -> Response {
    let html = format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} · Demo</title>
<link rel="stylesheet" href="{STYLESHEET_PATH}">
<link rel="icon" href="{ICON_PATH}" type="image/svg+xml">
</head>
<body>
<header class="banner"><p>Local demo – not a real account</p></header>
<main>
<div class="card">
<p class="brand">{mark}<span>Demo</span></p>
{content}
</div>
</main>
<footer><p><a href="/">About this demo provider</a></p></footer>
</body>
</html>
"#,
        title = Escaped(title),
        mark = assets::MARK,
    );
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response()
}

/// Why a page cannot be shown.
#[derive(Debug)]
pub(crate) enum PageError {
    /// Another page is shown instead.
    Notice(Notice),
    Failure(Failure),
}

impl PageError {
    /// A page for a request that no person makes by following links.
    pub(crate) fn status(status: StatusCode) -> Self {
        let text = match status {
            StatusCode::FORBIDDEN => "This form was not sent from the page that it belongs to. Go back, load the page again and repeat it.",
            StatusCode::CONFLICT => "This form has been sent already.",
            _ => "The demo provider cannot read this request.",
        };
        Self::Notice(Notice::new("That did not work").text(text).with_status(status))
    }
}

impl From<Notice> for PageError {
    fn from(notice: Notice) -> Self {
        Self::Notice(notice)
    }
}

impl From<Failure> for PageError {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        match self {
            Self::Notice(notice) => notice.into_response(),
            Self::Failure(failure) => {
                failure.log();
                Notice::new("The demo provider made a mistake")
                    .text("This is not your fault. The reason is in its log. Go back to the app and try again.")
                    .response(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(Escaped(r#"<img src=x onerror='a("b")'>&"#).to_string(), "&lt;img src=x onerror=&#39;a(&quot;b&quot;)&#39;&gt;&amp;");
    }
}
