//! The sandboxed app: a sign-in made of the checks of the real one, of which it leaves one out if an experiment wants that.
//!
//! It leaves a check out as an app does that has never heard of it: it does not send the parameter, and does not look at what comes back.
//! The checks themselves cannot be told to look away.

use super::{
    LabError,
    sandbox::{self, ATTACKER, Browser, CLIENT_ID, Sandbox},
    trace::{Said, Trace},
};
use crate::flow::verdict::{self, IdTokenTraits, Judged as _};
use oauth2flow_app::{
    flow::{Check, CheckName, CheckOutcome, Place, SkipReason},
    lab::{Attack, Defence, Experiment, LabMessageName, LabParty},
    problem::ProblemCode,
};
use oauth2flow_protocol::{
    AuthorizationOptions, AuthorizationResponse, ClientSecret, JwkSet, Method, OutboundRequest, Provider, ProviderMetadata, ReturnTo,
    TokenResponse, Transaction, User, ValidatedCallback, authorization_url,
    authorize::transaction_id_of_state,
    callback::{self, CallbackError},
    discovery,
    id_token::{self, IdTokenExpectations},
    jwks, preset,
    provider::{IssPolicy, UserMapping},
    token, userinfo,
};
use std::collections::HashMap;
use url::Url;

/// Where the app is. Nobody has ever been there.
pub(super) const ORIGIN: &str = "https://app.example";
/// Where its sign-ins begin.
pub(super) const LOGIN: &str = "https://app.example/login";
/// Where the providers send browsers back to.
pub(super) const CALLBACK: &str = "https://app.example/callback";

/// What the app does against attacks.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each of them is a defence of its own")]
pub(super) struct Defences {
    /// Whether the provider says by an ID token who has signed in; else the app asks its user endpoint.
    openid: bool,
    /// Whether a code is bound to a verifier.
    pub(super) pkce: bool,
    /// Whether an answer has to be that to a login of this browser.
    state: bool,
    /// Whether an ID token has to be that of this login.
    nonce: bool,
    /// Whether an answer has to come from the provider that was asked.
    iss: bool,
    /// Whether a login can lead to a page of the app only.
    return_to: bool,
}

impl Defences {
    /// Those of an experiment. Where two would stop the same attack, the other one is left out, so that one can see what this one does.
    pub(super) fn of(experiment: Experiment) -> Self {
        let is_on = experiment.defence == Defence::On;
        let all = Self { openid: true, pkce: true, state: true, nonce: true, iss: true, return_to: true };
        match experiment.attack {
            Attack::StolenCode => Self { pkce: is_on, openid: false, nonce: false, ..all },
            Attack::LoginCsrf => Self { state: is_on, openid: false, pkce: false, nonce: false, ..all },
            Attack::ReplayedToken => Self { nonce: is_on, pkce: false, ..all },
            Attack::MixUp => Self { iss: is_on, ..all },
            Attack::OpenRedirect => Self { return_to: is_on, ..all },
        }
    }
}

/// With whom people can sign in to the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// With the demo provider.
    Demo,
    /// With a provider that is the attacker's.
    Attackers,
}

impl Choice {
    /// Its id in the address of a login.
    pub(super) const fn id(self) -> &'static str {
        match self {
            Self::Demo => "demo",
            Self::Attackers => "rival",
        }
    }
}

/// The app.
pub(super) struct App<'run> {
    pub(super) sandbox: &'run Sandbox,
    defences: Defences,
    demo: Registered,
    attackers: Registered,
    keys: JwkSet,
    /// The logins that have begun, by the cookie of the browser.
    logins: HashMap<String, Login>,
    /// Who is signed in, by the cookie of the browser.
    sessions: HashMap<String, String>,
}

struct Registered {
    provider: Provider,
    metadata: ProviderMetadata,
}

struct Login {
    transaction: Transaction,
    way_back: String,
}

/// A login that has begun.
pub(super) struct Started {
    /// Where the browser is sent.
    pub(super) location: Url,
    /// The number of the message that began it.
    pub(super) asked_at: u32,
}

/// What came of an answer that a browser has brought.
pub(super) struct Arrived {
    /// The number of the message that brought it.
    pub(super) callback: u32,
    /// The number of the answer of the token endpoint, if it came to that.
    pub(super) token_response: Option<u32>,
    /// The code that was brought to the attacker's server, if any was.
    pub(super) given_away: bool,
    /// How it ended.
    pub(super) end: End,
}

/// How a login ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The browser is signed in, and sent there.
    SignedIn { way_back: String },
    /// This check has failed.
    Refused(CheckName),
}

impl Arrived {
    /// The check that has failed.
    pub(super) const fn stopped_by(&self) -> Option<CheckName> {
        match self.end {
            End::SignedIn { .. } => None,
            End::Refused(check) => Some(check),
        }
    }
}

impl<'run> App<'run> {
    /// An app that knows the sandbox's provider, and one that is the attacker's.
    pub(super) async fn open(sandbox: &'run Sandbox, defences: Defences) -> Result<Self, LabError> {
        let issuer = sandbox.surroundings.issuer.as_str();
        let secret = ClientSecret::new(sandbox.client_secret.clone());
        let mut provider = if defences.openid {
            preset::openid(Choice::Demo.id(), "Demo", issuer, CLIENT_ID, Some(secret))
        } else {
            let userinfo = Some(Url::parse(&format!("{issuer}/userinfo"))?);
            preset::oauth_discovered(Choice::Demo.id(), "Demo", issuer, userinfo, UserMapping::openid(), CLIENT_ID, Some(secret))
        };
        provider.scopes = ["openid", "profile"].map(str::to_owned).to_vec();
        let of_attacker = ClientSecret::new(sandbox.secret());
        let mut attackers = preset::openid(Choice::Attackers.id(), "Rival", ATTACKER, "app-at-rival", Some(of_attacker));
        for provider in [&mut provider, &mut attackers] {
            provider.pkce = defences.pkce;
            provider.nonce = defences.nonce;
            // The ID token says enough.
            provider.userinfo = !defences.openid;
            // Without the check, what comes is not even looked at: `arrive` takes it away.
            provider.iss_policy = if defences.iss { IssPolicy::Allow } else { IssPolicy::Ignore };
        }
        let metadata = discovery::process_metadata(&provider, &sandbox.deliver(&get(discovery::metadata_url(issuer)?)).await?)?;
        let jwks_uri = metadata.jwks_uri.clone().ok_or(LabError::Unexpected("the provider has no keys"))?;
        let keys = jwks::process_jwks(&sandbox.deliver(&jwks::request(&jwks_uri)).await?)?;
        let metadata_of_attackers = discovery::process_metadata(&attackers, &sandbox::metadata_of_attacker())?;
        Ok(Self {
            sandbox,
            defences,
            demo: Registered { provider, metadata },
            attackers: Registered { provider: attackers, metadata: metadata_of_attackers },
            keys,
            logins: HashMap::new(),
            sessions: HashMap::new(),
        })
    }

    /// As whom a browser is signed in.
    pub(super) fn signed_in_as(&self, browser: &Browser) -> Option<String> {
        self.sessions.get(browser.session.as_deref()?).cloned()
    }

    const fn registered(&self, choice: Choice) -> &Registered {
        match choice {
            Choice::Demo => &self.demo,
            Choice::Attackers => &self.attackers,
        }
    }

    /// Begins a login, and sends the browser off.
    pub(super) fn start(&mut self, trace: &mut Trace, browser: &mut Browser, at: &Url) -> Result<Started, LabError> {
        let value = |wanted: &str| at.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned());
        let choice = if value("provider").as_deref() == Some(Choice::Attackers.id()) { Choice::Attackers } else { Choice::Demo };
        let asked_at = trace.note(Said::new(LabMessageName::LoginRequest, browser.party, LabParty::App).get(at));
        let wanted = value("return_to");
        let safe = wanted.as_deref().map(ReturnTo::parse).unwrap_or_default();
        let way_back = if self.defences.return_to { safe.to_string() } else { wanted.clone().unwrap_or_else(|| "/".to_owned()) };
        trace.judge(asked_at, vec![self.judge_return_to(wanted.as_deref(), &way_back)]);

        let (transaction, mut location) = self.begin(choice, safe)?;
        if !self.defences.state {
            without(&mut location, "state");
        }
        let cookie = self.sandbox.secret();
        let redirected = Said::new(LabMessageName::LoginRedirect, LabParty::App, browser.party);
        let number = trace.note(redirected.about(&location).answer(303).cookie("login", &cookie));
        trace.judge(number, vec![Check { name: CheckName::Pkce, outcome: unless_off(self.defences.pkce) }]);
        self.logins.insert(cookie.clone(), Login { transaction, way_back });
        browser.login = Some(cookie);
        Ok(Started { location, asked_at })
    }

    fn begin(&self, choice: Choice, return_to: ReturnTo) -> Result<(Transaction, Url), LabError> {
        let Registered { provider, metadata } = self.registered(choice);
        self.sandbox.surroundings.with_context(|context| {
            let options = AuthorizationOptions::default();
            let transaction = Transaction::begin(provider, metadata, CALLBACK, return_to, options, context);
            let location = authorization_url(provider, metadata, &transaction, context)?;
            Ok((transaction, Url::parse(&location)?))
        })
    }

    fn judge_return_to(&self, wanted: Option<&str>, way_back: &str) -> Check {
        let outcome = match wanted {
            None => CheckOutcome::Skipped(SkipReason::NotSent),
            Some(_) if !self.defences.return_to => CheckOutcome::Skipped(SkipReason::LeftOut),
            Some(wanted) if wanted == way_back => CheckOutcome::Passed,
            Some(_) => CheckOutcome::Failed {
                code: "return_to_unsafe".to_owned(),
                reason: "It is no path of this origin, so the login ends at the home page.".to_owned(),
            },
        };
        Check { name: CheckName::ReturnTo, outcome }
    }

    /// Takes what a browser brings back from a provider.
    pub(super) async fn arrive(&mut self, trace: &mut Trace, browser: &mut Browser, at: &Url) -> Result<Arrived, LabError> {
        let mut said = Said::new(LabMessageName::Callback, browser.party, LabParty::App).get(at);
        if let Some(cookie) = &browser.login {
            said = said.cookie("login", cookie);
        }
        let callback = trace.note(said);
        let mut pairs: Vec<(String, String)> = at.query_pairs().into_owned().collect();
        if !self.defences.iss {
            pairs.retain(|(name, _)| name != "iss");
        }
        let login = if self.defences.state { self.take_login(browser, &pairs) } else { Some(self.any_login(&mut pairs)?) };
        let Some(Login { transaction, way_back }) = login else {
            let mut checks = self.of_callback(None);
            let reason = "This browser has begun no login with this state.";
            verdict::fail(&mut checks, CheckName::LoginCookie, ProblemCode::StateMismatch.code(), reason);
            trace.judge(callback, checks);
            return Ok(refuse(trace, browser, callback, None, false, CheckName::LoginCookie));
        };
        let choice = if transaction.provider_id() == Choice::Demo.id() { Choice::Demo } else { Choice::Attackers };
        let response = AuthorizationResponse::from_pairs(pairs)?;
        let Registered { provider, metadata } = self.registered(choice);
        let judged = callback::validate(response, transaction, provider, metadata, None, self.sandbox.surroundings.clock.now());
        trace.judge(callback, self.of_callback(judged.as_ref().err()));
        match judged {
            Ok(validated) => self.finish(trace, browser, callback, choice, validated, way_back).await,
            Err(error) => Ok(refuse(trace, browser, callback, None, false, error.check())),
        }
    }

    /// The verdicts on an answer. What is left out has not been looked at, whatever the rest says.
    fn of_callback(&self, error: Option<&CallbackError>) -> Vec<Check> {
        let mut checks = verdict::verdicts(verdict::of_callback(false, None), error);
        if !self.defences.iss {
            turn_off(&mut checks, &[CheckName::CallbackIssuer]);
        }
        if !self.defences.state {
            turn_off(&mut checks, &[CheckName::LoginCookie, CheckName::State, CheckName::LoginAge, CheckName::FirstUse]);
        }
        checks
    }

    /// The login of this browser that an answer belongs to, for the only time.
    fn take_login(&mut self, browser: &Browser, pairs: &[(String, String)]) -> Option<Login> {
        let (_, state) = pairs.iter().find(|(name, _)| name == "state")?;
        let cookie = browser.login.as_deref()?;
        let is_its_own = self.logins.get(cookie)?.transaction.id() == transaction_id_of_state(state);
        if is_its_own { self.logins.remove(cookie) } else { None }
    }

    /// An app that ties answers to nothing takes any answer as that to a login which begins right now.
    fn any_login(&self, pairs: &mut Vec<(String, String)>) -> Result<Login, LabError> {
        let (transaction, location) = self.begin(Choice::Demo, ReturnTo::default())?;
        let state = location.query_pairs().find(|(name, _)| name == "state").map(|(_, state)| state.into_owned());
        pairs.retain(|(name, _)| name != "state");
        pairs.extend(state.map(|state| ("state".to_owned(), state)));
        Ok(Login { transaction, way_back: "/".to_owned() })
    }

    /// Exchanges the code, finds out whose it is, and signs the browser in.
    async fn finish(
        &mut self,
        trace: &mut Trace,
        browser: &mut Browser,
        callback: u32,
        choice: Choice,
        validated: ValidatedCallback,
        way_back: String,
    ) -> Result<Arrived, LabError> {
        let Registered { provider, metadata } = self.registered(choice);
        let surroundings = &self.sandbox.surroundings;
        let given_away = choice == Choice::Attackers;
        let server = if given_away { LabParty::AttackerServer } else { LabParty::Provider };
        let (request, pending) =
            surroundings.with_context(|context| token::exchange_request(provider, metadata, validated, None, context))?;
        trace.note(Said::new(LabMessageName::TokenRequest, LabParty::App, server).request(&request));
        let response = self.sandbox.deliver(&request).await?;
        let number = trace.note(Said::new(LabMessageName::TokenResponse, server, LabParty::App).response(&response));
        let tokens = pending.process(&response, surroundings.clock.now());
        trace.judge(number, verdict::verdicts(verdict::of_tokens(self.defences.openid), tokens.as_ref().err()));
        let name = match tokens {
            Ok(tokens) => self.identify(trace, number, choice, &tokens).await?,
            Err(error) => Err(error.check()),
        };
        let name = match name {
            Ok(name) => name,
            Err(check) => return Ok(refuse(trace, browser, callback, Some(number), given_away, check)),
        };
        let cookie = self.sandbox.secret();
        let signed_in = Said::new(LabMessageName::SignedIn, LabParty::App, browser.party).answer(303).cookie("session", &cookie);
        trace.note(signed_in.says("location", Place::Header, &way_back).says("user", Place::Body, &name));
        self.sessions.insert(cookie.clone(), name);
        browser.session = Some(cookie);
        Ok(Arrived { callback, token_response: Some(number), given_away, end: End::SignedIn { way_back } })
    }

    /// Whose tokens these are, or the check that has failed.
    async fn identify(
        &self,
        trace: &mut Trace,
        number: u32,
        choice: Choice,
        tokens: &TokenResponse,
    ) -> Result<Result<String, CheckName>, LabError> {
        let Registered { provider, metadata } = self.registered(choice);
        let now = self.sandbox.surroundings.clock.now();
        let user = if let (Some(raw), Some(expectations)) = (&tokens.id_token, IdTokenExpectations::new(provider, metadata, tokens, now)) {
            let judged = id_token::validate(raw, &expectations, &self.keys);
            let traits = IdTokenTraits { has_access_token_hash: true, sent_nonce: true, ..IdTokenTraits::default() };
            let mut checks = verdict::verdicts(verdict::of_id_token(traits), judged.as_ref().err());
            if !self.defences.nonce {
                turn_off(&mut checks, &[CheckName::IdTokenNonce]);
            }
            trace.take_apart(number, raw);
            trace.judge(number, checks);
            match judged {
                Ok(token) => User::from_id_token(&token, provider),
                Err(error) => return Ok(Err(error.check())),
            }
        } else {
            let request = userinfo::request(provider, metadata, &tokens.access_token);
            let request = request.ok_or(LabError::Unexpected("the app cannot ask who the user is"))?;
            trace.note(Said::new(LabMessageName::UserinfoRequest, LabParty::App, LabParty::Provider).request(&request));
            let response = self.sandbox.deliver(&request).await?;
            let number = trace.note(Said::new(LabMessageName::UserinfoResponse, LabParty::Provider, LabParty::App).description(&response));
            let user = userinfo::process(&response, provider, metadata, None, None, now);
            trace.judge(number, verdict::verdicts(verdict::of_userinfo(false), user.as_ref().err()));
            match user {
                Ok(user) => user,
                Err(error) => return Ok(Err(error.check())),
            }
        };
        Ok(Ok(user.name.unwrap_or(user.sub)))
    }
}

/// Tells the browser that it is not signed in.
fn refuse(trace: &mut Trace, browser: &Browser, callback: u32, token_response: Option<u32>, given_away: bool, check: CheckName) -> Arrived {
    trace.note(Said::new(LabMessageName::Refused, LabParty::App, browser.party).answer(400));
    Arrived { callback, token_response, given_away, end: End::Refused(check) }
}

/// A request that reads what everybody may read.
fn get(url: Url) -> OutboundRequest {
    OutboundRequest { method: Method::Get, url, headers: Vec::new(), body: None }
}

/// The address without one of its parameters.
fn without(url: &mut Url, name: &str) {
    let kept: Vec<(String, String)> = url.query_pairs().into_owned().filter(|(found, _)| found != name).collect();
    url.query_pairs_mut().clear().extend_pairs(kept);
}

const fn unless_off(is_on: bool) -> CheckOutcome {
    if is_on { CheckOutcome::Passed } else { CheckOutcome::Skipped(SkipReason::LeftOut) }
}

/// Has checks left out that had nothing to look at.
fn turn_off(checks: &mut [Check], names: &[CheckName]) {
    for check in checks.iter_mut().filter(|check| names.contains(&check.name) && check.outcome == CheckOutcome::Passed) {
        check.outcome = CheckOutcome::Skipped(SkipReason::LeftOut);
    }
}
