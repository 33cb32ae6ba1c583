//! Open redirect ([RFC 9700 §4.11](https://www.rfc-editor.org/rfc/rfc9700#section-4.11)): a link to a real login, which leads on to a page
//! of the attacker's when it is done.

use super::{login, send_link};
use crate::lab::{
    LabError, Stage,
    app::{Choice, End, ORIGIN},
    outcome,
    sandbox::Browser,
    trace::Said,
};
use oauth2flow_app::{
    flow::CheckName,
    lab::{LabMessageName, LabOutcome, LabParty},
};
use url::Url;

/// The attacker's page. Nobody has ever been there.
const PAGE: &str = "https://evil.example/session-expired";

/// Runs it.
pub(in crate::lab) async fn run(stage: &mut Stage<'_>) -> Result<LabOutcome, LabError> {
    let Stage { app, trace } = stage;
    let mut alice = Browser::of_alice();

    let link = login(Choice::Demo, Some(PAGE))?;
    send_link(trace, &link);
    let hers = app.start(trace, &mut alice, &link)?;
    let answer = app.sandbox.authorize(trace, &mut alice, &hers.location).await?;
    let arrived = app.arrive(trace, &mut alice, &answer).await?;

    let End::SignedIn { way_back } = arrived.end else { return Err(LabError::Unexpected("the login has failed")) };
    let page = Url::parse(ORIGIN)?.join(&way_back)?;
    let has_left = page.origin() != Url::parse(ORIGIN)?.origin();
    let host = if has_left { LabParty::AttackerServer } else { LabParty::App };
    trace.note(Said::new(LabMessageName::PageOpened, LabParty::Victim, host).get(&page));
    Ok(LabOutcome {
        stopped_by: (!has_left).then_some(CheckName::ReturnTo),
        victim_signed_in_as: app.signed_in_as(&alice),
        victim_ended_at: Some(page.into()),
        ..outcome(has_left, hers.asked_at)
    })
}
