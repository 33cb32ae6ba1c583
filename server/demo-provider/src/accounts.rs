//! The two people who can sign in.

use crate::digest::same_secret;

/// The password of every account. It is shown on the login form.
pub(crate) const PASSWORD: &str = "demo";

/// Somebody who can sign in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Account {
    /// The subject identifier: it says nothing about the person and never changes.
    pub(crate) sub: &'static str,
    pub(crate) login: &'static str,
    pub(crate) given_name: &'static str,
    pub(crate) family_name: &'static str,
    pub(crate) name: &'static str,
    pub(crate) email: &'static str,
    /// The notes that the account begins with.
    pub(crate) first_notes: [&'static str; 2],
}

/// Everybody who can sign in.
pub(crate) const ACCOUNTS: [Account; 2] = [
    Account {
        sub: "7d1f3c52a90e4b86",
        login: "alice",
        given_name: "Alice",
        family_name: "Example",
        name: "Alice Example",
        email: "alice@example.com",
        first_notes: ["Welcome, Alice! The backend fetched this note with your access token.", "Water the plants on Thursday."],
    },
    Account {
        sub: "e04b92d86c175af3",
        login: "bob",
        given_name: "Bob",
        family_name: "Example",
        name: "Bob Example",
        email: "bob@example.com",
        first_notes: ["Welcome, Bob! The backend fetched this note with your access token.", "Return the library books."],
    },
];

impl Account {
    /// Finds an account by its login or its e-mail address.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        let name = name.trim();
        ACCOUNTS.iter().find(|account| account.login.eq_ignore_ascii_case(name) || account.email.eq_ignore_ascii_case(name))
    }

    /// Finds an account by its subject identifier.
    pub(crate) fn of(sub: &str) -> Option<&'static Self> {
        ACCOUNTS.iter().find(|account| account.sub == sub)
    }

    /// Finds the account that this login and password belong to.
    pub(crate) fn authenticate(name: &str, password: &str) -> Option<&'static Self> {
        let correct = same_secret(password, PASSWORD);
        Self::named(name).filter(|_| correct)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_right_password_finds_the_account_by_login_or_email() {
        for name in ["alice", " Alice ", "alice@example.com"] {
            assert_eq!(Account::authenticate(name, "demo").unwrap().login, "alice");
        }
    }

    #[test]
    fn a_wrong_password_or_an_unknown_name_finds_nobody() {
        assert_eq!(Account::authenticate("alice", "Demo"), None);
        assert_eq!(Account::authenticate("alice", ""), None);
        assert_eq!(Account::authenticate("carol", "demo"), None);
        assert_eq!(Account::authenticate("", "demo"), None);
    }
}
