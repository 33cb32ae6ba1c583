//! Parts of a page that depend on who is there.

use leptos::{ev::MouseEvent, prelude::*};
use std::sync::Arc;

use crate::{
    address::use_address,
    api::{self, Problem},
    clock::unix_seconds,
    components::{problem_notice::ProblemNotice, sign_in_first::SignInFirst, sign_in_window::open_sign_in, skeleton::Skeleton},
    erased::erased,
    query::{encode, login_address},
    routes::SIGNED_IN,
    session::{CurrentSession, SessionState, use_session},
    texts::{pages, t},
};

/// Shown while somebody is signed in; built anew for another user only, however often the session's lifetimes change.
#[component]
pub fn SignedIn<F, V>(
    /// What to show, made of who is signed in.
    children: F,
) -> impl IntoView
where
    F: Fn(Arc<api::SignedIn>) -> V + Send + Sync + 'static,
    V: IntoView + 'static,
{
    let person = person(use_session());
    move || person.get().map(|Person(signed_in)| erased(children(signed_in)))
}

/// Shown while nobody is signed in, and not before that is known.
#[component]
pub fn SignedOut(children: ChildrenFn) -> impl IntoView {
    let session = use_session();
    let nobody = Memo::new(move |_| session.get() == SessionState::Anonymous);
    move || nobody.get().then(|| children())
}

/// Shown to whoever is signed in, and signed in well enough; everybody else is told how to get there, and comes back to this
/// address; a better sign-in happens in a window over it.
///
/// It hides, it does not protect: what must not be seen has to be refused by the API that gives it
/// ([RFC 9470](https://www.rfc-editor.org/rfc/rfc9470)).
#[component]
pub fn RequireSession(
    /// How many seconds ago the user may have proved who they are
    /// ([OpenID Connect Core §3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest)).
    #[prop(optional)]
    max_age: Option<u64>,
    /// The authentication context classes of which one is wanted, parted by spaces.
    #[prop(optional, into)]
    acr_values: Option<String>,
    /// What to show.
    children: ChildrenFn,
) -> impl IntoView {
    let session = use_session();
    let wanted = acr_values.clone();
    // The first drawing goes by the server's time, which is old by now where the page has been open for a while.
    let now = RwSignal::new(session.clock().latest());
    Effect::new(move || {
        let _changed = session.get();
        now.set(session.clock().read());
    });
    let entry = ArcMemo::new(move |_| match session.get() {
        SessionState::SignedIn(signed_in) if is_enough(&signed_in, now.get(), max_age, wanted.as_deref()) => Entry::Open,
        SessionState::SignedIn(signed_in) => Entry::StepUp(signed_in.provider.clone()),
        SessionState::Anonymous => Entry::SignIn,
        SessionState::Unknown => session.problem().map_or(Entry::Waiting, |problem| Entry::Failed(problem.into())),
    });
    move || match entry.get() {
        Entry::Open => children(),
        Entry::SignIn => erased(view! { <SignInFirst /> }),
        Entry::StepUp(provider) => {
            let acr_values = acr_values.clone();
            erased(view! { <StepUp provider max_age acr_values /> })
        }
        Entry::Waiting => erased(view! { <Skeleton lines=4 /> }),
        Entry::Failed(problem) => erased(view! { <ProblemNotice problem=*problem retry=Callback::new(move |()| session.refresh()) /> }),
    }
}

/// What stands between a person and a part of a page.
#[derive(Clone, PartialEq)]
enum Entry {
    Open,
    SignIn,
    StepUp(String),
    Waiting,
    Failed(Box<Problem>),
}

/// The way to a better sign-in with the same provider.
#[component]
fn StepUp(provider: String, max_age: Option<u64>, acr_values: Option<String>) -> impl IntoView {
    let here = use_address();
    let mut wanted = String::new();
    if let Some(max_age) = max_age {
        wanted.push_str("&max_age=");
        wanted.push_str(&max_age.to_string());
    }
    if let Some(acr_values) = acr_values {
        wanted.push_str("&acr_values=");
        encode(&acr_values, &mut wanted);
    }
    let in_window = login_address(&provider, SIGNED_IN) + &wanted;
    let address = move || here.with(|here| login_address(&provider, here)) + &wanted;
    // The page stays, and with it what has been typed elsewhere on it; the part shows when its session is the new one.
    let open = move |event: MouseEvent| {
        open_sign_in(&event, &in_window);
    };
    view! {
        <div class="notice">
            <p>{t(pages::STEP_UP_WHY)}</p>
            <p>
                <a class="button" href=address rel="external" on:click=open>
                    {t(pages::STEP_UP_CONFIRM)}
                </a>
            </p>
        </div>
    }
}

/// Whether the user has proved recently and well enough who they are. Where the provider does not say when, the sign-in counts.
fn is_enough(signed_in: &api::SignedIn, now: i64, max_age: Option<u64>, acr_values: Option<&str>) -> bool {
    let proved_at = signed_in.authenticated_at.as_ref().unwrap_or(&signed_in.session.created_at);
    let age = unix_seconds(proved_at).map(|proved_at| now.saturating_sub(proved_at));
    let is_recent = max_age.is_none_or(|max_age| age.is_some_and(|age| u64::try_from(age).unwrap_or_default() <= max_age));
    let is_strong = acr_values.is_none_or(|values| values.split(' ').any(|value| signed_in.acr.as_deref() == Some(value)));
    is_recent && is_strong
}

/// Whoever is signed in. Lifetimes change with every call, and the whole session when its user signs in again: that is no reason to build
/// anything anew, and lose what they are typing.
#[derive(Clone)]
pub(crate) struct Person(pub(crate) Arc<api::SignedIn>);

impl PartialEq for Person {
    fn eq(&self, other: &Self) -> bool {
        let (one, other) = (&self.0, &other.0);
        one.user == other.user && one.provider == other.provider && one.scopes == other.scopes
    }
}

/// Who is signed in. Kept alive by whoever reads it: on the server, what made it may be gone by then.
pub(crate) fn person(session: CurrentSession) -> ArcMemo<Option<Person>> {
    ArcMemo::new(move |_| session.get().signed_in().map(|signed_in| Person(Arc::clone(signed_in))))
}

#[cfg(test)]
mod tests {
    use super::is_enough;
    use crate::api::{AccessTokenLifetime, SessionLifetime, SignedIn, User};

    fn signed_in(authenticated_at: Option<&str>, acr: Option<&str>) -> SignedIn {
        SignedIn {
            authenticated: true,
            user: User::default(),
            provider: "demo".to_owned(),
            scopes: Vec::new(),
            session: SessionLifetime {
                created_at: "1970-01-01T00:16:40Z".to_owned(),
                idle_expires_at: "1970-01-01T01:00:00Z".to_owned(),
                expires_at: "1970-01-01T08:00:00Z".to_owned(),
            },
            access_token: AccessTokenLifetime { expires_at: None, refreshable: false },
            authenticated_at: authenticated_at.map(str::to_owned),
            acr: acr.map(str::to_owned),
        }
    }

    #[test]
    fn a_sign_in_counts_until_it_is_too_old() {
        let without_time = signed_in(None, None);
        assert!(is_enough(&without_time, 5_000, None, None));
        assert!(is_enough(&without_time, 1_300, Some(300), None) && !is_enough(&without_time, 1_301, Some(300), None));
        let earlier = signed_in(Some("1970-01-01T00:08:20Z"), None);
        assert!(is_enough(&earlier, 800, Some(300), None) && !is_enough(&earlier, 801, Some(300), None));
        assert!(is_enough(&earlier, 400, Some(0), None), "a clock that is behind does not count against the user");
        assert!(!is_enough(&signed_in(Some("soon"), None), 800, Some(300), None));
    }

    #[test]
    fn one_of_the_wanted_classes_is_enough() {
        assert!(is_enough(&signed_in(None, Some("mfa")), 0, None, Some("hwk mfa")));
        assert!(!is_enough(&signed_in(None, Some("pwd")), 0, None, Some("hwk mfa")));
        assert!(!is_enough(&signed_in(None, None), 0, None, Some("mfa")));
    }
}
