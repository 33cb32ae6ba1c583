//! `[providers.<id>]`: with whom people sign in.

mod choices;
mod credentials;
mod location;
mod rules;
mod settings;

pub use choices::{ClientAuth, Icon, IssPolicy, Metadata, Preset, ScopeSeparator};
pub(super) use credentials::read_client_certificate;
pub use credentials::{ClientCertificate, Credentials};
pub use location::Endpoints;
pub(super) use rules::validate_resources;
pub(super) use settings::SECTION;

use super::{
    access::{self, AccessConfig, Provable},
    reader::Reader,
    value::{Choice as _, JsonObject},
};
use oauth2flow_protocol::{
    SigningAlgorithm,
    authorize::AuthorizationOptions,
    preset::Location,
    provider::{DpopPolicy, ParPolicy, ResponseMode, SignedUserInfo},
};
use settings::{
    ACR_VALUES, AUTHORIZATION_PARAMS, AUTHORIZATION_URL, CLAIMS, CLIENT_ID, DPOP, EXPECTED_ISS, ICON, ID_TOKEN_ALGORITHMS, ISS_POLICY,
    ISSUER, LOGIN_HINT, MAX_AGE, METADATA, NAME, NONCE, PAR, PKCE, PRESET, PROMPT, REQUEST_OBJECT, REQUIRED_CLAIMS, RESOURCE,
    RESPONSE_MODE, SCOPE_SEPARATOR, SCOPES, SERVER_CALLBACK, SIGNED_USERINFO, TOKEN_URL, UI_LOCALES, USER_EMAIL, USER_EMAIL_VERIFIED,
    USER_ID, USER_LOGIN, USER_NAME, USER_PICTURE, USERINFO_URL, WEB_URL,
};
use std::collections::BTreeMap;
use url::Url;

/// A provider.
#[derive(Clone, Debug)]
pub struct ProviderConfig {
    /// Its name in addresses.
    pub id: String,
    /// Its name for people, if one is set.
    pub name: Option<String>,
    /// The icon, if one is set.
    pub icon: Option<Icon>,
    /// What kind it is.
    pub preset: Preset,
    /// The issuer, character by character as it was written or as it follows from what was written. Absent for providers whose
    /// endpoints are not discovered.
    pub issuer: Option<String>,
    /// Whose members alone may sign in; only with [`Preset::Google`].
    pub hosted_domain: Option<String>,
    /// The client id.
    pub client_id: String,
    /// What the client shows to prove who it is.
    pub credentials: Credentials,
    /// The scopes, if they are set.
    pub scopes: Option<Vec<String>>,
    /// What to do about a missing `iss`, if it is set.
    pub iss_policy: Option<IssPolicy>,
    /// Whether to send a PKCE challenge, if it is set.
    pub pkce: Option<bool>,
    /// Whether to send a nonce and demand it back, if it is set.
    pub nonce: Option<bool>,
    /// Whether the provider answers to the server instead of the app.
    pub server_callback: bool,
    /// How the answer comes back, if it is set.
    pub response_mode: Option<ResponseMode>,
    /// Whether the authorization request goes to the provider first.
    pub par: ParPolicy,
    /// Whether the authorization request is signed.
    pub request_object: bool,
    /// Whether access tokens are bound to a key.
    pub dpop: DpopPolicy,
    /// What is asked for at every sign-in.
    pub options: AuthorizationOptions,
    /// More parameters for the authorization request.
    pub authorization_params: BTreeMap<String, String>,
    /// The algorithms that ID tokens may be signed with; when empty, those of the metadata.
    pub id_token_algorithms: Vec<SigningAlgorithm>,
    /// Claims that the ID token must hold.
    pub required_claims: BTreeMap<String, String>,
    /// Whether the user endpoint must sign what it says.
    pub signed_userinfo: SignedUserInfo,
    /// The address of the pages, when not the public one, without a slash at the end; only with known endpoints.
    pub web_url: Option<String>,
    /// The address of the API that goes with it, without a slash at the end.
    pub api_url: Option<String>,
    /// The endpoints; present exactly with [`Preset::OAuth`] without an issuer.
    pub endpoints: Option<Endpoints>,
    /// Where the user's data is; present exactly with [`Preset::OAuth`].
    pub userinfo_url: Option<Url>,
    /// The `iss` of this provider's answers, if it is set.
    pub expected_iss: Option<String>,
    /// What stands between the scopes that the provider says it granted.
    pub scope_separator: ScopeSeparator,
    /// Where in its data a user's properties are.
    pub user: UserMapping,
    /// Who may sign in.
    pub access: AccessConfig,
}

/// The members of the provider's data that hold a user's properties; dots lead into nested objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserMapping {
    /// The identifier; present exactly with [`Preset::OAuth`].
    pub id: Option<String>,
    /// The name for people.
    pub name: Option<String>,
    /// The name to sign in by.
    pub login: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// Whether the provider has checked the address.
    pub email_verified: Option<String>,
    /// The address of a picture.
    pub picture: Option<String>,
}

impl ProviderConfig {
    /// Reads the table of the provider `id`.
    pub(super) fn read(reader: &mut Reader<'_>, id: &str) -> Option<Self> {
        let metadata = reader.optional(&METADATA);
        let preset = if reader.is_set(&PRESET) { reader.optional(&PRESET) } else { Some(guess_preset(reader, id, metadata)) };
        let name = reader.optional(&NAME);
        let icon = reader.optional(&ICON);
        let client_id = reader.required(&CLIENT_ID);
        let request_object = reader.optional(&REQUEST_OBJECT);
        let credentials = Credentials::read(reader, preset, request_object == Some(true));
        let scopes = reader.optional(&SCOPES);
        let scope_separator = reader.optional(&SCOPE_SEPARATOR);
        let pkce = reader.optional(&PKCE);
        let nonce = reader.optional(&NONCE);
        let iss_policy = reader.optional(&ISS_POLICY);
        let expected_iss = location::confidential(reader, &EXPECTED_ISS);
        let server_callback = reader.optional(&SERVER_CALLBACK);
        let response_mode = reader.optional(&RESPONSE_MODE);
        let (par, dpop) = (reader.optional(&PAR), reader.optional(&DPOP));
        let resource = reader.optional(&RESOURCE).unwrap_or_default();
        let options = read_options(reader, &resource);
        let authorization_params = reader.optional(&AUTHORIZATION_PARAMS).unwrap_or_default();
        let id_token_algorithms = reader.optional(&ID_TOKEN_ALGORITHMS).unwrap_or_default();
        let required_claims = reader.optional(&REQUIRED_CLAIMS).unwrap_or_default();
        let signed_userinfo = reader.optional(&SIGNED_USERINFO);
        let endpoints = location::endpoints(reader);
        let userinfo_url = location::confidential(reader, &USERINFO_URL);
        let user = UserMapping {
            id: reader.optional(&USER_ID),
            name: reader.optional(&USER_NAME),
            login: reader.optional(&USER_LOGIN),
            email: reader.optional(&USER_EMAIL),
            email_verified: reader.optional(&USER_EMAIL_VERIFIED),
            picture: reader.optional(&USER_PICTURE),
        };
        let access = AccessConfig::read(reader);
        // Without a preset nothing can be said about what belongs to it.
        let preset = preset?;
        let (issuer, domain) = location::issuer(reader, preset);
        let (web_url, api_url) = location::hosts(reader, preset);
        let read = rules::Read {
            scopes: scopes.as_deref(),
            params: &authorization_params,
            metadata,
            resource: &resource,
            required_claims: &required_claims,
            pkce,
            nonce,
            client_auth: credentials.client_auth,
            iss_policy,
        };
        rules::validate(reader, preset, &read);
        access::validate(reader, &access.rule, id, provable(preset, &user, &access));
        Some(Self {
            id: id.to_owned(),
            name,
            icon,
            preset,
            issuer,
            hosted_domain: domain.filter(|_| preset == Preset::Google),
            client_id: client_id?,
            credentials,
            scopes,
            iss_policy,
            pkce,
            nonce,
            server_callback: server_callback?,
            response_mode,
            par: par?,
            request_object: request_object?,
            dpop: dpop?,
            options,
            authorization_params,
            id_token_algorithms,
            required_claims,
            signed_userinfo: signed_userinfo?,
            web_url,
            api_url,
            endpoints,
            userinfo_url: userinfo_url.map(|address| address.url),
            expected_iss: expected_iss.map(|issuer| issuer.text),
            scope_separator: scope_separator?,
            user,
            access,
        })
    }

    /// What rules about its users can be decided by.
    pub(super) fn provable(&self) -> Provable {
        provable(self.preset, &self.user, &self.access)
    }

    /// Whether the provider issues ID tokens, which say how strongly and when the user was authenticated.
    pub fn is_openid(&self) -> bool {
        self.preset.is_openid()
    }

    /// The host of this provider's pictures of users, where it is known.
    pub(super) fn avatar_host(&self) -> Option<String> {
        let data = self.preset.data();
        let is_public = match data.location {
            Location::Hosts(_) => self.web_url.is_none(),
            Location::Issuer(template) => self.issuer.as_deref() == Some(template),
            Location::Configured => false,
        };
        data.avatar_host.filter(|_| is_public).map(str::to_owned)
    }
}

fn provable(preset: Preset, user: &UserMapping, access: &AccessConfig) -> Provable {
    let data = preset.data();
    let paths = match data.location {
        Location::Hosts(paths) => Some(paths),
        Location::Issuer(_) | Location::Configured => None,
    };
    let has_email = user.email.is_some() || data.user.email.is_some();
    let has_word = user.email_verified.is_some() || data.user.email_verified.is_some();
    Provable {
        emails: has_email && has_word || paths.is_some_and(|paths| paths.emails.is_some()),
        groups: access.groups_claim.is_some() || data.groups.is_some(),
        roles: access.roles_claim.is_some() || data.roles.is_some(),
        memberships: paths.is_some_and(|paths| paths.organizations.is_some()),
    }
}

fn guess_preset(reader: &Reader<'_>, id: &str, metadata: Option<Metadata>) -> Preset {
    if metadata == Some(Metadata::OAuth) {
        Preset::OAuth
    } else if reader.is_set(&ISSUER) {
        Preset::OpenId
    } else if reader.is_set(&AUTHORIZATION_URL) || reader.is_set(&TOKEN_URL) {
        Preset::OAuth
    } else if let Some((_, preset)) = Preset::ALL.iter().find(|(word, _)| *word == id) {
        *preset
    } else if reader.is_set(&WEB_URL) {
        Preset::GitHub
    } else {
        Preset::OpenId
    }
}

fn read_options(reader: &mut Reader<'_>, resource: &[String]) -> AuthorizationOptions {
    AuthorizationOptions {
        prompt: reader.optional(&PROMPT).unwrap_or_default(),
        max_age: reader.optional(&MAX_AGE),
        acr_values: reader.optional(&ACR_VALUES).unwrap_or_default(),
        login_hint: reader.optional(&LOGIN_HINT),
        ui_locales: reader.optional(&UI_LOCALES).unwrap_or_default(),
        claims: reader.optional(&CLAIMS).map(|JsonObject(members)| members),
        resource: resource.iter().filter_map(|address| Url::parse(address).ok()).collect(),
    }
}
