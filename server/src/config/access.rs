//! Who may in: the settings that `[providers.<id>]` and `[upstreams.<name>]` have in common.

use super::reader::Reader;
use super::setting::{Declared, Setting};
use super::value::{Raw, Unreadable, Value, quoted};
use oauth2flow_protocol::access::{DomainPattern, EmailAddress, Organization, Rule, Team, place};
use std::collections::{BTreeMap, BTreeSet};

pub(super) static ALLOW_EMAILS: Setting<Vec<String>> = Setting::optional(
    "allow_emails",
    "The e-mail addresses whose owners may in; the provider must have verified them. Together with `allow_domains` it is one setting: \
     either will do. Of the settings that begin with `allow_` each one that is set must be met, by any of its values.",
)
.default_in_words("everybody")
.example("alice@example.com bob@example.com");
pub(super) static ALLOW_DOMAINS: Setting<Vec<String>> = Setting::optional(
    "allow_domains",
    "The domains of the e-mail addresses whose owners may in; `*.example.com` stands for all below `example.com`, and not for itself. The \
     provider must have verified the address.",
)
.default_in_words("everybody")
.example("example.com *.example.org");
pub(super) static ALLOW_GROUPS: Setting<Vec<String>> =
    Setting::optional("allow_groups", "The groups whose members may in, exactly as the provider writes them: names, paths or identifiers.")
        .default_in_words("everybody")
        .example("staff");
pub(super) static ALLOW_ROLES: Setting<Vec<String>> =
    Setting::optional("allow_roles", "The roles of which somebody who may in has one, exactly as the provider writes them.")
        .default_in_words("everybody")
        .example("editor admin");
pub(super) static ALLOW_ORGANIZATIONS: Setting<Vec<String>> = Setting::optional(
    "allow_organizations",
    "The organisations whose members may in. Only for users of `github`, which is asked for the scope `read:org` then.",
)
.default_in_words("everybody")
.example("example-org");
pub(super) static ALLOW_TEAMS: Setting<Vec<String>> = Setting::optional(
    "allow_teams",
    "The teams whose members may in, as `organisation/team`. Only for users of `github`, which is asked for the scope `read:org` then.",
)
.default_in_words("everybody")
.example("example-org/editors");
pub(super) static ALLOW_CLAIMS: Setting<ClaimTable> = Setting::optional(
    "allow_claims",
    "Claims of which each must have one of these values, in the ID token or the user's data; texts, numbers, `true` and `false`, alone or \
     in lists. Dots in a name lead into nested objects, a name that begins with a slash is a JSON pointer, and one with `://` in it is \
     taken as it is.",
)
.default_in_words("everybody")
.example("department=sales&department=support");
pub(super) static GROUPS_CLAIM: Setting<String> =
    Setting::optional("groups_claim", "The claim with the groups, in the ID token or the user's data, named as in `allow_claims`.")
        .default_in_words("`groups` for `openid`, `entra`, `gitlab`, `keycloak`, `auth0` and `okta`; otherwise none")
        .example("https://example.com/groups");
pub(super) static ROLES_CLAIM: Setting<String> = Setting::optional("roles_claim", "The claim with the roles, in the same way.")
    .default_in_words("`roles` for `openid`, `entra`, `auth0` and `okta`, `realm_access.roles` for `keycloak`; otherwise none")
    .example("resource_access.oauth2flow.roles");

/// Claims that are others at every sign-in.
const PASSING_CLAIMS: [&str; 6] = ["exp", "iat", "nbf", "nonce", "at_hash", "auth_time"];

/// What is set about access in the table of a provider.
#[derive(Clone, Debug, Default)]
pub struct AccessConfig {
    /// Who may sign in.
    pub rule: Rule,
    /// Where the groups are, if it is set.
    pub groups_claim: Option<String>,
    /// Where the roles are, if it is set.
    pub roles_claim: Option<String>,
}

/// What is known of a provider's users, for rules to be decided by. Claims are always.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and all combinations occur")]
pub(super) struct Provable {
    /// Whether the provider says which e-mail addresses it has verified.
    pub(super) emails: bool,
    /// Whether it says groups.
    pub(super) groups: bool,
    /// Whether it says roles.
    pub(super) roles: bool,
    /// Whether it says organisations and teams.
    pub(super) memberships: bool,
}

impl Provable {
    /// Of a provider whose table cannot be read: nothing is held against it.
    pub(super) const EVERYTHING: Self = Self { emails: true, groups: true, roles: true, memberships: true };

    /// Of the demo provider.
    pub(super) const DEMO: Self = Self { emails: true, groups: false, roles: false, memberships: false };
}

impl AccessConfig {
    /// Reads the settings of a provider's table.
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            rule: read_rule(reader),
            groups_claim: reader.optional(&GROUPS_CLAIM).map(|path| place(&path)),
            roles_claim: reader.optional(&ROLES_CLAIM).map(|path| place(&path)),
        }
    }
}

/// Reads who may in.
pub(super) fn read_rule(reader: &mut Reader<'_>) -> Rule {
    Rule {
        emails: read_list(reader, &ALLOW_EMAILS, EmailAddress::parse, "an e-mail address", "alice@example.com").into_iter().collect(),
        domains: read_list(
            reader,
            &ALLOW_DOMAINS,
            DomainPattern::parse,
            "a domain",
            "example.com, in lower case, or *.example.com for all below it",
        ),
        groups: read_list(reader, &ALLOW_GROUPS, as_it_is, "", "").into_iter().collect(),
        roles: read_list(reader, &ALLOW_ROLES, as_it_is, "", "").into_iter().collect(),
        organizations: read_list(reader, &ALLOW_ORGANIZATIONS, Organization::parse, "the name of an organisation", "example-org")
            .into_iter()
            .collect(),
        teams: read_list(reader, &ALLOW_TEAMS, Team::parse, "a team", "example-org/editors, as in the address of the team's page")
            .into_iter()
            .collect(),
        claims: read_claims(reader),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it stands beside those that refuse some texts")]
fn as_it_is(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn read_list<T>(
    reader: &mut Reader<'_>,
    setting: &'static Setting<Vec<String>>,
    parse: fn(&str) -> Option<T>,
    kind: &str,
    like: &str,
) -> Vec<T> {
    let Some(texts) = reader.optional(setting) else { return Vec::new() };
    if texts.is_empty() {
        nobody(reader, setting);
    }
    let mut values = Vec::with_capacity(texts.len());
    for text in texts {
        match parse(&text) {
            Some(value) => values.push(value),
            None => reader.problem(setting, format!("“{text}” is not {kind}."), format!("Write one like {like}.")),
        }
    }
    values
}

fn nobody(reader: &mut Reader<'_>, setting: &dyn Declared) {
    reader.problem(setting, "The list is empty, so nobody could come in.", "Name some, or leave it out for everybody.");
}

fn read_claims(reader: &mut Reader<'_>) -> BTreeMap<String, BTreeSet<String>> {
    let Some(ClaimTable(table)) = reader.optional(&ALLOW_CLAIMS) else { return BTreeMap::new() };
    if table.is_empty() || table.values().any(BTreeSet::is_empty) {
        nobody(reader, &ALLOW_CLAIMS);
    }
    for name in table.keys().filter(|name| PASSING_CLAIMS.contains(&name.as_str())) {
        let problem = format!("“{name}” is another one at every sign-in, so nobody would come in twice.");
        reader.problem(&ALLOW_CLAIMS, problem, format!("Remove {name}."));
    }
    table.into_iter().map(|(name, values)| (place(&name), values)).collect()
}

/// Refuses what nobody who signs in with this provider could ever meet.
pub(super) fn validate(reader: &mut Reader<'_>, rule: &Rule, provider: &str, provable: Provable) {
    let has = |emails: bool| emails && !provable.emails;
    let demands: [(bool, &dyn Declared, &str); 6] = [
        (has(!rule.emails.is_empty()), &ALLOW_EMAILS, "does not say which e-mail addresses it has verified"),
        (has(!rule.domains.is_empty()), &ALLOW_DOMAINS, "does not say which e-mail addresses it has verified"),
        (!rule.groups.is_empty() && !provable.groups, &ALLOW_GROUPS, "says no groups by itself"),
        (!rule.roles.is_empty() && !provable.roles, &ALLOW_ROLES, "says no roles by itself"),
        (!rule.organizations.is_empty() && !provable.memberships, &ALLOW_ORGANIZATIONS, "says no organisations, as only github does"),
        (!rule.teams.is_empty() && !provable.memberships, &ALLOW_TEAMS, "says no teams, as only github does"),
    ];
    for (never, setting, says) in demands {
        if never {
            let fix = match setting.key() {
                "allow_emails" | "allow_domains" => {
                    "Remove it, or name the claim that says so in user.email_verified of the provider, if there is one."
                }
                "allow_groups" => "Remove it, or name the claim in groups_claim of the provider.",
                "allow_roles" => "Remove it, or name the claim in roles_claim of the provider.",
                _ => "Remove it, or use allow_groups or allow_claims.",
            };
            reader.problem(setting, format!("The provider “{provider}” {says}, so nobody who signs in there could come in."), fix);
        }
    }
}

/// Claims with the values of which one will do.
#[derive(Clone, Debug)]
pub(super) struct ClaimTable(BTreeMap<String, BTreeSet<String>>);

impl Value for ClaimTable {
    fn kind() -> String {
        "table of texts or lists of texts".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, Unreadable> {
        let mut table: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        match raw {
            Raw::Text(text) => {
                if let Some(part) = text.split('&').find(|part| !part.contains('=')) {
                    return Err(Unreadable::new(format!("“{part}” has no value."), "Write it like a query: name=value&name=other."));
                }
                for (name, value) in url::form_urlencoded::parse(text.as_bytes()).into_owned() {
                    table.entry(name).or_default().insert(value);
                }
            }
            Raw::Table(members) => {
                for (name, value) in members {
                    table.insert(name.clone(), values(name, value)?);
                }
            }
            _ => return Err(Unreadable::new("It should be a table.", "Write a table, such as { department = [\"sales\", \"support\"] }.")),
        }
        Ok(Self(table))
    }

    fn toml(text: &str) -> String {
        let mut table: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(text.as_bytes()).into_owned() {
            table.entry(name).or_default().push(quoted(&value));
        }
        let members: Vec<_> = table.iter().map(|(name, values)| format!("{name} = [{}]", values.join(", "))).collect();
        format!("{{ {} }}", members.join(", "))
    }
}

fn values(name: &str, value: &Raw) -> Result<BTreeSet<String>, Unreadable> {
    let text = |value: &Raw| match value {
        Raw::Text(text) => Ok(text.clone()),
        Raw::Boolean(value) => Ok(value.to_string()),
        Raw::Table(_) => Err(Unreadable::new(
            format!("Its “{name}” is a table."),
            format!("Put the whole name in quotes when it has dots, such as {{ \"{name}.role\" = \"editor\" }}."),
        )),
        _ => Err(Unreadable::new(
            format!("Its “{name}” should be text, or a list of texts."),
            format!("Put the values of {name} in quotes, numbers too."),
        )),
    };
    match value {
        Raw::List(items) => items.iter().map(text).collect(),
        other => text(other).map(|text| BTreeSet::from([text])),
    }
}
