//! The organisations and teams of a user at GitHub, which it says only when asked.
//! ("List organizations for the authenticated user" and "List teams for the authenticated user" in GitHub's REST documentation.)

use serde_json::Value;
use url::Url;

use crate::access::{Known, MAXIMUM_FACTS_BYTES, Organization, Team};
use crate::http::{OutboundRequest, OutboundResponse};
use crate::json;
use crate::provider::Provider;
use crate::secret::AccessToken;
use crate::userinfo::{UserInfoError, bearer_request};

/// The largest page accepted, in bytes: a hundred teams take about 300 KiB.
pub const MAXIMUM_MEMBERSHIP_BYTES: usize = 1024 * 1024;

/// How many pages are asked for; with a hundred entries a page, whoever has more has more than is kept.
pub const MAXIMUM_PAGES: usize = 10;

/// The scope that opens private memberships ("Scopes for OAuth apps" in GitHub's documentation).
pub const MEMBERSHIP_SCOPE: &str = "read:org";

/// Scopes that include it.
const SCOPES_WITH_MEMBERSHIPS: [&str; 4] = [MEMBERSHIP_SCOPE, "write:org", "admin:org", "user"];

/// What somebody can be a member of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    /// Organisations.
    Organizations,
    /// Teams of organisations.
    Teams,
}

/// The memberships found so far.
#[derive(Clone, Debug)]
pub struct Memberships {
    of: Membership,
    found: Known,
    left_bytes: usize,
    pages: usize,
}

/// Whether these scopes open private memberships.
pub fn has_scope(scopes: &[String]) -> bool {
    scopes.iter().any(|scope| SCOPES_WITH_MEMBERSHIPS.contains(&scope.as_str()))
}

impl Memberships {
    /// Nothing yet.
    pub fn new(of: Membership) -> Self {
        Self { of, found: Known::default(), left_bytes: MAXIMUM_FACTS_BYTES, pages: 0 }
    }

    /// The request for the first page; `None` when no rule asks for it, or the provider does not say.
    pub fn first_request(&self, provider: &Provider, access_token: &AccessToken) -> Option<OutboundRequest> {
        let wanted = match self.of {
            Membership::Organizations => provider.facts.organizations,
            Membership::Teams => provider.facts.teams,
        };
        Some(bearer_request(self.endpoint(provider).filter(|_| wanted)?, provider, access_token))
    }

    /// Judges a page and answers the request for the next one, if there is one. In this order:
    ///
    /// 1. Where the token does not open the list (403, 404), what is known of it is incomplete.
    /// 2. The status is 200, the body has at most [`MAXIMUM_MEMBERSHIP_BYTES`] and is an array in JSON.
    /// 3. The next page, by the `Link` header ([RFC 8288](https://www.rfc-editor.org/rfc/rfc8288)), is at the same address but for its
    ///    query, and is not one page too many; otherwise what is known is incomplete.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn process(
        &mut self,
        response: &OutboundResponse,
        provider: &Provider,
        access_token: &AccessToken,
    ) -> Result<Option<OutboundRequest>, UserInfoError> {
        if matches!(response.status, 403 | 404) {
            self.found.incomplete = true;
            return Ok(None);
        }
        if response.is_unavailable() {
            return Err(UserInfoError::Unavailable { status: response.status });
        }
        match response.status {
            200 if response.body.len() > MAXIMUM_MEMBERSHIP_BYTES => return Err(UserInfoError::TooLarge),
            200 if !response.is_json() => return Err(UserInfoError::NotJson),
            200 => {}
            401 => return Err(UserInfoError::Unauthorized),
            status => return Err(UserInfoError::UnexpectedStatus { status }),
        }
        let page = json::parse(&response.body).map_err(UserInfoError::Malformed)?;
        let of = self.of;
        let entries = page.as_array().ok_or(UserInfoError::NotJson)?;
        for name in entries.iter().filter_map(|entry| of.name(entry)) {
            self.found.insert(&name, &mut self.left_bytes);
        }
        self.pages += 1;
        let Some(next) = response.link.as_deref().and_then(next_page) else { return Ok(None) };
        let same_place = |endpoint: &Url| next.origin() == endpoint.origin() && next.path() == endpoint.path();
        if self.pages >= MAXIMUM_PAGES || !self.endpoint(provider).is_some_and(same_place) {
            self.found.incomplete = true;
            return Ok(None);
        }
        Ok(Some(bearer_request(&next, provider, access_token)))
    }

    /// All that was found.
    pub fn finish(self) -> Known {
        self.found
    }

    fn endpoint<'a>(&self, provider: &'a Provider) -> Option<&'a Url> {
        match self.of {
            Membership::Organizations => provider.organizations_endpoint.as_ref(),
            Membership::Teams => provider.teams_endpoint.as_ref(),
        }
    }
}

impl Membership {
    fn name(self, entry: &Value) -> Option<String> {
        match self {
            Self::Organizations => Organization::parse(entry.get("login")?.as_str()?).map(|name| name.as_ref().to_owned()),
            Self::Teams => {
                let (organization, slug) = (entry.pointer("/organization/login")?.as_str()?, entry.get("slug")?.as_str()?);
                Team::parse(&format!("{organization}/{slug}")).map(|name| name.as_ref().to_owned())
            }
        }
    }
}

/// The address of the next page in a `Link` header.
fn next_page(link: &str) -> Option<Url> {
    link.split(',').find_map(|entry| {
        let (address, parameters) = entry.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters.split(';').any(|parameter| matches!(parameter.trim(), "rel=\"next\"" | "rel=next"));
        is_next.then(|| Url::parse(address).ok())?
    })
}
