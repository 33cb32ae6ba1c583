//! What a step was in the reader's own login.

use leptos::prelude::*;

use crate::{
    erased::erased,
    flow::{Message, Party, RecordedLogin},
    pages::flow::{address_of_message, meaning, route, timing, value},
    texts::{learn, t},
};

/// How many parameters of a message are told: the X-ray has them all.
const PARAMETERS: usize = 8;

/// The host that a party was reached at.
pub(crate) fn host_of(login: &RecordedLogin, party: Party) -> Option<String> {
    let address = login.messages.iter().find(|message| message.to == party && message.address.is_some())?.address.as_deref()?;
    let host = address.split_once("://")?.1.split(['/', '?', '#']).next()?;
    (!host.is_empty()).then(|| host.to_owned())
}

/// The messages of the step, if the login came that far.
pub(crate) fn own_step(login: &RecordedLogin, step: u8) -> Option<AnyView> {
    let messages: Vec<_> = login.messages.iter().filter(|message| message.step == step).map(|message| item(login, message)).collect();
    if messages.is_empty() {
        return None;
    }
    let time = timing::steps(login).into_iter().find(|time| time.step == step).map(|time| timing::duration(time.microseconds));
    Some(erased(view! {
        <div class="own-step">
            <p class="own-title">
                <strong>{t(learn::LEARN_IN_YOUR_LOGIN)}</strong>
                {time.map(|time| [" – ", &time].concat())}
            </p>
            <ul>{messages}</ul>
        </div>
    }))
}

fn item(login: &RecordedLogin, message: &Message) -> AnyView {
    let address = address_of_message(login, message.number);
    let sent: Vec<_> = message
        .parameters
        .iter()
        .take(PARAMETERS)
        .map(|parameter| {
            erased(view! {
                <div>
                    <dt>
                        <code>{parameter.name.clone()}</code>
                    </dt>
                    <dd>
                        <bdi>{value(&parameter.value)}</bdi>
                    </dd>
                </div>
            })
        })
        .collect();
    erased(view! {
        <li>
            <a href=address>{[&route(message), ": ", meaning::message(message.name).act].concat()}</a>
            {message.address.clone().map(|address| view! { <code class="call">{address}</code> })}
            {(!sent.is_empty()).then(|| view! { <dl class="own-parameters">{sent}</dl> })}
        </li>
    })
}

#[cfg(test)]
mod tests {
    use super::host_of;
    use crate::{flow::Party, pages::flow::example};

    #[test]
    fn the_parties_are_told_by_their_hosts() {
        let mut login = example::signed_in();
        assert_eq!(host_of(&login, Party::Provider).as_deref(), Some("127.0.0.1:4000"));
        assert_eq!(host_of(&login, Party::Backend).as_deref(), Some("localhost:3000"));
        for message in &mut login.messages {
            message.address = Some("https:///x".to_owned());
        }
        assert_eq!(host_of(&login, Party::Provider), None);
        login.messages.clear();
        assert_eq!(host_of(&login, Party::Provider), None);
    }
}
