//! Why the demo provider did not start.

use std::path::PathBuf;

use crate::EntropyError;

/// Why [`DemoProvider::open`](crate::DemoProvider::open) failed.
#[derive(Debug, thiserror::Error)]
pub enum DemoProviderError {
    /// The issuer would let others reach accounts whose password everybody knows.
    #[error("the demo provider's issuer `{0}` is not a loopback address: use one like `http://127.0.0.1:4000`, without a slash at the end")]
    Issuer(String),
    /// There is no client that could sign anybody in.
    #[error("the demo provider's client needs an id and a secret")]
    Client,
    /// A redirect URI is no absolute URI, or has a fragment.
    #[error("the demo provider's redirect URI `{0}` is not an absolute URI without a fragment")]
    RedirectUri(String),
    /// The back-channel logout URI cannot be posted to.
    #[error("the demo provider's back-channel logout URI `{0}` is not an http or https URL")]
    BackchannelLogoutUri(String),
    /// The database file cannot be created, opened, read or written.
    #[error("the demo provider's database `{}` cannot be used; end what else uses it, or move it away: it holds demo logins and notes only", path.display())]
    Database {
        /// Which file; `:memory:` when there is none.
        path: PathBuf,
        /// What the database says.
        #[source]
        source: sqlx::Error,
    },
    /// The database file belongs to another program, or to a newer version of this one. It is left as it was.
    #[error("`{}` is not a database of this version of the demo provider; it was left as it was; move it away, and a new one is made", path.display())]
    ForeignDatabase {
        /// Which file.
        path: PathBuf,
    },
    /// The signing key cannot be made, or the one in the database cannot be read.
    #[error("the demo provider's signing key cannot be made or read")]
    SigningKey,
    /// The source of randomness failed.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The HTTP client for back-channel logout cannot be made.
    #[error("the demo provider's HTTP client cannot be made")]
    HttpClient(#[source] reqwest::Error),
}
