//! A login with a provider that does everything right, from which each test changes one thing.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use oauth2flow_protocol::authorize::AuthorizationRequestError;
use oauth2flow_protocol::callback::{self, CallbackError};
use oauth2flow_protocol::discovery::{self, DiscoveryError};
use oauth2flow_protocol::id_token::{self, IdTokenError, IdTokenExpectations};
use oauth2flow_protocol::provider::{Endpoints, UserMapping};
use oauth2flow_protocol::token::{self, PendingExchange, TokenError};
use oauth2flow_protocol::{
    AuthorizationOptions, AuthorizationResponse, ClientSecret, Context, JwkSet, OutboundRequest, OutboundResponse, Provider,
    ProviderMetadata, ReturnTo, TokenResponse, Transaction, ValidatedCallback, ValidatedIdToken, authorization_url, preset,
};
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

pub(crate) const ISSUER: &str = "https://login.example/tenant";
pub(crate) const CLIENT_ID: &str = "app-1";
pub(crate) const CLIENT_SECRET: &str = "a client's secret";
pub(crate) const REDIRECT_URI: &str = "https://app.example/callback";
pub(crate) const RETURN_TO: &str = "/account?tab=notes#latest";
pub(crate) const CODE: &str = "code-from-the-provider";
pub(crate) const ACCESS_TOKEN: &str = "access-token-from-the-provider";
pub(crate) const REFRESH_TOKEN: &str = "refresh-token-from-the-provider";
pub(crate) const SUBJECT: &str = "user-248289761001";

/// When every login of these tests begins, in seconds of Unix time.
pub(crate) const START: i64 = 1_800_000_000;

pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(START).unwrap()
}

/// The time so much after the start.
pub(crate) fn after(duration: Duration) -> Timestamp {
    now() + duration
}

/// Bytes that differ from draw to draw, and from seed to seed.
pub(crate) fn random_from(seed: u8) -> impl FnMut(&mut [u8]) {
    let mut state = u64::from(seed);
    move |bytes| {
        for byte in bytes {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = state.to_be_bytes()[0];
        }
    }
}

/// An operation at the start of the login, with randomness of its own.
pub(crate) fn with_context<T>(seed: u8, operation: impl FnOnce(&mut Context<'_>) -> T) -> T {
    operation(&mut Context::new(now(), &mut random_from(seed)))
}

pub(crate) fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

pub(crate) fn response(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> OutboundResponse {
    OutboundResponse { status, content_type: Some(content_type.to_owned()), dpop_nonce: None, link: None, body: body.into() }
}

pub(crate) fn json_response(body: &Value) -> OutboundResponse {
    response(200, "application/json", body.to_string())
}

/// JSON that is nested far deeper than any document has reason to be.
pub(crate) fn deeply_nested(depth: usize) -> String {
    format!("{}1{}", r#"{"a":["#.repeat(depth), "]}".repeat(depth))
}

/// The parameters of a form or a query; each occurs once.
pub(crate) fn parameters(encoded: &str) -> BTreeMap<String, String> {
    let mut parameters = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(encoded.as_bytes()) {
        let earlier = parameters.insert(name.clone().into_owned(), value.into_owned());
        assert_eq!(earlier, None, "{name} occurs twice");
    }
    parameters
}

/// The form that a request posts.
pub(crate) fn form(request: &OutboundRequest) -> BTreeMap<String, String> {
    assert_eq!(request.header("content-type"), Some("application/x-www-form-urlencoded"));
    parameters(request.body.as_deref().unwrap())
}

pub(crate) fn client_secret() -> ClientSecret {
    ClientSecret::new(CLIENT_SECRET.to_owned())
}

pub(crate) fn openid_provider() -> Provider {
    preset::openid("example", "Example", ISSUER, CLIENT_ID, Some(client_secret()))
}

/// An OAuth 2.0 provider that says nothing about itself.
pub(crate) fn oauth_provider() -> Provider {
    let endpoints = Endpoints {
        authorization: url("https://plain.example/authorize"),
        token: url("https://plain.example/token"),
        userinfo: Some(url("https://plain.example/me")),
        revocation: None,
        end_session: None,
    };
    let mapping = UserMapping { id: "uid".to_owned(), ..UserMapping::openid() };
    preset::oauth("plain", "Plain", endpoints, mapping, CLIENT_ID, Some(client_secret()))
}

/// What the OpenID provider says about itself.
pub(crate) fn metadata_document() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://login.example/tenant/authorize",
        "token_endpoint": "https://login.example/tenant/token",
        "jwks_uri": "https://login.example/tenant/keys",
        "userinfo_endpoint": "https://login.example/tenant/userinfo",
        "revocation_endpoint": "https://login.example/tenant/revoke",
        "end_session_endpoint": "https://login.example/tenant/logout",
        "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
    })
}

pub(crate) fn read_metadata(document: &Value) -> Result<ProviderMetadata, DiscoveryError> {
    discovery::process_metadata(&openid_provider(), &json_response(document))
}

pub(crate) fn metadata() -> ProviderMetadata {
    read_metadata(&metadata_document()).unwrap()
}

/// The metadata with one member changed, or taken away with `null`.
pub(crate) fn metadata_with(name: &str, value: Value) -> ProviderMetadata {
    let mut document = metadata_document();
    document[name] = value;
    read_metadata(&document).unwrap()
}

/// A login that has begun.
pub(crate) struct Login {
    pub(crate) provider: Provider,
    pub(crate) metadata: ProviderMetadata,
    pub(crate) transaction: Transaction,
}

impl Login {
    pub(crate) fn begin(provider: Provider, metadata: ProviderMetadata) -> Self {
        Self::begin_from(1, provider, metadata)
    }

    /// A login with randomness of its own.
    pub(crate) fn begin_from(seed: u8, provider: Provider, metadata: ProviderMetadata) -> Self {
        Self::begin_with(seed, AuthorizationOptions::default(), provider, metadata)
    }

    /// A login that asks for something.
    pub(crate) fn begin_with(seed: u8, options: AuthorizationOptions, provider: Provider, metadata: ProviderMetadata) -> Self {
        let return_to = ReturnTo::parse(RETURN_TO);
        let transaction = with_context(seed, |context| Transaction::begin(&provider, &metadata, REDIRECT_URI, return_to, options, context));
        Self { provider, metadata, transaction }
    }

    pub(crate) fn openid() -> Self {
        Self::begin(openid_provider(), metadata())
    }

    pub(crate) fn oauth() -> Self {
        Self::fixed(oauth_provider())
    }

    /// With a provider whose endpoints are configured.
    pub(crate) fn fixed(provider: Provider) -> Self {
        let metadata = provider.fixed_metadata().unwrap();
        Self::begin(provider, metadata)
    }

    /// Where the browser is sent.
    pub(crate) fn url(&self) -> Url {
        self.try_url().unwrap()
    }

    pub(crate) fn try_url(&self) -> Result<Url, AuthorizationRequestError> {
        let address = with_context(100, |context| authorization_url(&self.provider, &self.metadata, &self.transaction, context))?;
        let url = url(&address);
        // A browser that is sent there changes nothing of it.
        assert_eq!(url.as_str(), address);
        Ok(url)
    }

    /// The parameters of the authorization request.
    pub(crate) fn request(&self) -> BTreeMap<String, String> {
        parameters(self.url().query().unwrap())
    }

    /// The state that was drawn, however it is sent.
    pub(crate) fn state(&self) -> String {
        self.drawn("s")
    }

    pub(crate) fn nonce(&self) -> String {
        self.drawn("n")
    }

    fn drawn(&self, name: &str) -> String {
        let content: Value = serde_json::from_slice(&self.transaction.to_plaintext()).unwrap();
        content[name].as_str().unwrap().to_owned()
    }

    /// What becomes of an authorization response.
    pub(crate) fn answer(&self, pairs: &[(&str, &str)]) -> Result<ValidatedCallback, CallbackError> {
        self.answer_at(now(), pairs)
    }

    pub(crate) fn answer_at(&self, time: Timestamp, pairs: &[(&str, &str)]) -> Result<ValidatedCallback, CallbackError> {
        self.answer_with(None, time, pairs)
    }

    /// What becomes of an authorization response that these keys may have signed.
    pub(crate) fn answer_with(
        &self,
        keys: Option<&JwkSet>,
        time: Timestamp,
        pairs: &[(&str, &str)],
    ) -> Result<ValidatedCallback, CallbackError> {
        let response = AuthorizationResponse::from_pairs(pairs.iter().copied())?;
        callback::validate(response, self.transaction.clone(), &self.provider, &self.metadata, keys, time)
    }

    /// What becomes of a code that comes with the right state and this `iss`, or with none.
    pub(crate) fn answer_from(&self, iss: Option<&str>) -> Result<ValidatedCallback, CallbackError> {
        let state = self.state();
        let mut pairs = vec![("code", CODE), ("state", state.as_str())];
        pairs.extend(iss.map(|iss| ("iss", iss)));
        self.answer(&pairs)
    }

    /// The callback of a provider that does everything right.
    pub(crate) fn callback(&self) -> ValidatedCallback {
        // Where every tenant has an issuer of its own, there is no `iss` in the response.
        self.answer_from(self.metadata.issuer.as_deref().filter(|_| self.metadata.issuer_template.is_none())).unwrap()
    }

    pub(crate) fn exchange(&self) -> (OutboundRequest, PendingExchange) {
        self.try_exchange().unwrap()
    }

    pub(crate) fn try_exchange(&self) -> Result<(OutboundRequest, PendingExchange), TokenError> {
        with_context(101, |context| token::exchange_request(&self.provider, &self.metadata, self.callback(), None, context))
    }

    /// What becomes of a token response.
    pub(crate) fn tokens(&self, response: &OutboundResponse) -> Result<TokenResponse, TokenError> {
        self.exchange().1.process(response, now())
    }

    /// The tokens of a provider that does everything right.
    pub(crate) fn tokens_with(&self, id_token: &str) -> TokenResponse {
        let mut answer = token_answer();
        answer["id_token"] = json!(id_token);
        self.tokens(&json_response(&answer)).unwrap()
    }

    /// The claims of an ID token that holds.
    pub(crate) fn claims(&self) -> Value {
        json!({
            "iss": ISSUER,
            "aud": CLIENT_ID,
            "sub": SUBJECT,
            "iat": START,
            "exp": START + 300,
            "nonce": self.nonce(),
            "sid": "provider-session-1",
            "name": "Alice Example",
            "email": "alice@example.com",
            "email_verified": true,
        })
    }

    /// What becomes of an ID token that comes with the tokens.
    pub(crate) fn judge(&self, id_token: &str, keys: &JwkSet) -> Result<ValidatedIdToken, IdTokenError> {
        let tokens = self.tokens_with(id_token);
        let expectations = IdTokenExpectations::new(&self.provider, &self.metadata, &tokens, now()).unwrap();
        id_token::validate(tokens.id_token.as_ref().unwrap(), &expectations, keys)
    }
}

/// A token response that holds, but for the ID token that an OpenID provider adds.
pub(crate) fn token_answer() -> Value {
    json!({
        "access_token": ACCESS_TOKEN,
        "token_type": "Bearer",
        "expires_in": 3600,
        "refresh_token": REFRESH_TOKEN,
        "scope": "openid profile email",
    })
}

/// The result is this very error.
macro_rules! assert_rejected {
    ($result:expr, $error:pat $(, $($context:tt)+)?) => {
        match $result {
            Err($error) => {}
            other => {
                $(eprintln!($($context)+);)?
                panic!("not rejected with {}, but {other:?}", stringify!($error));
            }
        }
    };
}
pub(crate) use assert_rejected;

/// Fails to compile when the type has the trait: the call would be ambiguous.
macro_rules! assert_not_implemented {
    ($type:ty, $trait:path) => {{
        trait Ambiguous<Marker> {
            fn only_without_the_trait() {}
        }
        impl<T: ?Sized> Ambiguous<()> for T {}
        struct WithTheTrait;
        impl<T: ?Sized + $trait> Ambiguous<WithTheTrait> for T {}
        <$type as Ambiguous<_>>::only_without_the_trait();
    }};
}
pub(crate) use assert_not_implemented;
