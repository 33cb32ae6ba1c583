//! Where PostgreSQL is, in one address.

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::{fmt, net::IpAddr, str::FromStr as _};
use thiserror::Error;
use url::Url;

/// What may stand behind the `?`.
const OPTIONS: [&str; 8] = ["sslmode", "sslcert", "sslkey", "host", "port", "user", "password", "application_name"];

/// The database, and how to sign in there: `postgres://user:password@host:5432/database?sslmode=verify-full`. It may hold a password,
/// which `Debug` does not show. What it leaves out comes from the variables that PostgreSQL's own programs know, such as `PGPASSFILE`.
///
/// See [PostgreSQL's description](https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS).
#[derive(Clone)]
pub struct PostgresAddress {
    url: SecretString,
    host: String,
    port: u16,
    database: String,
    is_here: bool,
    verifies: bool,
    encrypts: bool,
}

/// Why an address cannot be used. It says nothing of what is in it, because that may be a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PostgresAddressError {
    /// It is no URL of PostgreSQL's.
    #[error("It is not an address that begins with postgres://.")]
    Malformed,
    /// There is no host.
    #[error("It names no host.")]
    Host,
    /// There is no database.
    #[error("It names no database.")]
    Database,
    /// What stands behind `?` or `#`.
    #[error("It has options that do not exist, or do not belong there.")]
    Option,
    /// There is no such mode.
    #[error("Its sslmode is none.")]
    SslMode,
}

impl PostgresAddressError {
    /// What to write instead.
    pub fn fix(self) -> &'static str {
        match self {
            Self::Malformed => {
                "Write postgres://user:password@host:5432/database. In a password, write %40 for @, %3A for :, %2F for / and %23 for #."
            }
            Self::Host => {
                "Write it behind the // or the @, or for a socket of this machine postgres:///database?host=/run/postgresql&user=user."
            }
            Self::Database => "Write its name behind the host: postgres://user:password@host:5432/database.",
            Self::Option => {
                "Options are sslmode, sslcert, sslkey, host, port, user, password and application_name; the certificates of authorities \
                 have a setting of their own, session.store_roots."
            }
            Self::SslMode => "Write sslmode=verify-full; others are verify-ca, require, prefer and disable.",
        }
    }
}

impl PostgresAddress {
    /// Reads an address.
    ///
    /// # Errors
    /// When it is none; the error repeats nothing of it.
    pub fn parse(text: &str) -> Result<Self, PostgresAddressError> {
        let text = text.trim();
        let url = Url::parse(text).map_err(|_| PostgresAddressError::Malformed)?;
        if !matches!(url.scheme(), "postgres" | "postgresql") || !text.contains("://") {
            return Err(PostgresAddressError::Malformed);
        }
        let known = |name: &str| OPTIONS.contains(&name);
        if url.fragment().is_some() || !url.query_pairs().all(|(name, value)| known(&name) && !value.is_empty()) {
            return Err(PostgresAddressError::Option);
        }
        let mut options = url.query_pairs();
        if url.host_str().is_none_or(str::is_empty) && !options.any(|(name, _)| name == "host") {
            return Err(PostgresAddressError::Host);
        }
        let database = url.path().trim_start_matches('/');
        if database.is_empty() {
            return Err(PostgresAddressError::Database);
        }
        // Then it is the rest of a password, and the host its beginning.
        if database.contains(['/', '@']) {
            return Err(PostgresAddressError::Malformed);
        }
        if url.query_pairs().any(|(name, mode)| name == "sslmode" && PgSslMode::from_str(&mode).is_err()) {
            return Err(PostgresAddressError::SslMode);
        }
        // What stands behind the `?` takes the place of what stands before it: what counts is where the connection will go.
        let options = PgConnectOptions::from_str(text).map_err(|_| PostgresAddressError::Malformed)?;
        let mode = options.get_ssl_mode();
        let host = options.get_socket().map_or_else(|| options.get_host().to_owned(), |socket| socket.display().to_string());
        let address = host.trim_start_matches('[').trim_end_matches(']');
        Ok(Self {
            is_here: host.starts_with('/') || host == "localhost" || address.parse::<IpAddr>().is_ok_and(|host| host.is_loopback()),
            verifies: matches!(mode, PgSslMode::VerifyCa | PgSslMode::VerifyFull),
            encrypts: matches!(mode, PgSslMode::Require | PgSslMode::VerifyCa | PgSslMode::VerifyFull),
            port: options.get_port(),
            database: options.get_database().unwrap_or_default().to_owned(),
            host,
            url: SecretString::from(text),
        })
    }

    /// Whether nobody on the way can read or change what is said to the database.
    pub fn is_confidential(&self) -> bool {
        self.is_here || self.verifies
    }

    /// Whether the database has to show a certificate that an authority vouches for.
    pub fn verifies(&self) -> bool {
        self.verifies
    }

    /// Whether everything is encrypted, if for nobody knows whom.
    pub fn encrypts(&self) -> bool {
        self.encrypts
    }

    /// The name of the database.
    pub(super) fn database(&self) -> &str {
        &self.database
    }

    pub(super) fn options(&self) -> Result<PgConnectOptions, sqlx::Error> {
        PgConnectOptions::from_str(self.url.expose_secret())
    }
}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PostgresAddress")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

/// For people: where it is, without who we are there.
impl fmt::Display for PostgresAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the PostgreSQL database “{}” at {}:{}", self.database, self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::{PostgresAddress, PostgresAddressError};

    #[test]
    fn an_address_says_where_and_how() {
        let address = PostgresAddress::parse("postgres://app:p%40ss@db.example.com:6543/sign-in?sslmode=verify-full").unwrap();
        assert_eq!(address.to_string(), "the PostgreSQL database “sign-in” at db.example.com:6543");
        assert!(address.is_confidential() && address.verifies());
        let socket = PostgresAddress::parse("postgresql:///sign-in?host=/run/postgresql&user=app&sslmode=disable").unwrap();
        assert_eq!(socket.to_string(), "the PostgreSQL database “sign-in” at /run/postgresql:5432");
        assert!(socket.is_confidential() && !socket.verifies());
    }

    #[test]
    fn only_this_machine_is_trusted_without_a_certificate() {
        for (place, mode, confidential) in [
            ("localhost", "disable", true),
            ("127.0.0.1", "prefer", true),
            ("[::1]", "prefer", true),
            ("db.example.com", "prefer", false),
            ("db.example.com", "require", false),
            ("db.example.com", "verify-ca", true),
            ("10.0.0.1", "disable", false),
        ] {
            let address = PostgresAddress::parse(&format!("postgres://app@{place}/sign-in?sslmode={mode}")).unwrap();
            assert_eq!(address.is_confidential(), confidential, "{place} {mode}");
        }
    }

    #[test]
    fn what_counts_is_where_the_connection_goes_whatever_else_the_address_names() {
        for (address, shown, confidential) in [
            ("localhost/sign-in?host=db.example.com", "db.example.com:5432", false),
            ("127.0.0.1:6543/sign-in?port=7654&host=10.0.0.1", "10.0.0.1:7654", false),
            ("localhost/sign-in?host=/run/postgresql&host=db.example.com", "/run/postgresql:5432", true),
            ("db.example.com/sign-in?host=/run/postgresql", "/run/postgresql:5432", true),
            ("%2Frun%2Fpostgresql/sign-in", "/run/postgresql:5432", true),
            ("%64b.example.com/sign-in", "%64b.example.com:5432", false),
            ("db.example.com/sign-in?sslmode=verify-full&sslmode=disable", "db.example.com:5432", false),
            ("db.example.com/sign-in?sslmode=disable&sslmode=verify-full", "db.example.com:5432", true),
        ] {
            let read = PostgresAddress::parse(&format!("postgres://app@{address}")).unwrap();
            assert_eq!(read.to_string(), format!("the PostgreSQL database “sign-in” at {shown}"));
            assert_eq!(read.is_confidential(), confidential, "{address}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_repeating_it() {
        for (text, expected) in [
            ("db.example.com/sign-in", PostgresAddressError::Malformed),
            ("mysql://db.example.com/sign-in", PostgresAddressError::Malformed),
            ("postgres:sign-in", PostgresAddressError::Malformed),
            ("postgres://app:12/ret@db/sign-in", PostgresAddressError::Malformed),
            ("postgres:///sign-in", PostgresAddressError::Host),
            ("postgres://db.example.com", PostgresAddressError::Database),
            ("postgres://db.example.com/", PostgresAddressError::Database),
            ("postgres://db/sign-in?sslmode=of-course", PostgresAddressError::SslMode),
            ("postgres://db/sign-in?sslmode=of-course&sslmode=require", PostgresAddressError::SslMode),
            ("postgres://db/sign-in?tls=yes", PostgresAddressError::Option),
            ("postgres://db/sign-in?sslrootcert=ca.pem", PostgresAddressError::Option),
            ("postgres://app:se#cret@db/sign-in", PostgresAddressError::Malformed),
            ("postgres://app@db/sign-in#here", PostgresAddressError::Option),
        ] {
            let error = PostgresAddress::parse(text).unwrap_err();
            assert_eq!(error, expected, "{text}");
            assert!(!error.fix().is_empty() && !error.to_string().contains("ret"), "{error}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let address = PostgresAddress::parse("postgres://app:secret@db/sign-in?password=secret").unwrap();
        let shown = format!("{address:?} {address}");
        assert!(shown.contains("sign-in") && !shown.contains("secret"), "{shown}");
    }
}
