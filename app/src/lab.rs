//! The wire types of the attack lab: what an experiment is, and what happened in it.
//!
//! The server fills them in, the page shows them. Parameters and checks are those of the X-ray, and as redacted.

use serde::{Deserialize, Serialize};

use crate::flow::{Channel, Check, CheckName, Parameter};

/// The path of the page, which takes an experiment from a form where there is no script.
pub const LAB: &str = "/lab";

/// What to run: the body of `POST /lab/runs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Which attack.
    pub attack: Attack,
    /// Whether the defence that stops it is on.
    pub defence: Defence,
}

/// An attack on a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Attack {
    /// A code that was stolen on its way is put into the thief's own login; PKCE stops it.
    StolenCode,
    /// The victim is signed in as the attacker; the state stops it.
    LoginCsrf,
    /// An ID token from the victim's login is accepted in the attacker's; the nonce stops it.
    ReplayedToken,
    /// The app hands the victim's code to the attacker's provider; `iss` stops it.
    MixUp,
    /// A real login ends on somebody else's page; a `return_to` that is held against this origin stops it.
    OpenRedirect,
}

impl Attack {
    /// Every attack, in the order in which they are told.
    pub const ALL: [Self; 5] = [Self::StolenCode, Self::LoginCsrf, Self::ReplayedToken, Self::MixUp, Self::OpenRedirect];
}

/// Whether a defence is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Defence {
    /// As in every real login.
    On,
    /// Left out, in the sandbox.
    Off,
}

/// What happened in an experiment: the answer of `POST /lab/runs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct LabRun {
    /// What was run.
    pub experiment: Experiment,
    /// How it ended.
    pub outcome: LabOutcome,
    /// What was said, in the order in which it was.
    pub messages: Vec<LabMessage>,
}

/// How an experiment ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct LabOutcome {
    /// Whether the attacker got what they were after.
    pub attack_succeeded: bool,
    /// The number of the message at which that was decided: where the defence is, or would have been.
    pub decided_at: u32,
    /// The check that stopped the attack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_by: Option<CheckName>,
    /// As whom the victim's browser is signed in to the app now, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub victim_signed_in_as: Option<String>,
    /// As whom the attacker's browser is, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attacker_signed_in_as: Option<String>,
    /// The page on which the victim's browser ended, where that is what matters. Nobody has loaded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub victim_ended_at: Option<String>,
}

/// One message of an experiment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct LabMessage {
    /// Counts from 1.
    pub number: u32,
    /// What it is.
    pub name: LabMessageName,
    /// Who sends it.
    pub from: LabParty,
    /// Who gets it.
    pub to: LabParty,
    /// Whether it passes through a browser.
    pub channel: Channel,
    /// The HTTP method of a request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Where a request goes, without its query: that is among the parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The HTTP status of an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What it says.
    pub parameters: Vec<Parameter>,
    /// What its receiver looked at, in this order.
    pub checks: Vec<Check>,
}

/// What a message of an experiment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LabMessageName {
    /// The attacker has the victim open an address.
    LinkSent,
    /// A browser asks the app to begin.
    LoginRequest,
    /// The app sends the browser to a provider.
    LoginRedirect,
    /// The browser goes there.
    AuthorizationRequest,
    /// The attacker's provider sends the browser on to the real one, with another request.
    RequestRewritten,
    /// Somebody signs in at the provider and agrees.
    Authentication,
    /// The provider sends the browser back with a code.
    AuthorizationResponse,
    /// The attacker gets hold of the code.
    CodeLeaked,
    /// The browser brings the app an answer.
    Callback,
    /// The app exchanges the code.
    TokenRequest,
    /// The tokens, or why there are none.
    TokenResponse,
    /// The app asks who the user is.
    UserinfoRequest,
    /// Who the user is.
    UserinfoResponse,
    /// The app signs the browser in, and sends it on.
    SignedIn,
    /// The app does not.
    Refused,
    /// The browser opens the page that it was sent to.
    PageOpened,
}

/// Who takes part in an experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LabParty {
    /// The attacker, Bob Example, with a browser.
    Attacker,
    /// The victim's browser: Alice Example's.
    Victim,
    /// The sandboxed app.
    App,
    /// The demo provider.
    Provider,
    /// A server of the attacker's.
    AttackerServer,
}
