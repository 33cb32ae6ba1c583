//! What the server remembers of a session.

use super::device::Device;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use oauth2flow_app::api::User;
use oauth2flow_protocol::{AccessToken, IdToken, RefreshToken, access::Facts, dpop::DpopKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The secret in the session cookie: 256 random bits. Only its hash is stored.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SessionId([u8; 32]);

impl SessionId {
    /// Takes 256 fresh random bits.
    pub const fn new(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// Reads a cookie's value; anything but 32 bytes in base64url is no session id.
    pub fn parse(cookie: &str) -> Option<Self> {
        Some(Self(URL_SAFE_NO_PAD.decode(cookie).ok()?.try_into().ok()?))
    }

    /// The cookie's value.
    pub fn to_cookie(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(self.0))
    }

    /// The key under which the store keeps the session.
    pub fn key(&self) -> Key {
        Key(Sha256::digest(self.0).into())
    }

    /// The token that a form carries instead of the header: only who holds the cookie can have made the page.
    pub fn csrf_token(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest([b"oauth2flow form token".as_slice(), &self.0].concat()))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SessionId([REDACTED])")
    }
}

/// A SHA-256 under which the store keeps something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key(pub [u8; 32]);

impl Key {
    /// What a session with this key is called where its user sees it: another hash, from which nobody learns the key.
    pub fn name(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest([b"oauth2flow session name".as_slice(), &self.0].concat()))
    }

    /// The key of something that may be used once, such as a state; `kind` keeps the kinds apart.
    pub fn of_claim(kind: &str, value: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(kind.as_bytes());
        hash.update([0]);
        hash.update(value.as_bytes());
        Self(hash.finalize().into())
    }
}

/// The right to renew a session's tokens: 128 random bits that its holder exchanges for others while it is at work. One that stays the
/// same for longer than that takes has no living holder. No clock is compared with another machine's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease(pub [u8; 16]);

/// A session as the store keeps it; `tokens` is sealed.
#[derive(Clone, Debug)]
pub struct SessionRecord {
    /// The hash of the session id.
    pub key: Key,
    /// Raised by every write; a write names the version it read.
    pub version: i64,
    /// The id of the provider.
    pub provider: String,
    /// Who answers for `sub`; (issuer, sub) is the user's key.
    pub issuer: String,
    /// The user at that issuer.
    pub sub: String,
    /// The session at the provider, which a back-channel logout may name.
    pub sid: Option<String>,
    /// What the browser may know.
    pub profile: Profile,
    /// When the user signed in.
    pub created_at: Timestamp,
    /// When the session was last used, to the minute.
    pub last_seen_at: Timestamp,
    /// When it ends unless it is used.
    pub idle_expires_at: Timestamp,
    /// When it ends whatever happens.
    pub expires_at: Timestamp,
    /// The sealed [`Tokens`].
    pub tokens: Vec<u8>,
    /// Who is renewing them, if anybody is.
    pub lease: Option<Lease>,
}

/// The part of a session that holds no secret.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Profile {
    /// Who signed in.
    pub user: User,
    /// What the provider granted.
    pub scopes: Vec<String>,
    /// When the access token came, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token_issued_at: Option<i64>,
    /// When the access token ends, in Unix seconds.
    pub access_token_expires_at: Option<i64>,
    /// Whether there is a refresh token.
    pub refreshable: bool,
    /// How the provider authenticated the user (`acr`), if it has said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// When it did (`auth_time`), in Unix seconds, if it has said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authenticated_at: Option<i64>,
    /// What the user signed in with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Device>,
    /// What rules about who may in are decided by.
    #[serde(default)]
    pub facts: Facts,
}

/// The provider's tokens, which never leave the backend.
#[derive(Debug)]
pub struct Tokens {
    /// What the proxy attaches.
    pub access: AccessToken,
    /// What renews it.
    pub refresh: Option<RefreshToken>,
    /// What sign-out shows to the provider (`id_token_hint`).
    pub id: Option<IdToken>,
    /// Whom the ID token of the login was for; that of a refresh has to be for the same.
    pub audience: Vec<String>,
    /// The key that the access token is bound to, if it is.
    pub dpop_key: Option<DpopKey>,
}

#[derive(Serialize)]
struct TokensOut<'a> {
    access: &'a str,
    refresh: Option<&'a str>,
    id: Option<&'a str>,
    audience: &'a [String],
    dpop_key: Option<&'a str>,
}

#[derive(Deserialize)]
struct TokensIn {
    access: String,
    refresh: Option<String>,
    id: Option<String>,
    audience: Vec<String>,
    // Sessions that began before there were such keys have none.
    #[serde(default)]
    dpop_key: Option<String>,
}

impl Tokens {
    /// The bytes to seal.
    ///
    /// # Panics
    /// Never: strings always serialize.
    #[expect(clippy::expect_used, reason = "strings always serialize")]
    pub fn to_plaintext(&self) -> Zeroizing<Vec<u8>> {
        let dpop_key = self.dpop_key.as_ref().map(|key| Zeroizing::new(URL_SAFE_NO_PAD.encode(key.to_bytes().as_slice())));
        let out = TokensOut {
            access: self.access.expose(),
            refresh: self.refresh.as_ref().map(RefreshToken::expose),
            id: self.id.as_ref().map(IdToken::expose),
            audience: &self.audience,
            dpop_key: dpop_key.as_ref().map(|key| key.as_str()),
        };
        Zeroizing::new(serde_json::to_vec(&out).expect("strings serialize"))
    }

    /// Reads what [`Tokens::to_plaintext`] wrote.
    pub fn from_plaintext(plaintext: &[u8]) -> Option<Self> {
        let tokens: TokensIn = serde_json::from_slice(plaintext).ok()?;
        let dpop_key = match tokens.dpop_key {
            Some(key) => {
                let key = Zeroizing::new(key);
                Some(DpopKey::from_bytes(&Zeroizing::new(URL_SAFE_NO_PAD.decode(key.as_bytes()).ok()?))?)
            }
            None => None,
        };
        Some(Self {
            access: AccessToken::new(tokens.access),
            refresh: tokens.refresh.map(RefreshToken::new),
            id: tokens.id.map(IdToken::new),
            audience: tokens.audience,
            dpop_key,
        })
    }
}
