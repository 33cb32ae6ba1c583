//! A whole login, as browser and provider do it: the start, and the answer that the provider would have sent.

use crate::{client::Connection, peer};
use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use http_body_util::Full;
use serde_json::json;
use url::Url;

/// Where a login starts.
pub(crate) const START: &str = "/api/v1/oauth/login?provider=bench";

/// A login whose user has come back from the provider.
pub(crate) struct Begun {
    /// The login's cookie, as `name=value`.
    transaction: String,
    /// What the app posts.
    answer: String,
}

/// Signs a user in and hands back the session cookie, as `name=value`.
pub(crate) async fn sign_in(connection: &mut Connection, issuer: &str, user: usize) -> Result<String> {
    begin(connection, issuer, user).await?.finish(connection).await
}

/// Starts a login, and makes the answer that the provider would give.
pub(crate) async fn begin(connection: &mut Connection, issuer: &str, user: usize) -> Result<Begun> {
    let start = connection.request(Method::GET, START).header("sec-fetch-mode", "navigate").body(Full::default())?;
    let started = connection.send(start).await?.expect(StatusCode::SEE_OTHER)?;
    let location = started.headers.get(header::LOCATION).context("the login leads nowhere")?.to_str()?;
    let location = Url::parse(location).context("the login does not lead to the provider")?;
    let parameter = |wanted: &str| {
        let found = location.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned());
        found.with_context(|| format!("the authorization request has no {wanted}"))
    };
    let transaction = cookie(&started.headers, "tx-").context("the login sets no cookie")?.to_owned();
    let answer = json!({ "code": peer::code(user, &parameter("nonce")?), "state": parameter("state")?, "iss": issuer }).to_string();
    Ok(Begun { transaction, answer })
}

impl Begun {
    /// Hands the answer in.
    pub(crate) async fn finish(self, connection: &mut Connection) -> Result<String> {
        let post = connection
            .request(Method::POST, "/api/v1/oauth/code")
            .header("sec-fetch-mode", "cors")
            .header("x-csrf", "1")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::COOKIE, self.transaction)
            .body(Full::from(Bytes::from(self.answer)))?;
        let finished = connection.send(post).await?.expect(StatusCode::OK)?;
        Ok(cookie(&finished.headers, "session=").context("the login made no session")?.to_owned())
    }
}

/// The first cookie that begins so and is not being taken back.
fn cookie<'headers>(headers: &'headers HeaderMap, beginning: &str) -> Option<&'headers str> {
    let values = headers.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
    values.filter(|value| value.starts_with(beginning) && !value.contains("Max-Age=0")).find_map(|value| value.split(';').next())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_cookie_is_found_by_its_beginning_unless_it_is_taken_back() {
        let headers: HeaderMap = ["tx-a=; Max-Age=0", "tx-b=1; Path=/; Max-Age=600", "session=2; Path=/"]
            .into_iter()
            .map(|value| (header::SET_COOKIE, HeaderValue::from_static(value)))
            .collect();
        assert_eq!(cookie(&headers, "tx-"), Some("tx-b=1"));
        assert_eq!(cookie(&headers, "session="), Some("session=2"));
        assert_eq!(cookie(&headers, "other="), None);
    }
}
