//! A page that says one thing, and where to go from there.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::{Escaped, page};
use crate::DemoProviderConfig;

/// A title, some paragraphs, and the way back.
#[derive(Debug)]
pub(crate) struct Notice {
    title: &'static str,
    texts: Vec<&'static str>,
    client: Option<(String, String)>,
    status: StatusCode,
}

impl Notice {
    pub(crate) fn new(title: &'static str) -> Self {
        Self { title, texts: Vec::new(), client: None, status: StatusCode::OK }
    }

    /// Adds a paragraph.
    pub(crate) fn text(mut self, text: &'static str) -> Self {
        self.texts.push(text);
        self
    }

    /// Adds the way back to the client.
    pub(crate) fn client(mut self, config: &DemoProviderConfig) -> Self {
        self.client = config.client_home().map(|home| (config.client_name.clone(), home));
        self
    }

    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn response(self, status: StatusCode) -> Response {
        self.with_status(status).into_response()
    }
}

impl IntoResponse for Notice {
    fn into_response(self) -> Response {
        let texts = self.texts.iter().map(|text| format!("<p>{}</p>\n", Escaped(text))).collect::<Vec<_>>().concat();
        let way_back = match &self.client {
            Some((name, home)) => {
                format!(r#"<p class="actions"><a class="button" href="{}/">Go back to {}</a></p>"#, Escaped(home), Escaped(name))
            }
            None => r#"<p class="actions"><a class="button quiet" href="/">About the demo provider</a></p>"#.to_owned(),
        };
        page(self.status, self.title, &format!("<h1>{}</h1>\n{texts}{way_back}", Escaped(self.title)))
    }
}
