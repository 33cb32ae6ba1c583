//! What only a browser can show.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use leptos::{mount::mount_to_renderer, prelude::*, task::tick};
use oauth2flow_app::{
    api::{Problem, Provider, Session},
    clock::{Clock, unix_seconds, unix_seconds_of_date},
    components::{countdown::Countdown, heading::Heading},
    draft::Field,
    json,
    pages::callback::take_url_parts,
};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::{HtmlElement, HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement};

wasm_bindgen_test_configure!(run_in_browser);

/// A place in the page for one test.
fn place() -> HtmlElement {
    let place: HtmlElement = document().create_element("div").unwrap().unchecked_into();
    document().body().unwrap().append_child(&place).unwrap();
    place
}

/// Brings the English texts of the pages, as the server writes them into a page.
fn bring_texts() {
    let texts = document().create_element("meta").unwrap();
    texts.set_id("texts");
    let lines = include_str!(concat!(env!("OUT_DIR"), "/en.pages.txt"));
    texts.set_attribute("content", &["pages\n", lines].concat()).unwrap();
    document().head().unwrap().append_child(&texts).unwrap();
}

#[wasm_bindgen_test]
fn the_answer_is_taken_out_of_the_address() {
    let history = window().history().unwrap();
    history.replace_state_with_url(&JsValue::NULL, "", Some("/callback?code=a%2Fb&state=s#_=_")).unwrap();
    assert_eq!(take_url_parts(), "?code=a%2Fb&state=s#_=_");
    assert_eq!(location().pathname().unwrap(), "/callback");
    assert_eq!(location().search().unwrap() + &location().hash().unwrap(), "");
    assert!(history.state().unwrap().is_object(), "the entry is marked");
    assert_eq!(take_url_parts(), "", "there is nothing to take twice");
}

#[wasm_bindgen_test]
fn the_answer_that_the_starter_took_is_found_once() {
    js_sys::Reflect::set(&window(), &"authorizationResponse".into(), &"?error=access_denied".into()).unwrap();
    assert_eq!(take_url_parts(), "?error=access_denied");
    assert!(!js_sys::Reflect::has(&window(), &"authorizationResponse".into()).unwrap());
}

#[wasm_bindgen_test]
fn the_date_of_an_answer_is_read() {
    assert_eq!(unix_seconds_of_date("Sun, 22 Nov 2026 10:57:00 GMT"), Some(1_795_345_020));
    assert_eq!(unix_seconds_of_date("soon"), None);
}

#[wasm_bindgen_test]
async fn a_heading_takes_the_focus_unless_it_is_the_first() {
    let place = place();
    let shown = RwSignal::new(1);
    let page = move || match shown.get() {
        1 => view! { <Heading>"one"</Heading> }.into_any(),
        _ => view! { <div><Heading>"two"</Heading></div> }.into_any(),
    };
    let _mounted = mount_to_renderer(&place, move || page);
    tick().await;
    let focused = || document().active_element().map(|element| element.text_content().unwrap_or_default());
    assert_ne!(focused().as_deref(), Some("one"));
    shown.set(2);
    tick().await;
    tick().await;
    assert_eq!(focused().as_deref(), Some("two"));
}

#[wasm_bindgen_test]
async fn a_countdown_goes_by_the_server_s_clock() {
    bring_texts();
    let place = place();
    let clock = Clock::new(None);
    let _mounted = mount_to_renderer(&place, move || {
        provide_context(clock);
        view! { <Countdown until=Signal::stored("2026-11-22T11:26:12Z".to_owned()) over="over" /> }
    });
    for (server_time, text) in
        [("2026-11-22T10:57:00Z", "29 minutes 12 seconds"), ("2026-11-22T11:26:11Z", "1 second"), ("2026-11-22T11:26:12Z", "over")]
    {
        clock.set_by_server(unix_seconds(server_time).unwrap());
        tick().await;
        tick().await;
        assert_eq!(place.text_content().as_deref(), Some(text));
    }
}

#[wasm_bindgen_test]
fn a_field_of_any_kind_is_filled_again() {
    let element = |name: &str, inside: &str| {
        let element = document().create_element(name).unwrap();
        element.set_inner_html(inside);
        element
    };
    let text: HtmlInputElement = element("input", "").unchecked_into();
    assert_eq!(text.draft(), "");
    text.put_back("half a thought");
    assert_eq!(text.draft(), "half a thought");

    let area: HtmlTextAreaElement = element("textarea", "").unchecked_into();
    area.put_back("two\nlines");
    assert_eq!(area.draft(), "two\nlines");

    let choice: HtmlSelectElement = element("select", "<option>tea</option><option>coffee</option>").unchecked_into();
    choice.put_back("coffee");
    assert_eq!((choice.draft().as_str(), choice.selected_index()), ("coffee", 1));

    for kind in ["checkbox", "radio"] {
        let [given, taken] = std::array::from_fn(|_| {
            let input: HtmlInputElement = element("input", "").unchecked_into();
            input.set_type(kind);
            input
        });
        for is_checked in [true, false] {
            given.set_checked(is_checked);
            taken.set_checked(!is_checked);
            taken.put_back(&given.draft());
            assert_eq!(taken.checked(), is_checked, "{kind}");
        }
        assert_eq!(taken.value(), "on", "{kind}");
    }

    text.set_type("password");
    text.set_value("secret");
    assert_eq!(text.draft(), "");
}

#[wasm_bindgen_test]
fn the_browser_reads_json_as_the_server_writes_it() {
    let signed_in = concat!(
        r#"{"authenticated":true,"user":{"sub":"a1","name":"Ünï \u003c","email":null,"more":[1,{"x":2}]},"provider":"demo","#,
        r#""scopes":["openid"],"session":{"created_at":"a","idle_expires_at":"b","expires_at":"c"},"access_token":{"refreshable":true}}"#
    );
    let session: Session = json::read(signed_in).unwrap();
    assert_eq!(session, serde_json::from_str(signed_in).unwrap());
    assert_eq!(json::read::<Session>(r#"{"authenticated":false}"#), Some(Session::anonymous()));
    let problem = r#"{"type":"/","title":"t","status":404,"code":"not_found","detail":"","request_id":"r","max_age":300}"#;
    assert_eq!(json::read::<Problem>(problem), serde_json::from_str(problem).ok());
    let any = r#"[null,true,-7,0.5,"text",[],{"a":{"b":[1]}}]"#;
    assert_eq!(json::read::<serde_json::Value>(any), serde_json::from_str(any).ok());
}

#[wasm_bindgen_test]
fn the_browser_reads_nothing_else_than_was_asked_for() {
    for text in ["", "no JSON", "null", "[]", "{}", "\"text\"", "7", r#"[{"id":"a","name":1,"icon":""}]"#, r#"{"id":"a","name":"b"}"#] {
        assert_eq!(json::read::<Provider>(text), None, "{text}");
    }
    for (text, status) in [("404", Some(404)), ("70000", None), ("-1", None), ("1.5", None), ("\"404\"", None)] {
        assert_eq!(json::read::<u16>(text), status, "{text}");
    }
}
