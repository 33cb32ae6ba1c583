//! Who is signed in.

use leptos::prelude::*;
use std::sync::Arc;

use crate::{
    api::SignedIn,
    components::{
        avatar::{Avatar, display_name},
        sign_out::SignOut,
    },
    erased::erased,
    providers::{Providers, is_recorded},
    texts::{around, frame, pages, t},
};

/// The user as the provider describes them, the provider, and what it allows; and the way out.
#[component]
pub fn Identity(
    /// Who is signed in.
    signed_in: Arc<SignedIn>,
) -> impl IntoView {
    let providers = expect_context::<Providers>();
    let SignedIn { user, provider, scopes, .. } = Arc::unwrap_or_clone(signed_in);
    let name = display_name(&user).to_owned();
    let has_recording = is_recorded(&provider);
    let provider_name = move || providers.name_of(&provider);
    let verified = user.email_verified.filter(|_| user.email.is_some());
    let avatar = user.clone();
    let (before, after) = around(pages::ACCOUNT_SIGNED_IN_WITH);
    view! {
        <section class="card identity" aria-labelledby="identity">
            <div class="identity-head">
                <Avatar user=avatar />
                <div>
                    <h2 id="identity">
                        <bdi>{name}</bdi>
                    </h2>
                    <p class="fine-print">{before} {provider_name.clone()} {after}</p>
                </div>
            </div>
            <dl class="facts">
                <div>
                    <dt>{t(pages::ACCOUNT_LOGIN)}</dt>
                    <dd>{or_dash(user.login)}</dd>
                </div>
                <div>
                    <dt>{t(pages::ACCOUNT_EMAIL)}</dt>
                    <dd>
                        <span class="address">{address(user.email)}</span>
                        {verified
                            .map(|verified| {
                                view! {
                                    " "
                                    <span class="tag">{if verified { t(pages::ACCOUNT_VERIFIED) } else { t(pages::ACCOUNT_NOT_VERIFIED) }}</span>
                                }
                            })}
                    </dd>
                </div>
                <div>
                    <dt>{t(pages::ACCOUNT_IDENTIFIER)}</dt>
                    <dd>
                        <code>{user.sub}</code>
                    </dd>
                </div>
                <div>
                    <dt>{t(pages::ACCOUNT_PROVIDER)}</dt>
                    <dd>{provider_name}</dd>
                </div>
                <div>
                    <dt>{t(pages::ACCOUNT_SCOPES)}</dt>
                    <dd>
                        <ul class="chips">
                            {scopes
                                .into_iter()
                                .map(|scope| {
                                    view! {
                                        <li>
                                            <code>{scope}</code>
                                        </li>
                                    }
                                })
                                .collect_view()}
                        </ul>
                    </dd>
                </div>
            </dl>
            <div class="actions">
                {has_recording
                    .then(|| {
                        view! {
                            <a class="button" href="/flow">
                                {t(frame::HOME_OPEN_FLOW)}
                            </a>
                        }
                    })}
                <SignOut />
            </div>
        </section>
    }
}

/// An e-mail address, which may be parted after its `@`.
fn address(email: Option<String>) -> AnyView {
    match email.as_deref().and_then(|email| email.rsplit_once('@')) {
        Some((name, host)) => erased(view! { {[name, "@"].concat()} <wbr /> {host.to_owned()} }),
        None => erased(or_dash(email)),
    }
}

/// What the provider has told, or a dash where it has told nothing.
fn or_dash(value: Option<String>) -> String {
    value.unwrap_or_else(|| "–".to_owned())
}
