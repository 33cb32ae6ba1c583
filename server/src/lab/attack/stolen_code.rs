//! Code injection ([RFC 9700 §4.5](https://www.rfc-editor.org/rfc/rfc9700#section-4.5)): the attacker reads the victim's code on its way,
//! before the app gets it, and brings it to the app as the answer to a login of their own.
//!
//! PKCE stops it at the provider. Where there is an ID token, the nonce stops it in the app: two experiments.

use super::{login, parameter, with_parameter};
use crate::lab::{
    LabError, Stage,
    app::Choice,
    outcome,
    sandbox::Browser,
    trace::{Said, Trace},
};
use oauth2flow_app::lab::{LabMessageName, LabOutcome, LabParty};
use url::Url;

/// Runs it.
pub(in crate::lab) async fn run(stage: &mut Stage<'_>) -> Result<LabOutcome, LabError> {
    let Stage { app, trace } = stage;
    let (mut alice, mut bob) = (Browser::of_alice(), Browser::of_bob());

    let hers = app.start(trace, &mut alice, &login(Choice::Demo, None)?)?;
    let answer = app.sandbox.authorize(trace, &mut alice, &hers.location).await?;
    let code = leak(trace, &answer)?;

    // He begins a login of his own and never goes to the provider: he has a code already.
    let his = app.start(trace, &mut bob, &login(Choice::Demo, None)?)?;
    let of_his_login = parameter(&his.location, "state").ok_or(LabError::Unexpected("the login has no state"))?;
    let forged = with_parameter(&with_parameter(&answer, "code", &code), "state", &of_his_login);
    let arrived = app.arrive(trace, &mut bob, &forged).await?;

    let attacker = app.signed_in_as(&bob);
    let succeeded = attacker.as_deref() == Some(alice.person);
    Ok(LabOutcome {
        stopped_by: arrived.stopped_by(),
        victim_signed_in_as: app.signed_in_as(&alice),
        attacker_signed_in_as: attacker,
        ..outcome(succeeded, arrived.token_response.unwrap_or(arrived.callback))
    })
}

/// The answer's address turns up where the attacker can read it.
fn leak(trace: &mut Trace, answer: &Url) -> Result<String, LabError> {
    let code = parameter(answer, "code").ok_or(LabError::Unexpected("the answer has no code"))?;
    trace.note(Said::new(LabMessageName::CodeLeaked, LabParty::Victim, LabParty::Attacker).code(&code));
    Ok(code)
}
