//! A live session as this process remembers it: its record, and what is made of that at most once.

use super::{
    record::{SessionRecord, Tokens},
    refresh::Access,
    seal::KeysDiffer,
};
use axum::body::Bytes;
use jiff::{SignedDuration, Timestamp};
use oauth2flow_app::api;
use std::{fmt, ops::Deref, sync::OnceLock};

/// How long before its end a session is said to end soon.
const WARNING: SignedDuration = SignedDuration::from_mins(2);

/// A session that was alive when it was read. It never changes: who reads the session later gets another.
pub struct LiveSession {
    record: SessionRecord,
    description: OnceLock<Bytes>,
    /// Opening the sealed tokens costs more than all the rest of a call to an API. The key that opens them is in the same memory, so
    /// whoever could read the token here could open it as well. Refresh tokens are not kept.
    access: OnceLock<Option<Access>>,
}

impl LiveSession {
    /// What the store has answered.
    pub fn new(record: SessionRecord) -> Self {
        Self { record, description: OnceLock::new(), access: OnceLock::new() }
    }

    /// When it ends unless it is used, or its tokens are renewed, before.
    pub fn end(&self) -> Timestamp {
        self.idle_expires_at.min(self.expires_at)
    }

    /// Whether it has ended by now.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        now >= self.end()
    }

    /// When to say that it ends soon; never for one that lives hardly longer than that takes.
    pub(super) fn warn_at(&self) -> Option<Timestamp> {
        let since = if self.idle_expires_at < self.expires_at { self.last_seen_at } else { self.created_at };
        self.end().checked_sub(WARNING).ok().filter(|warn_at| *warn_at > since)
    }

    /// The same session, used just now.
    pub(super) fn used(&self, now: Timestamp, idle_expires_at: Timestamp) -> Self {
        Self {
            record: SessionRecord { last_seen_at: now, idle_expires_at, ..self.record.clone() },
            description: OnceLock::new(),
            access: self.access.clone(),
        }
    }

    /// What `GET /session` answers.
    pub fn description(&self) -> Bytes {
        // A session is made of strings, numbers and truth values, which always serialize.
        self.description.get_or_init(|| serde_json::to_vec(&self.describe()).unwrap_or_default().into()).clone()
    }

    /// What the browser may know of it.
    pub fn describe(&self) -> api::Session {
        let record = &self.record;
        api::Session::SignedIn(Box::new(api::SignedIn {
            authenticated: true,
            user: record.profile.user.clone(),
            provider: record.provider.clone(),
            scopes: record.profile.scopes.clone(),
            session: api::SessionLifetime {
                created_at: record.created_at.to_string(),
                idle_expires_at: record.idle_expires_at.to_string(),
                expires_at: record.expires_at.to_string(),
            },
            access_token: api::AccessTokenLifetime {
                expires_at: record.profile.access_token_expires_at.and_then(written),
                refreshable: record.profile.refreshable,
            },
            authenticated_at: record.profile.authenticated_at.and_then(written),
            acr: record.profile.acr.clone(),
        }))
    }

    /// What a call to an API carries, from the tokens as `open` finds them; they are opened once. A key that is missing may be there
    /// the next time.
    pub(super) fn access(
        &self,
        open: impl FnOnce(&SessionRecord) -> Result<Option<Tokens>, KeysDiffer>,
    ) -> Result<Option<&Access>, KeysDiffer> {
        if let Some(access) = self.access.get() {
            return Ok(access.as_ref());
        }
        let access = open(&self.record)?.map(Access::from);
        Ok(self.access.get_or_init(|| access).as_ref())
    }

    /// About how many bytes it takes, with what may be made of it later.
    pub(super) fn weight(&self) -> u64 {
        let SessionRecord { provider, issuer, sub, sid, profile, tokens, .. } = &self.record;
        let user = &profile.user;
        let optional = [&user.name, &user.login, &user.email, &user.picture, sid];
        let texts = provider.len() + issuer.len() + sub.len() + optional.into_iter().flatten().map(String::len).sum::<usize>();
        let scopes = profile.scopes.iter().map(|scope| scope.len() + size_of::<String>()).sum::<usize>();
        // The description says most of it once more, and the access token is a part of the tokens.
        (size_of::<Self>() + 512 + 2 * (texts + scopes) + profile.facts.weight() + tokens.len() * 2) as u64
    }
}

impl Deref for LiveSession {
    type Target = SessionRecord;

    fn deref(&self) -> &SessionRecord {
        &self.record
    }
}

impl fmt::Debug for LiveSession {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.record.fmt(formatter)
    }
}

/// A time in seconds since 1970 as the API writes times.
fn written(unix_seconds: i64) -> Option<String> {
    Timestamp::from_second(unix_seconds).ok().map(|time| time.to_string())
}
