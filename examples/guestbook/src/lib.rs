//! A guestbook: everybody reads it, and whoever is signed in writes in it.

use leptos::{ev::SubmitEvent, html, prelude::*, task::spawn_local};
use leptos_meta::{Title, provide_meta_context};
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::path;
use oauth2flow_app::kit::prelude::*;

/// What somebody is called, and what they have written.
pub type Entry = (String, String);
type Answer<T> = RwSignal<Option<Result<T, Problem>>>;

/// The whole app.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Title formatter=|page: String| page + " · Guestbook" />
        <SessionProvider><Router>
            <header class="site-header"><a class="site-name" href="/">"Guestbook"</a>
                <nav aria-label="Main"><ul><li><a href="/account">"Write"</a></li><li><a href="/forget">"Forget me"</a></li></ul></nav></header>
            <SessionExpiryNotice /><SignInAgain />
            <main id="content" tabindex="-1">
                <FlatRoutes fallback=|| view! { <Heading>"There is no such page"</Heading> }>
                    <Route path=path!("/") view=Read /><Route path=path!("/account") view=Write />
                    <Route path=path!("/forget") view=Forget /><Route path=path!("/callback") view=CallbackPage />
                    <Route path=path!("/signed-in") view=SignedInPage /><Route path=path!("/problem") view=ProblemPage />
                </FlatRoutes>
            </main>
        </Router></SessionProvider>
    }
}

#[component]
fn Read() -> impl IntoView {
    let (session, entries) = (use_session(), RwSignal::new(None));
    Effect::new(move || spawn_local(async move { entries.set(Some(fetch(session, "GET", "/app/entries", None::<&()>).await)) }));
    view! {
        <Title text="Entries" /><Heading>"Who was here"</Heading>
        <SignedIn let:person><p>"You are " {person.user.name.clone()} ". "<a href="/account">"Write something"</a></p></SignedIn>
        <SignedOut><SignInButtons return_to="/account" /></SignedOut>
        {show(entries, |entries: Vec<Entry>| {
            entries.into_iter().map(|(name, text)| view! { <p class="card"><strong>{name}</strong>": " {text}</p> }).collect_view()
        })}
    }
}

#[component]
fn Write() -> impl IntoView {
    let (session, field, written) = (use_session(), NodeRef::<html::Input>::new(), RwSignal::new(None));
    keep_draft(field, "entry");
    let write = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(input) = field.get_untracked() else { return };
        spawn_local(async move {
            let answer = fetch(session, "POST", "/app/entries", Some(&input.value())).await;
            written.set(Some(answer.inspect(|_: &Entry| input.set_value(""))));
        });
    };
    view! {
        <Title text="Write" /><Heading>"Write in the guestbook"</Heading>
        <RequireSession>
            <form class="new-note" on:submit=write>
                <label for="entry">"Your entry"</label>
                <p class="field-row"><input id="entry" node_ref=field maxlength="280" required /><button class="button">"Write it down"</button></p>
            </form>
            {show(written, |(_, text)| view! { <p role="status">"Written: " {text}</p> })} <SignOutButton />
        </RequireSession>
    }
}

#[component]
fn Forget() -> impl IntoView {
    let (session, removed) = (use_session(), RwSignal::new(None));
    let forget = move |_| spawn_local(async move { removed.set(Some(fetch(session, "DELETE", "/app/entries", None::<&()>).await)) });
    view! {
        <Title text="Forget me" /><Heading>"Forget me"</Heading>
        <RequireSession max_age=300>
            <button class="button" on:click=forget>"Remove my entries"</button>
            {show(removed, |count: usize| view! { <p role="status">"Removed: " {count}</p> })}
        </RequireSession>
    }
}

fn show<T: Clone + Send + Sync + 'static, V: IntoView + 'static>(answer: Answer<T>, show: fn(T) -> V) -> impl IntoView {
    move || answer.get().map(|it| it.map_or_else(|problem| view! { <ProblemNotice problem /> }.into_any(), |it| show(it).into_any()))
}

/// Starts the app in the browser.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen(start)]
pub fn start() {
    oauth2flow_app::kit::start(App);
}
