//! Authorization requests that a client has pushed.

use sqlx::Row;

use super::Store;
use crate::{authorization_request::AuthorizationRequest, digest::sha256, failure::Failure};

impl Store {
    pub(crate) async fn add_pushed_request(&self, uri: &str, request: &AuthorizationRequest, expires_at: i64) -> Result<(), Failure> {
        sqlx::query("INSERT INTO pushed_requests (uri_hash, client_id, request, expires_at) VALUES (?, ?, ?, ?)")
            .bind(sha256(uri))
            .bind(&request.client_id)
            .bind(serde_json::to_string(request)?)
            .bind(expires_at)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Takes a request of this client; there is none when somebody has taken it already.
    pub(crate) async fn take_pushed_request(&self, uri: &str, client_id: &str, now: i64) -> Result<Option<AuthorizationRequest>, Failure> {
        // To the end: a statement is committed when it has come to its end, and one that could not be has given nobody the request.
        let rows = sqlx::query("DELETE FROM pushed_requests WHERE uri_hash = ? AND client_id = ? AND expires_at > ? RETURNING request")
            .bind(sha256(uri))
            .bind(client_id)
            .bind(now)
            .fetch_all(&self.pool)
            .await?;
        rows.first().map(|row| serde_json::from_str(row.get::<&str, _>(0)).map_err(Failure::from)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use sqlx::Executor as _;

    use super::*;
    use crate::{DemoProviderConfig, authorization_response::ResponseMode, scope::ScopeSet};

    const URI: &str = "urn:ietf:params:oauth:request_uri:test";

    fn request() -> AuthorizationRequest {
        AuthorizationRequest {
            client_id: "app".to_owned(),
            redirect_uri: "http://localhost:3000/callback".to_owned(),
            state: Some("the state".to_owned()),
            nonce: None,
            scope: ScopeSet::parse("openid"),
            code_challenge: Some("challenge".to_owned()),
            prompt: Vec::new(),
            max_age: None,
            login_hint: None,
            hinted_sub: None,
            response_mode: ResponseMode::default(),
            acr_values: Vec::new(),
            dpop_jkt: None,
        }
    }

    async fn open(database: Option<PathBuf>) -> Store {
        let config = DemoProviderConfig { database, ..DemoProviderConfig::new("http://127.0.0.1:4000", "app", "secret") };
        Store::open(&config).await.unwrap()
    }

    #[tokio::test]
    async fn of_many_who_take_a_request_one_gets_it_and_it_is_gone_from_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("demo.sqlite");
        let store = open(Some(path.clone())).await;
        store.add_pushed_request(URI, &request(), 60).await.unwrap();
        let takers: Vec<_> = (0..20)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move { store.take_pushed_request(URI, "app", 0).await.unwrap() })
            })
            .collect();
        let mut taken = Vec::new();
        for taker in takers {
            taken.extend(taker.await.unwrap());
        }
        assert_eq!(taken.len(), 1);
        assert_eq!(taken[0].state.as_deref(), Some("the state"));
        // As another process sees it, and so does this one after a kill.
        let other = open(Some(path)).await;
        assert_eq!(sqlx::query_scalar::<_, i64>("SELECT count(*) FROM pushed_requests").fetch_one(&other.pool).await.unwrap(), 0);
        assert!(other.take_pushed_request(URI, "app", 0).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_request_that_cannot_be_committed_as_taken_is_given_to_nobody() {
        let store = open(None).await;
        store.add_pushed_request(URI, &request(), 60).await.unwrap();
        // What is deferred is looked at with the commit, as a full disk is.
        store
            .pool
            .execute(
                "CREATE TABLE holders (uri_hash BLOB REFERENCES pushed_requests (uri_hash) DEFERRABLE INITIALLY DEFERRED) STRICT; \
                 INSERT INTO holders SELECT uri_hash FROM pushed_requests",
            )
            .await
            .unwrap();
        assert!(matches!(store.take_pushed_request(URI, "app", 0).await, Err(Failure::Store(_))));
        store.pool.execute("DELETE FROM holders").await.unwrap();
        assert!(store.take_pushed_request(URI, "app", 0).await.unwrap().is_some());
        assert!(store.take_pushed_request(URI, "app", 0).await.unwrap().is_none());
    }
}
