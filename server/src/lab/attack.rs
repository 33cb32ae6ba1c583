//! The attacks, one file each. Whether one has succeeded is told by who is signed in where in the end, not by what was expected.

pub(super) mod login_csrf;
pub(super) mod mix_up;
pub(super) mod open_redirect;
pub(super) mod stolen_code;

use super::{
    LabError,
    app::{Choice, LOGIN},
    trace::{Said, Trace},
};
use oauth2flow_app::lab::{LabMessageName, LabParty};
use url::Url;

/// The address where a login begins.
fn login(choice: Choice, return_to: Option<&str>) -> Result<Url, LabError> {
    let mut url = Url::parse(LOGIN)?;
    url.query_pairs_mut().append_pair("provider", choice.id());
    if let Some(return_to) = return_to {
        url.query_pairs_mut().append_pair("return_to", return_to);
    }
    Ok(url)
}

/// The attacker has the victim open an address: by a link in a mail, by a picture in a page, by a redirect.
fn send_link(trace: &mut Trace, link: &Url) {
    trace.note(Said::new(LabMessageName::LinkSent, LabParty::Attacker, LabParty::Victim).about(link));
}

/// A parameter of an address.
fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}

/// The address with another value for one of its parameters.
fn with_parameter(url: &Url, name: &str, value: &str) -> Url {
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().filter(|(found, _)| found != name).collect();
    let mut url = url.clone();
    url.query_pairs_mut().clear().extend_pairs(pairs).append_pair(name, value);
    url
}
