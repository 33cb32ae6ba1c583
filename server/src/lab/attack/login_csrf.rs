//! Login CSRF ([RFC 9700 §4.7](https://www.rfc-editor.org/rfc/rfc9700#section-4.7)): the attacker signs in, keeps the answer back, and has
//! the victim's browser bring it to the app.

use super::{login, send_link};
use crate::lab::{LabError, Stage, app::Choice, outcome, sandbox::Browser};
use oauth2flow_app::lab::LabOutcome;

/// Runs it.
pub(in crate::lab) async fn run(stage: &mut Stage<'_>) -> Result<LabOutcome, LabError> {
    let Stage { app, trace } = stage;
    let (mut alice, mut bob) = (Browser::of_alice(), Browser::of_bob());

    let his = app.start(trace, &mut bob, &login(Choice::Demo, None)?)?;
    let answer = app.sandbox.authorize(trace, &mut bob, &his.location).await?;
    send_link(trace, &answer);
    let arrived = app.arrive(trace, &mut alice, &answer).await?;

    let victim = app.signed_in_as(&alice);
    let succeeded = victim.as_deref() == Some(bob.person);
    Ok(LabOutcome {
        stopped_by: arrived.stopped_by(),
        victim_signed_in_as: victim,
        attacker_signed_in_as: app.signed_in_as(&bob),
        ..outcome(succeeded, arrived.callback)
    })
}
