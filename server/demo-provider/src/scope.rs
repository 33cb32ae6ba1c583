//! What a client may be allowed to do.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use crate::accounts::Account;

/// One permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    OpenId,
    Profile,
    Email,
    OfflineAccess,
    NotesRead,
    NotesWrite,
}

impl Scope {
    /// Every permission there is, in the order in which people are asked.
    pub(crate) const ALL: [Self; 6] = [Self::OpenId, Self::Profile, Self::Email, Self::NotesRead, Self::NotesWrite, Self::OfflineAccess];

    /// The name on the wire.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::OpenId => "openid",
            Self::Profile => "profile",
            Self::Email => "email",
            Self::OfflineAccess => "offline_access",
            Self::NotesRead => "notes:read",
            Self::NotesWrite => "notes:write",
        }
    }

    /// What the permission means, ending the sentence "the app would like to".
    pub(crate) fn in_words(self, account: &Account) -> String {
        match self {
            Self::OpenId => "recognise you when you come back".to_owned(),
            Self::Profile => "see your name and username".to_owned(),
            Self::Email => format!("see your e-mail address, {}", account.email),
            Self::NotesRead => "read your notes".to_owned(),
            Self::NotesWrite => "add and delete notes for you".to_owned(),
            Self::OfflineAccess => "keep this access until you sign out".to_owned(),
        }
    }
}

/// A set of permissions, written with spaces between them
/// ([RFC 6749 §3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub(crate) struct ScopeSet(BTreeSet<Scope>);

impl ScopeSet {
    /// The permissions named in `value`; names that nobody here knows are left out
    /// ([OpenID Connect Core §3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest)).
    pub(crate) fn parse(value: &str) -> Self {
        Self(value.split(' ').filter_map(|name| Scope::ALL.into_iter().find(|scope| scope.name() == name)).collect())
    }

    pub(crate) fn contains(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// The permissions in the order in which people are asked.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Scope> + '_ {
        Scope::ALL.into_iter().filter(|scope| self.contains(*scope))
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, scope) in self.iter().enumerate() {
            if position > 0 {
                formatter.write_str(" ")?;
            }
            formatter.write_str(scope.name())?;
        }
        Ok(())
    }
}

impl From<String> for ScopeSet {
    fn from(value: String) -> Self {
        Self::parse(&value)
    }
}

impl From<ScopeSet> for String {
    fn from(scope: ScopeSet) -> Self {
        scope.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_and_repeated_names_are_left_out() {
        assert_eq!(ScopeSet::parse("email openid  admin openid OPENID").to_string(), "openid email");
    }

    #[test]
    fn only_equal_or_smaller_sets_are_subsets() {
        let asked = ScopeSet::parse("openid email");
        assert!(asked.is_subset(&ScopeSet::parse("openid email notes:read")));
        assert!(asked.is_subset(&asked));
        assert!(!asked.is_subset(&ScopeSet::parse("openid")));
    }
}
