//! Who may in: rules about a person, decided by what the provider says of them.
//!
//! Every setting of a [`Rule`] that is set must be met; within a setting, any of its values will do. A rule with nothing set lets
//! everybody in. [`Facts`] is all that a session keeps of a person for rules to be decided by.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::{Host, quirks};

use crate::id_token::ValidatedIdToken;
use crate::json;
use crate::provider::Provider;
use crate::secret::IdToken;
use crate::userinfo::User;

/// How many values one fact may have; what is beyond is not kept, and the fact counts as incomplete. Entra puts at most 200 groups
/// into a token ("Configure group claims" in Microsoft's documentation).
pub const MAXIMUM_VALUES: usize = 1000;

/// The longest value kept, in bytes.
pub const MAXIMUM_VALUE_BYTES: usize = 256;

/// The most bytes of all values in one description of a person.
pub const MAXIMUM_FACTS_BYTES: usize = 32 * 1024;

/// The longest address, in bytes: [RFC 5321 §4.5.3.1.3](https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1.3) without its brackets.
const MAXIMUM_EMAIL_BYTES: usize = 254;

/// The longest name of a domain, in bytes: [RFC 1035 §2.3.4](https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4) as text.
const MAXIMUM_DOMAIN_BYTES: usize = 253;

/// Where in a person's description the facts are: names of members, or JSON pointers when they begin with `/`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// The groups, if the provider says them.
    pub groups: Option<String>,
    /// The roles, if the provider says them.
    pub roles: Option<String>,
    /// The claims that rules name.
    pub claims: BTreeSet<String>,
    /// Whether rules name organisations, which then have to be asked for.
    pub organizations: bool,
    /// Whether rules name teams, which then have to be asked for.
    pub teams: bool,
}

/// What is known of one fact, such as the groups of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// The values.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub values: BTreeSet<String>,
    /// Whether there are more, or may be: the provider leaves them to somebody else, does not say them, or there are too many.
    #[serde(default, skip_serializing_if = "is_false")]
    pub incomplete: bool,
}

/// What a session keeps of a person for rules: of bounded size, and no claim that no rule names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The e-mail address as rules compare it, if the provider has verified it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<EmailAddress>,
    /// The groups.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub groups: Known,
    /// The roles.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub roles: Known,
    /// The organisations, in lower case.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub organizations: Known,
    /// The teams as `organisation/team`, in lower case.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub teams: Known,
    /// The claims that rules name, by their place.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub claims: BTreeMap<String, Known>,
}

/// Who may in. Every setting that is set must be met, and within a setting any of its values will do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// Whose verified e-mail address is one of these; one setting together with `domains`.
    pub emails: BTreeSet<EmailAddress>,
    /// Whose verified e-mail address is in one of these domains.
    pub domains: Vec<DomainPattern>,
    /// Who is in one of these groups, compared exactly.
    pub groups: BTreeSet<String>,
    /// Who has one of these roles, compared exactly.
    pub roles: BTreeSet<String>,
    /// Who is a member of one of these organisations.
    pub organizations: BTreeSet<Organization>,
    /// Who is in one of these teams.
    pub teams: BTreeSet<Team>,
    /// Of whom each of these claims has one of its values; by place, as in [`Places::claims`].
    pub claims: BTreeMap<String, BTreeSet<String>>,
}

/// Why a rule keeps somebody out. It names what was asked for, and neither the rule's values nor the person's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The rule is about the e-mail address, and the provider has verified none.
    #[error("the rule asks for an e-mail address that the provider has verified, and there is none")]
    EmailNotVerified,
    /// The rule lets other e-mail addresses in.
    #[error("the rule lets in other e-mail addresses")]
    Email,
    /// The rule lets other groups in.
    #[error("the rule lets in other groups")]
    Group,
    /// The rule lets other roles in.
    #[error("the rule lets in other roles")]
    Role,
    /// The rule lets other organisations in.
    #[error("the rule lets in other organisations")]
    Organization,
    /// The rule lets other teams in.
    #[error("the rule lets in other teams")]
    Team,
    /// The rule wants another value of this claim.
    #[error("the rule lets in other values of the claim {0}")]
    Claim(String),
    /// None of what is known fits, and not all is known: the provider leaves it to somebody else
    /// ([Core §5.6.2](https://openid.net/specs/openid-connect-core-1_0.html#AggregatedDistributedClaims)), does not say it, or there
    /// are too many to keep.
    #[error("the provider does not say all {0} of the person, and none of those that it says is let in")]
    Incomplete(Subject),
}

/// What a rule asks about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The groups.
    Groups,
    /// The roles.
    Roles,
    /// The organisations.
    Organizations,
    /// The teams.
    Teams,
    /// The values of this claim.
    Claim(String),
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Groups => formatter.write_str("groups"),
            Self::Roles => formatter.write_str("roles"),
            Self::Organizations => formatter.write_str("organisations"),
            Self::Teams => formatter.write_str("teams"),
            Self::Claim(place) => write!(formatter, "values of the claim {place}"),
        }
    }
}

impl Denied {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::EmailNotVerified => "access_email_not_verified",
            Self::Email => "access_email",
            Self::Group => "access_group",
            Self::Role => "access_role",
            Self::Organization => "access_organization",
            Self::Team => "access_team",
            Self::Claim(_) => "access_claim",
            Self::Incomplete(_) => "access_incomplete",
        }
    }
}

/// Decides a rule. In this order, and with the first setting that is not met as the reason:
///
/// 1. The e-mail address is verified, and is one of the rule's addresses or in one of its domains.
/// 2. One of the groups is the rule's, then one of the roles, of the organisations, of the teams.
/// 3. Each of the rule's claims has one of the values that the rule names for it.
///
/// # Errors
/// Why the person is kept out.
pub fn decide(rule: &Rule, facts: &Facts) -> Result<(), Denied> {
    if !rule.emails.is_empty() || !rule.domains.is_empty() {
        let email = facts.email.as_ref().ok_or(Denied::EmailNotVerified)?;
        if !rule.emails.contains(email) && !rule.domains.iter().any(|domain| domain.matches(email.domain())) {
            return Err(Denied::Email);
        }
    }
    one_of(&rule.groups, &facts.groups, || Denied::Group, || Subject::Groups)?;
    one_of(&rule.roles, &facts.roles, || Denied::Role, || Subject::Roles)?;
    one_of(&rule.organizations, &facts.organizations, || Denied::Organization, || Subject::Organizations)?;
    one_of(&rule.teams, &facts.teams, || Denied::Team, || Subject::Teams)?;
    for (place, wanted) in &rule.claims {
        let unknown = Known::default();
        let known = facts.claims.get(place).unwrap_or(&unknown);
        one_of(wanted, known, || Denied::Claim(place.clone()), || Subject::Claim(place.clone()))?;
    }
    Ok(())
}

fn one_of<T: AsRef<str>>(
    wanted: &BTreeSet<T>,
    known: &Known,
    denied: impl FnOnce() -> Denied,
    subject: impl FnOnce() -> Subject,
) -> Result<(), Denied> {
    if wanted.is_empty() || wanted.iter().any(|value| known.values.contains(value.as_ref())) {
        Ok(())
    } else if known.incomplete {
        Err(Denied::Incomplete(subject()))
    } else {
        Err(denied())
    }
}

impl Rule {
    /// Whether it lets everybody in.
    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }
}

impl Known {
    /// Nothing but that there is more.
    pub fn left_out() -> Self {
        Self { values: BTreeSet::new(), incomplete: true }
    }

    fn is_unknown(&self) -> bool {
        self.values.is_empty() && !self.incomplete
    }

    /// Takes the other's values where this one has none.
    fn or(self, other: &Self) -> Self {
        if self.values.is_empty() && !other.is_unknown() { other.clone() } else { self }
    }

    /// Adds a value, as long as there is room.
    pub(crate) fn insert(&mut self, value: &str, left_bytes: &mut usize) {
        if value.is_empty() || self.values.contains(value) {
            return;
        }
        if value.len() > MAXIMUM_VALUE_BYTES || value.len() > *left_bytes || self.values.len() >= MAXIMUM_VALUES {
            self.incomplete = true;
            return;
        }
        *left_bytes -= value.len();
        self.values.insert(value.to_owned());
    }

    /// Adds what a claim holds: texts, numbers and booleans, alone or in an array.
    fn extend(&mut self, value: &Value, left_bytes: &mut usize) {
        match value {
            Value::String(text) => self.insert(text, left_bytes),
            Value::Number(number) => self.insert(&number.to_string(), left_bytes),
            Value::Bool(boolean) => self.insert(if *boolean { "true" } else { "false" }, left_bytes),
            Value::Array(elements) => {
                for element in elements.iter().filter(|element| !element.is_array()) {
                    self.extend(element, left_bytes);
                }
            }
            Value::Null | Value::Object(_) => {}
        }
    }
}

impl Facts {
    /// About how many bytes they take in memory.
    pub fn weight(&self) -> usize {
        let known = |known: &Known| known.values.iter().map(|value| value.len() + 2 * size_of::<String>()).sum::<usize>();
        let claims = self.claims.iter().map(|(place, values)| place.len() + 2 * size_of::<Known>() + known(values)).sum::<usize>();
        [&self.groups, &self.roles, &self.organizations, &self.teams].into_iter().map(known).sum::<usize>() + claims
    }

    /// The facts in a description; `foreign` names the claims that it leaves to somebody else.
    pub(crate) fn collect(members: &Map<String, Value>, foreign: &BTreeSet<String>, places: &Places) -> Self {
        let mut left_bytes = MAXIMUM_FACTS_BYTES;
        let mut known = |place: &str| {
            let mut known = Known::default();
            match json::lookup(members, place) {
                Some(value) => known.extend(value, &mut left_bytes),
                None => known.incomplete = foreign.contains(&first_member(place)) || is_overage(members, place),
            }
            known
        };
        Self {
            email: None,
            groups: places.groups.as_deref().map(&mut known).unwrap_or_default(),
            roles: places.roles.as_deref().map(&mut known).unwrap_or_default(),
            organizations: Known::default(),
            teams: Known::default(),
            claims: places.claims.iter().map(|place| (place.clone(), known(place))).filter(|(_, known)| !known.is_unknown()).collect(),
        }
    }

    /// These facts, with those in the place of the old that a renewed ID token of the same person says. One that it leaves out stays: a
    /// refresh need not bring every claim of the login
    /// ([Core §12.2](https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokenResponse)). An empty one takes away what the
    /// `earlier` ID token has said, and not what the user endpoint has.
    #[must_use]
    pub fn updated_by(self, token: &ValidatedIdToken, earlier: Option<&IdToken>, provider: &Provider) -> Self {
        let (places, mapping) = (&provider.facts, &provider.user_mapping);
        let earlier = earlier.map(claims).unwrap_or_default();
        let said_earlier = Self::collect(&earlier, &BTreeSet::new(), places);
        let mut new = User::from_id_token(token, provider).facts;
        let says = |place: &str| json::lookup(token.claims(), place).is_some_and(|value| !value.is_null());
        let newer = |place: Option<&str>, old: Known, new: Known, earlier: Option<&Known>| {
            let has_emptied = || place.is_some_and(says) && earlier.is_some_and(|earlier| !earlier.is_unknown());
            if !new.is_unknown() || has_emptied() { new } else { old }
        };
        let mut claims = self.claims;
        for place in &places.claims {
            let (old, new) = (claims.remove(place).unwrap_or_default(), new.claims.remove(place).unwrap_or_default());
            let known = newer(Some(place), old, new, said_earlier.claims.get(place));
            if !known.is_unknown() {
                claims.insert(place.clone(), known);
            }
        }
        let says_email = [&mapping.email, &mapping.email_verified].into_iter().all(|place| place.as_deref().is_some_and(says));
        Self {
            email: if says_email { new.email } else { self.email },
            groups: newer(places.groups.as_deref(), self.groups, new.groups, Some(&said_earlier.groups)),
            roles: newer(places.roles.as_deref(), self.roles, new.roles, Some(&said_earlier.roles)),
            claims,
            ..self
        }
    }

    /// These facts, with what they do not say taken from another description of the same person.
    #[must_use]
    pub(crate) fn completed_with(mut self, other: &Self) -> Self {
        for (place, known) in &other.claims {
            let own = self.claims.remove(place).unwrap_or_default();
            self.claims.insert(place.clone(), own.or(known));
        }
        Self { groups: self.groups.or(&other.groups), roles: self.roles.or(&other.roles), ..self }
    }
}

/// A dotted path as the place that it means. What begins with a slash is a JSON pointer already, for members whose names have dots;
/// what has `://` in it is the name of a member, as those are that avoid being taken for somebody else's.
pub fn place(path: &str) -> String {
    if path.contains('.') && !path.starts_with('/') && !path.contains("://") {
        format!("/{}", path.replace('~', "~0").replace('/', "~1").replace('.', "/"))
    } else {
        path.to_owned()
    }
}

/// What an ID token says that was validated before it was kept.
fn claims(token: &IdToken) -> Map<String, Value> {
    let payload = token.expose().split('.').nth(1).and_then(|payload| URL_SAFE_NO_PAD.decode(payload).ok());
    payload.and_then(|payload| serde_json::from_slice(&payload).ok()).unwrap_or_default()
}

/// The member that a place begins with.
fn first_member(place: &str) -> String {
    match place.strip_prefix('/') {
        Some(pointer) => pointer.split('/').next().unwrap_or_default().replace("~1", "/").replace("~0", "~"),
        None => place.to_owned(),
    }
}

/// Entra's other way of saying that there are more groups than fit into a token: `hasgroups` ("Groups overage claim" in Microsoft's
/// documentation).
fn is_overage(members: &Map<String, Value>, place: &str) -> bool {
    place == "groups" && matches!(members.get("hasgroups"), Some(Value::Bool(true)))
}

/// An e-mail address as rules compare it: in ASCII, upper and lower case are the same, also before the `@`, as mail servers have it;
/// the domain is in the form of [RFC 5890 §2.3.2.1](https://www.rfc-editor.org/rfc/rfc5890#section-2.3.2.1) (A-labels).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Reads an address. In this order:
    ///
    /// 1. It has at most 254 bytes, and exactly one `@` with something on both sides.
    /// 2. Before the `@` there are no blanks, control characters, quotes, brackets, commas, colons, semicolons or backslashes: no
    ///    reader then sees another address in it.
    /// 3. The domain is written as its registry writes it: in ASCII, or in the lower-case letters that it stands for. A look-alike that
    ///    some mapping would turn into it (full-width letters, ligatures) is refused.
    ///
    /// [RFC 5321 §4.1.2](https://www.rfc-editor.org/rfc/rfc5321#section-4.1.2)
    pub fn parse(text: &str) -> Option<Self> {
        let (local, domain) = text.split_once('@').filter(|_| text.len() <= MAXIMUM_EMAIL_BYTES)?;
        let is_allowed = |character: char| {
            !character.is_whitespace()
                && !character.is_control()
                && !matches!(character, '"' | '(' | ')' | ',' | ':' | ';' | '<' | '>' | '[' | ']' | '\\')
        };
        if local.is_empty() || !local.chars().all(is_allowed) {
            return None;
        }
        Some(Self(format!("{}@{}", local.to_ascii_lowercase(), canonical_domain(domain)?)))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is behind the `@`.
    pub fn domain(&self) -> &str {
        self.0.split_once('@').map_or("", |(_, domain)| domain)
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not an e-mail address")
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.0
    }
}

/// A domain, or all domains below one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DomainPattern {
    /// Exactly this one.
    Exactly(String),
    /// Those below it, at any depth, and not itself.
    Below(String),
}

impl DomainPattern {
    /// Reads a domain such as `example.com`, or `*.example.com` for all below it. Below a single label would be below a whole
    /// top-level domain, so that is refused.
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix("*.") {
            Some(base) => canonical_domain(base).filter(|base| base.contains('.')).map(Self::Below),
            None => canonical_domain(text).map(Self::Exactly),
        }
    }

    /// Whether a domain in canonical form is meant.
    pub(crate) fn matches(&self, domain: &str) -> bool {
        match self {
            Self::Exactly(exactly) => domain == exactly,
            Self::Below(base) => domain.strip_suffix(base.as_str()).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
        }
    }
}

/// The domain in ASCII and lower case; `None` for what is no domain, or is not written in its canonical form.
fn canonical_domain(text: &str) -> Option<String> {
    // The URL standard would decode percent signs.
    if text.len() > MAXIMUM_DOMAIN_BYTES || text.contains('%') {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let Ok(Host::Domain(ascii)) = Host::parse(&lower) else { return None };
    let is_label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let is_canonical = ascii == lower || quirks::domain_to_unicode(&ascii) == lower;
    (is_canonical && ascii.len() <= MAXIMUM_DOMAIN_BYTES && ascii.split('.').all(is_label)).then_some(ascii)
}

/// The name of an organisation at GitHub, in lower case: GitHub takes both for the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Organization(String);

impl Organization {
    /// Reads a name such as `example-org`: letters, digits, hyphens and underscores.
    pub fn parse(text: &str) -> Option<Self> {
        is_name(text).then(|| Self(text.to_ascii_lowercase()))
    }
}

impl AsRef<str> for Organization {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// A team of an organisation at GitHub, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Team(String);

impl Team {
    /// Reads `organisation/team`, with the team's name as it stands in the address of its page.
    pub fn parse(text: &str) -> Option<Self> {
        let (organization, team) = text.split_once('/')?;
        (is_name(organization) && is_name(team)).then(|| Self(text.to_ascii_lowercase()))
    }
}

impl AsRef<str> for Team {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Names of GitHub have at most 39 characters, those of teams 100 and more.
fn is_name(text: &str) -> bool {
    (1..=120).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' || byte == b'.')
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out a reference")]
fn is_false(value: &bool) -> bool {
    !value
}
