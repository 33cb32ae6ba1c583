//! Which issuer a token, a response or the metadata may name.

use serde_json::{Map, Value};

use crate::discovery::ProviderMetadata;
use crate::json;
use crate::provider::{IssuerRule, Provider};

/// What stands in the metadata's issuer for the tenant that a token is from.
pub(crate) const TENANT: &str = "{tenantid}";

/// What an `iss` is held against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ExpectedIssuer<'a> {
    /// The configured issuer.
    pub(crate) issuer: &'a str,
    /// What else may be there.
    pub(crate) rule: &'a IssuerRule,
    /// The issuer that the metadata declares, with [`TENANT`] in it.
    pub(crate) template: Option<&'a str>,
}

impl<'a> ExpectedIssuer<'a> {
    /// What an `iss` of this provider is held against; `None` when nobody said what it should be.
    pub(crate) fn new(provider: &'a Provider, metadata: &'a ProviderMetadata) -> Option<Self> {
        let issuer = provider.response_issuer()?;
        Some(Self { issuer, rule: &provider.issuer_rule, template: metadata.issuer_template.as_deref() })
    }

    /// Whether an authorization response may come from this issuer. It says nothing of a tenant beside it, so any tenant will
    /// do; the alternatives are for ID tokens only.
    pub(crate) fn may_answer(self, iss: &str) -> bool {
        match self.template() {
            Some(template) => is_of_template(iss, template),
            None => iss == self.issuer,
        }
    }

    /// The issuer half of the user's key, if a token with these claims may be from this provider: the configured issuer,
    /// or that of the user's tenant. A key that is reserved for some tenant signs for no other.
    pub(crate) fn of_token<'b>(self, claims: &'b Map<String, Value>, iss: &'b str, key_issuer: Option<&str>) -> Option<&'b str>
    where
        'a: 'b,
    {
        let Some(template) = self.template() else {
            let is_alternative = matches!(self.rule, IssuerRule::Alternatives(others) if others.iter().any(|other| other == iss));
            return (iss == self.issuer || is_alternative).then_some(self.issuer);
        };
        let tenant = json::string(claims, "tid").ok().flatten().filter(|tenant| is_tenant(tenant))?;
        let fits = |template: &str| template.replace(TENANT, tenant) == iss;
        (fits(template) && key_issuer.is_none_or(fits)).then_some(iss)
    }

    fn template(self) -> Option<&'a str> {
        self.template.filter(|_| *self.rule == IssuerRule::TenantTemplate)
    }
}

/// Whether the metadata's issuer is the configured one with [`TENANT`] for one whole segment of its path.
pub(crate) fn is_template_of(declared: &str, issuer: &str) -> bool {
    let Some((before, after)) = declared.split_once(TENANT) else { return false };
    let is_segment = before.ends_with('/') && (after.is_empty() || after.starts_with('/'));
    let tenant = issuer.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    // The slashes before a host are no segment: what comes after the host is.
    let is_in_path = before.splitn(4, '/').count() == 4;
    is_segment && is_in_path && !after.contains(TENANT) && tenant.is_some_and(|tenant| !tenant.is_empty() && !tenant.contains('/'))
}

fn is_of_template(iss: &str, template: &str) -> bool {
    template.split_once(TENANT).and_then(|(before, after)| iss.strip_prefix(before)?.strip_suffix(after)).is_some_and(is_tenant)
}

/// Whether the text is a tenant's identifier: a UUID, so that it cannot be a path of its own.
fn is_tenant(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
