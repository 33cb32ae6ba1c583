//! The provider's own sessions, what was allowed in them, and which clients were signed in to.

use sqlx::Row;

use super::Store;
use crate::{
    acr::Acr,
    digest::sha256,
    failure::Failure,
    scope::{Scope, ScopeSet},
};

/// Somebody who is signed in at the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProviderSession {
    /// The session's public name, as ID tokens carry it.
    pub(crate) sid: String,
    pub(crate) sub: String,
    /// When the password was last given.
    pub(crate) auth_time: i64,
    /// How strong that was.
    pub(crate) acr: Acr,
}

/// A session that has just ended.
#[derive(Debug)]
pub(crate) struct EndedSession {
    pub(crate) sid: String,
    pub(crate) sub: String,
    /// The clients that were signed in to during the session.
    pub(crate) client_ids: Vec<String>,
}

/// Reads a class that this provider wrote.
pub(super) fn acr(name: &str) -> Acr {
    Acr::named(name).unwrap_or(Acr::Password)
}

impl Store {
    pub(crate) async fn session(&self, secret: &str, now: i64) -> Result<Option<ProviderSession>, Failure> {
        let row = sqlx::query("SELECT sid, sub, auth_time, acr FROM provider_sessions WHERE secret_hash = ? AND expires_at > ?")
            .bind(sha256(secret))
            .bind(now)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|row| ProviderSession { sid: row.get(0), sub: row.get(1), auth_time: row.get(2), acr: acr(row.get(3)) }))
    }

    /// Starts a session, or gives the one of the same name a new secret and a new authentication time.
    pub(crate) async fn start_session(&self, session: &ProviderSession, secret: &str, expires_at: i64) -> Result<(), Failure> {
        sqlx::query(
            "INSERT INTO provider_sessions (sid, secret_hash, sub, auth_time, acr, expires_at) VALUES (?, ?, ?, ?, ?, ?) \
             ON CONFLICT (sid) DO UPDATE SET secret_hash = excluded.secret_hash, auth_time = excluded.auth_time, \
             acr = excluded.acr, expires_at = excluded.expires_at",
        )
        .bind(&session.sid)
        .bind(sha256(secret))
        .bind(&session.sub)
        .bind(session.auth_time)
        .bind(session.acr.name())
        .bind(expires_at)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The sessions of the provider in which a client was signed in to, the newest first.
    pub(crate) async fn client_sessions(&self) -> Result<Vec<EndedSession>, Failure> {
        let rows = sqlx::query(
            "SELECT client_sessions.sid, provider_sessions.sub, client_id FROM client_sessions \
             JOIN provider_sessions ON provider_sessions.sid = client_sessions.sid ORDER BY provider_sessions.rowid DESC",
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.iter().map(|row| EndedSession { sid: row.get(0), sub: row.get(1), client_ids: vec![row.get(2)] }).collect())
    }

    /// Ends a session: its access ends too, apart from what was allowed to outlive it (`offline_access`,
    /// [Back-Channel Logout §2.7](https://openid.net/specs/openid-connect-backchannel-1_0.html#BCActions)).
    pub(crate) async fn end_session(&self, sid: &str) -> Result<Option<EndedSession>, Failure> {
        let mut transaction = self.begin().await?;
        let clients = sqlx::query("SELECT client_id FROM client_sessions WHERE sid = ?").bind(sid).fetch_all(&mut *transaction).await?;
        let ended = sqlx::query("DELETE FROM provider_sessions WHERE sid = ? RETURNING sub").bind(sid).fetch_all(&mut *transaction).await?;
        // A code that nobody has exchanged yet would begin an access that has already ended.
        sqlx::query("DELETE FROM codes WHERE sid = ? AND uses = 0").bind(sid).execute(&mut *transaction).await?;
        for row in sqlx::query("SELECT id, scope FROM grants WHERE sid = ?").bind(sid).fetch_all(&mut *transaction).await? {
            if !ScopeSet::parse(row.get(1)).contains(Scope::OfflineAccess) {
                sqlx::query("DELETE FROM grants WHERE id = ?").bind(row.get::<&str, _>(0)).execute(&mut *transaction).await?;
            }
        }
        transaction.commit().await?;
        Ok(ended.first().map(|row| EndedSession {
            sid: sid.to_owned(),
            sub: row.get(0),
            client_ids: clients.iter().map(|row| row.get(0)).collect(),
        }))
    }

    /// Whether all that is asked for was allowed at once before, in this session.
    pub(crate) async fn consented(&self, sid: &str, client_id: &str, scope: &ScopeSet) -> Result<bool, Failure> {
        let consents = sqlx::query("SELECT scope FROM consents WHERE sid = ? AND client_id = ?")
            .bind(sid)
            .bind(client_id)
            .fetch_all(&self.pool)
            .await?;
        Ok(consents.iter().any(|row| scope.is_subset(&ScopeSet::parse(row.get(0)))))
    }

    pub(crate) async fn add_consent(&self, sid: &str, client_id: &str, scope: &ScopeSet) -> Result<(), Failure> {
        sqlx::query("INSERT INTO consents (sid, client_id, scope) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
            .bind(sid)
            .bind(client_id)
            .bind(scope.to_string())
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
