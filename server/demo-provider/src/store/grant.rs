//! Codes, and the tokens that they are exchanged for.

use sqlx::{Row, Sqlite, sqlite::SqliteRow};

use super::{Store, provider_session::acr};
use crate::{acr::Acr, digest::sha256, failure::Failure, scope::ScopeSet};

/// What a client may do for somebody: the family of all tokens that began with one code.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) id: String,
    pub(crate) client_id: String,
    pub(crate) sub: String,
    pub(crate) sid: String,
    pub(crate) scope: ScopeSet,
    pub(crate) auth_time: i64,
    pub(crate) acr: Acr,
}

/// What a code stands for.
#[derive(Debug)]
pub(crate) struct AuthorizationCode {
    pub(crate) grant: Grant,
    pub(crate) redirect_uri: String,
    /// Nothing for a request that had none.
    pub(crate) code_challenge: Option<String>,
    pub(crate) nonce: Option<String>,
    /// The key that the request said its tokens would be bound to.
    pub(crate) dpop_jkt: Option<String>,
    pub(crate) expires_at: i64,
}

/// What came of presenting a code.
#[derive(Debug)]
pub(crate) enum Claim {
    /// It was presented for the first time.
    First(Box<AuthorizationCode>),
    /// It was presented before: the tokens it gave are revoked.
    Again,
    /// There is no such code.
    Unknown,
}

/// New tokens on their way into the store.
#[derive(Clone, Copy)]
pub(crate) struct NewTokens<'tokens> {
    pub(crate) access_token: &'tokens str,
    pub(crate) access_scope: &'tokens ScopeSet,
    pub(crate) access_expires_at: i64,
    pub(crate) refresh_token: Option<&'tokens str>,
    pub(crate) refresh_expires_at: i64,
    /// The key that the access token is bound to.
    pub(crate) dpop_jkt: Option<&'tokens str>,
}

/// What an access token allows.
#[derive(Debug)]
pub(crate) struct AccessToken {
    pub(crate) sub: String,
    pub(crate) scope: ScopeSet,
    pub(crate) auth_time: i64,
    pub(crate) acr: Acr,
    /// The key that it is bound to.
    pub(crate) dpop_jkt: Option<String>,
}

/// An access token that is presented to be exchanged.
#[derive(Debug)]
pub(crate) struct SubjectToken {
    pub(crate) grant: Grant,
    pub(crate) scope: ScopeSet,
    pub(crate) expires_at: i64,
    /// The key that it is bound to.
    pub(crate) dpop_jkt: Option<String>,
}

/// A refresh token that is known.
#[derive(Debug)]
pub(crate) struct RefreshToken {
    pub(crate) grant: Grant,
    pub(crate) expires_at: i64,
    pub(crate) spent: bool,
}

fn grant(row: &SqliteRow) -> Grant {
    Grant {
        id: row.get("grant_id"),
        client_id: row.get("client_id"),
        sub: row.get("sub"),
        sid: row.get("sid"),
        scope: ScopeSet::parse(row.get("scope")),
        auth_time: row.get("auth_time"),
        acr: acr(row.get("acr")),
    }
}

impl Store {
    /// Adds a code, and notes that its client was signed in to during the session.
    pub(crate) async fn add_code(&self, secret: &str, code: &AuthorizationCode) -> Result<(), Failure> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query(
            "INSERT INTO codes (hash, grant_id, client_id, redirect_uri, code_challenge, nonce, sub, sid, scope, auth_time, \
             acr, dpop_jkt, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(sha256(secret))
        .bind(&code.grant.id)
        .bind(&code.grant.client_id)
        .bind(&code.redirect_uri)
        .bind(code.code_challenge.as_deref().unwrap_or_default())
        .bind(&code.nonce)
        .bind(&code.grant.sub)
        .bind(&code.grant.sid)
        .bind(code.grant.scope.to_string())
        .bind(code.grant.auth_time)
        .bind(code.grant.acr.name())
        .bind(&code.dpop_jkt)
        .bind(code.expires_at)
        .execute(&mut *transaction)
        .await?;
        // The session may have ended in another tab meanwhile: then there is nothing to note.
        sqlx::query(
            "INSERT INTO client_sessions (sid, client_id) SELECT sid, ? FROM provider_sessions WHERE sid = ? ON CONFLICT DO NOTHING",
        )
        .bind(&code.grant.client_id)
        .bind(&code.grant.sid)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Takes a code away from everybody else. The first claim wins, whether or not the request then holds.
    pub(crate) async fn claim_code(&self, secret: &str, client_id: &str) -> Result<Claim, Failure> {
        let mut transaction = self.pool.begin().await?;
        let rows = sqlx::query("UPDATE codes SET uses = uses + 1 WHERE hash = ? AND client_id = ? RETURNING *")
            .bind(sha256(secret))
            .bind(client_id)
            .fetch_all(&mut *transaction)
            .await?;
        let Some(row) = rows.first() else { return Ok(Claim::Unknown) };
        let code = AuthorizationCode {
            grant: grant(row),
            redirect_uri: row.get("redirect_uri"),
            code_challenge: Some(row.get("code_challenge")).filter(|challenge: &String| !challenge.is_empty()),
            nonce: row.get("nonce"),
            dpop_jkt: row.get("dpop_jkt"),
            expires_at: row.get("expires_at"),
        };
        let first = row.get::<i64, _>("uses") == 1;
        if !first {
            sqlx::query("DELETE FROM grants WHERE id = ?").bind(&code.grant.id).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(if first { Claim::First(Box::new(code)) } else { Claim::Again })
    }

    /// Begins a grant; false when its code was presented again in the meantime.
    pub(crate) async fn begin_grant(&self, grant: &Grant, tokens: NewTokens<'_>) -> Result<bool, Failure> {
        let mut transaction = self.pool.begin().await?;
        let begun = sqlx::query(
            "INSERT INTO grants (id, client_id, sub, sid, scope, auth_time, acr) \
             SELECT grant_id, client_id, sub, sid, scope, auth_time, acr FROM codes WHERE grant_id = ? AND uses = 1",
        )
        .bind(&grant.id)
        .execute(&mut *transaction)
        .await?;
        if begun.rows_affected() == 0 {
            return Ok(false);
        }
        add_tokens(&mut transaction, &grant.id, tokens).await?;
        transaction.commit().await?;
        Ok(true)
    }

    pub(crate) async fn refresh_token(&self, secret: &str, client_id: &str) -> Result<Option<RefreshToken>, Failure> {
        let row = sqlx::query(
            "SELECT grant_id, client_id, sub, sid, scope, auth_time, acr, expires_at, spent \
             FROM refresh_tokens JOIN grants ON grants.id = grant_id WHERE hash = ? AND client_id = ?",
        )
        .bind(sha256(secret))
        .bind(client_id)
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| RefreshToken { grant: grant(&row), expires_at: row.get("expires_at"), spent: row.get("spent") }))
    }

    /// Spends a refresh token and adds its successors, in one step; false when it was spent or revoked in the meantime.
    pub(crate) async fn rotate(&self, spent: &str, grant: &Grant, tokens: NewTokens<'_>) -> Result<bool, Failure> {
        let mut transaction = self.pool.begin().await?;
        let rotated = sqlx::query("UPDATE refresh_tokens SET spent = 1 WHERE hash = ? AND spent = 0")
            .bind(sha256(spent))
            .execute(&mut *transaction)
            .await?;
        if rotated.rows_affected() == 0 {
            return Ok(false);
        }
        add_tokens(&mut transaction, &grant.id, tokens).await?;
        transaction.commit().await?;
        Ok(true)
    }

    pub(crate) async fn revoke_grant(&self, grant_id: &str) -> Result<(), Failure> {
        sqlx::query("DELETE FROM grants WHERE id = ?").bind(grant_id).execute(&self.pool).await?;
        Ok(())
    }

    /// Revokes one access token of a client, if it is one.
    pub(crate) async fn revoke_access_token(&self, secret: &str, client_id: &str) -> Result<(), Failure> {
        sqlx::query("DELETE FROM access_tokens WHERE hash = ? AND grant_id IN (SELECT id FROM grants WHERE client_id = ?)")
            .bind(sha256(secret))
            .bind(client_id)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    pub(crate) async fn access_token(&self, secret: &str, now: i64) -> Result<Option<AccessToken>, Failure> {
        let row = sqlx::query(
            "SELECT grants.sub, access_tokens.scope, auth_time, acr, dpop_jkt FROM access_tokens JOIN grants ON grants.id = grant_id \
             WHERE hash = ? AND expires_at > ?",
        )
        .bind(sha256(secret))
        .bind(now)
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| AccessToken {
            sub: row.get(0),
            scope: ScopeSet::parse(row.get(1)),
            auth_time: row.get(2),
            acr: acr(row.get(3)),
            dpop_jkt: row.get(4),
        }))
    }
}

impl Store {
    /// An access token of a client, with the grant that it belongs to.
    pub(crate) async fn subject_token(&self, secret: &str, client_id: &str, now: i64) -> Result<Option<SubjectToken>, Failure> {
        let row = sqlx::query(
            "SELECT grant_id, client_id, sub, sid, grants.scope, auth_time, acr, access_tokens.scope AS token_scope, dpop_jkt, expires_at \
             FROM access_tokens JOIN grants ON grants.id = grant_id WHERE hash = ? AND client_id = ? AND expires_at > ?",
        )
        .bind(sha256(secret))
        .bind(client_id)
        .bind(now)
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| SubjectToken {
            grant: grant(&row),
            scope: ScopeSet::parse(row.get("token_scope")),
            expires_at: row.get("expires_at"),
            dpop_jkt: row.get("dpop_jkt"),
        }))
    }

    /// Adds a token to a grant, with which it ends; false when that has ended in the meantime.
    pub(crate) async fn extend_grant(&self, grant_id: &str, tokens: NewTokens<'_>) -> Result<bool, Failure> {
        let mut transaction = self.begin().await?;
        let known = sqlx::query("SELECT 1 FROM grants WHERE id = ?").bind(grant_id).fetch_optional(&mut *transaction).await?;
        if known.is_none() {
            return Ok(false);
        }
        add_tokens(&mut transaction, grant_id, tokens).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

async fn add_tokens(transaction: &mut sqlx::Transaction<'_, Sqlite>, grant_id: &str, tokens: NewTokens<'_>) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO access_tokens (hash, grant_id, scope, dpop_jkt, expires_at) VALUES (?, ?, ?, ?, ?)")
        .bind(sha256(tokens.access_token))
        .bind(grant_id)
        .bind(tokens.access_scope.to_string())
        .bind(tokens.dpop_jkt)
        .bind(tokens.access_expires_at)
        .execute(&mut **transaction)
        .await?;
    if let Some(refresh_token) = tokens.refresh_token {
        sqlx::query("INSERT INTO refresh_tokens (hash, grant_id, expires_at) VALUES (?, ?, ?)")
            .bind(sha256(refresh_token))
            .bind(grant_id)
            .bind(tokens.refresh_expires_at)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}
