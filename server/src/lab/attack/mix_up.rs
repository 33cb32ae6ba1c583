//! Mix-up ([RFC 9700 §4.4](https://www.rfc-editor.org/rfc/rfc9700#section-4.4)): the victim signs in with a provider that is the attacker's,
//! which sends the browser on to the real one. The app takes the real one's answer for that of the attacker's, and gives it the code.
//!
//! The attacker binds the code to a login of their own, with its challenge and nonce: so neither PKCE nor the nonce helps.

use super::{login, parameter, send_link, with_parameter};
use crate::lab::{LabError, Stage, app::Choice, outcome, sandbox::Browser, trace::Said};
use oauth2flow_app::lab::{LabMessageName, LabOutcome, LabParty};

/// Runs it.
pub(in crate::lab) async fn run(stage: &mut Stage<'_>) -> Result<LabOutcome, LabError> {
    let Stage { app, trace } = stage;
    let (mut alice, mut bob) = (Browser::of_alice(), Browser::of_bob());
    let state_of = |url: &url::Url| parameter(url, "state").ok_or(LabError::Unexpected("the login has no state"));

    let his = app.start(trace, &mut bob, &login(Choice::Demo, None)?)?;
    let link = login(Choice::Attackers, None)?;
    send_link(trace, &link);
    let hers = app.start(trace, &mut alice, &link)?;
    trace.note(Said::new(LabMessageName::AuthorizationRequest, LabParty::Victim, LabParty::AttackerServer).get(&hers.location));
    // His challenge and nonce, and her state, by which the app finds her login.
    let rewritten = with_parameter(&his.location, "state", &state_of(&hers.location)?);
    trace.note(Said::new(LabMessageName::RequestRewritten, LabParty::AttackerServer, LabParty::Victim).about(&rewritten).answer(303));
    let answer = app.sandbox.authorize(trace, &mut alice, &rewritten).await?;
    let arrived = app.arrive(trace, &mut alice, &answer).await?;

    let mut stopped_by = arrived.stopped_by();
    if arrived.given_away {
        let code = parameter(&answer, "code").ok_or(LabError::Unexpected("the answer has no code"))?;
        trace.note(Said::new(LabMessageName::CodeLeaked, LabParty::AttackerServer, LabParty::Attacker).code(&code));
        let forged = with_parameter(&answer, "state", &state_of(&his.location)?);
        stopped_by = app.arrive(trace, &mut bob, &forged).await?.stopped_by();
    }
    let attacker = app.signed_in_as(&bob);
    let succeeded = attacker.as_deref() == Some(alice.person);
    Ok(LabOutcome {
        stopped_by,
        victim_signed_in_as: app.signed_in_as(&alice),
        attacker_signed_in_as: attacker,
        ..outcome(succeeded, arrived.callback)
    })
}
