//! A resource server that wants a better login. [RFC 9470](https://www.rfc-editor.org/rfc/rfc9470)

use std::time::Duration;

use jiff::Timestamp;
use oauth2flow_protocol::step_up::{Challenge, MAXIMUM_CHALLENGE_BYTES, Requirements};
use proptest::prelude::*;

use crate::support::{START, now};

/// What a challenge asks for, in short.
fn parse(header: &str) -> Option<(Vec<String>, Option<u64>)> {
    Challenge::parse(header).map(|challenge| (challenge.acr_values, challenge.max_age.map(|max_age| max_age.as_secs())))
}

fn asks_for(header: &str, acr_values: &[&str], max_age: Option<u64>) {
    let expected = acr_values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    assert_eq!(parse(header), Some((expected, max_age)), "{header}");
}

#[test]
fn the_challenges_of_the_specification_are_read() {
    // RFC 9470, figures 2 and 3, each on one line.
    asks_for(
        r#"Bearer error="insufficient_user_authentication", error_description="A different authentication level is required", acr_values="myACR""#,
        &["myACR"],
        None,
    );
    asks_for(
        r#"Bearer error="insufficient_user_authentication", error_description="More recent authentication is required", max_age="5""#,
        &[],
        Some(5),
    );
}

#[test]
fn a_challenge_may_be_written_in_many_ways() {
    for header in [
        r#"Bearer error="insufficient_user_authentication",acr_values="a b",max_age=300"#,
        r#"bearer ERROR=insufficient_user_authentication, Acr_Values="a b", MAX_AGE="300""#,
        r#"DPoP algs="ES256 PS256", error="insufficient_user_authentication", acr_values="a b", max_age="300""#,
        r#"BEARER realm="a, b=\"c\" \\", acr_values=" a  b ", max_age="0300", error="insufficient_user_authentication""#,
        "Bearer   error\t=\t\"insufficient_user_authentication\" ,, acr_values=\"\\a b\" , max_age = 300 ,",
        r#", ,Bearer error="insufficient\_user_authentication", acr_values="a b", max_age="300""#,
    ] {
        asks_for(header, &["a", "b"], Some(300));
    }
}

#[test]
fn the_challenge_is_found_among_others() {
    let wanted = r#"Bearer error="insufficient_user_authentication", acr_values="a""#;
    for header in [
        format!("Basic realm=\"x\", {wanted}"),
        format!("{wanted}, Basic realm=\"x\", charset=\"UTF-8\""),
        format!("Negotiate, {wanted}"),
        format!("Negotiate YWJj==, {wanted}"),
        format!("Negotiate a/b+c~d-e._=, {wanted}, NTLM"),
        format!("Custom acr_values=\"b\", error=\"insufficient_user_authentication\", {wanted}"),
        format!("Bearer error=\"invalid_token\", acr_values=\"b\", {wanted}"),
        format!("Bearer realm=\"error=insufficient_user_authentication, acr_values=b\", {wanted}"),
        format!("Bearer, {wanted}"),
        format!("Bearer ,{wanted}"),
        format!("{wanted}, DPoP error=\"insufficient_user_authentication\", acr_values=\"b\""),
    ] {
        asks_for(&header, &["a"], None);
    }
}

#[test]
fn a_challenge_may_ask_for_nothing_in_particular() {
    asks_for(r#"Bearer error="insufficient_user_authentication""#, &[], None);
    asks_for(r#"Bearer error="insufficient_user_authentication", acr_values="", scope="a b""#, &[], None);
    asks_for(r#"Bearer error="insufficient_user_authentication", max_age=0"#, &[], Some(0));
    asks_for("Bearer error=\"insufficient_user_authentication\", realm=\"\ta\\\tä\"", &[], None);
}

#[test]
fn other_challenges_ask_for_no_login() {
    for header in [
        "",
        " , ",
        "Bearer",
        r#"Bearer error="invalid_token""#,
        r#"Bearer error="insufficient_scope", acr_values="a""#,
        r#"Bearer acr_values="a", max_age="5""#,
        r#"Bearer error="Insufficient_User_Authentication""#,
        r#"Bearer error_description="insufficient_user_authentication""#,
        r#"Basic error="insufficient_user_authentication""#,
        r#"Bearer2 error="insufficient_user_authentication""#,
        r#"Bearer realm="x", Basic error="insufficient_user_authentication""#,
        r#"Bearer realm="Bearer error=insufficient_user_authentication""#,
    ] {
        assert_eq!(parse(header), None, "{header}");
    }
}

#[test]
fn a_header_that_cannot_be_read_asks_for_nothing() {
    for header in [
        r#"error="insufficient_user_authentication""#,
        r#"Bearer error="insufficient_user_authentication"#,
        r#"Bearer error="insufficient_user_authentication\"#,
        r#"Bearer error="insufficient_user_authentication" acr_values="a""#,
        r#"Bearer error="insufficient_user_authentication", error="insufficient_user_authentication""#,
        r#"Bearer error="insufficient_user_authentication", acr_values="a", Acr_Values="b""#,
        r#"Bearer error="insufficient_user_authentication", acr_values="a"b"#,
        r#"Bearer error="insufficient_user_authentication"; acr_values="a""#,
        r#"Bearer error="insufficient_user_authentication", =a"#,
        r#"Bearer error="insufficient_user_authentication", acr_values=ä"#,
        r#"Bearer error="insufficient_user_authentication", acr_values="#,
        r#"Bearer error="insufficient_user_authentication", "a""#,
        r#"Bearer error="insufficient_user_authentication", max_age=-5"#,
        r#"Bearer error="insufficient_user_authentication", max_age="+5""#,
        r#"Bearer error="insufficient_user_authentication", max_age="5.0""#,
        r#"Bearer error="insufficient_user_authentication", max_age="5 ""#,
        r#"Bearer error="insufficient_user_authentication", max_age="""#,
        r#"Bearer error="insufficient_user_authentication", max_age="five""#,
        r#"Bearer error="insufficient_user_authentication", max_age="99999999999999999999""#,
        "Bearer\terror=\"insufficient_user_authentication\"",
        r#"Bearer a b, Bearer error="insufficient_user_authentication""#,
        r#"Bearer "a", Bearer error="insufficient_user_authentication""#,
        r#"Bearer =a, Bearer error="insufficient_user_authentication""#,
        r#"(Bearer) error="insufficient_user_authentication""#,
        "Bearer error=\"insufficient_user_authentication\", realm=\"a\nb\"",
        "Bearer error=\"insufficient_user_authentication\", realm=\"a\\\rb\"",
        "Bearer error=\"insufficient_user_authentication\", realm=\"a\u{85}\"",
    ] {
        assert_eq!(parse(header), None, "{header}");
    }
}

#[test]
fn c_a_huge_challenge_is_not_read() {
    let padded = |bytes: usize| {
        let rest = r#"Bearer error="insufficient_user_authentication", realm="""#;
        parse(&format!("{}{}\"", &rest[..rest.len() - 1], "x".repeat(bytes - rest.len())))
    };

    assert_eq!(MAXIMUM_CHALLENGE_BYTES, 8192);
    assert!(padded(MAXIMUM_CHALLENGE_BYTES).is_some());
    assert!(padded(MAXIMUM_CHALLENGE_BYTES + 1).is_none());
}

fn requirements(acr_values: &[&str], max_age: Option<u64>) -> Requirements {
    Requirements { acr_values: acr_values.iter().map(|value| (*value).to_owned()).collect(), max_age: max_age.map(Duration::from_secs) }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(START + seconds).unwrap()
}

#[test]
fn a_login_has_to_be_one_of_those_that_were_asked_for() {
    let either = requirements(&["high", "higher"], None);

    assert_eq!(either.met_by(Some("high"), None, now()), Ok(()));
    assert_eq!(either.met_by(Some("higher"), None, now()), Ok(()));
    for acr in [None, Some(""), Some("low"), Some("HIGH"), Some("high higher"), Some("highest")] {
        let challenge = either.met_by(acr, Some(at(0)), now()).unwrap_err();
        assert_eq!((challenge.acr_values, challenge.max_age), (vec!["high".to_owned(), "higher".to_owned()], None), "{acr:?}");
    }
}

#[test]
fn a_login_has_to_be_recent_but_for_the_leeway() {
    let recent = requirements(&[], Some(300));

    assert_eq!(recent.met_by(None, Some(at(0)), now()), Ok(()));
    assert_eq!(recent.met_by(None, Some(at(-360)), now()), Ok(()));
    assert_eq!(recent.met_by(None, Some(at(60)), now()), Ok(()));
    for auth_time in [None, Some(at(-361)), Some(at(61)), Some(Timestamp::MIN), Some(Timestamp::MAX)] {
        assert_eq!(recent.met_by(Some("any"), auth_time, now()).unwrap_err().max_age, Some(Duration::from_mins(5)), "{auth_time:?}");
    }
    // One that has just been made meets even this.
    let now_only = requirements(&[], Some(0));
    assert_eq!(now_only.met_by(None, Some(at(-60)), now()), Ok(()));
    assert!(now_only.met_by(None, Some(at(-61)), now()).is_err());
}

#[test]
fn whatever_is_missing_everything_is_asked_for() {
    let both = requirements(&["high"], Some(300));
    let everything = Challenge { acr_values: vec!["high".to_owned()], max_age: Some(Duration::from_mins(5)) };

    assert_eq!(both.met_by(Some("high"), Some(at(-10)), now()), Ok(()));
    for (acr, auth_time) in [(Some("high"), Some(at(-1000))), (Some("low"), Some(at(-10))), (None, None)] {
        assert_eq!(both.met_by(acr, auth_time, now()), Err(everything.clone()), "{acr:?} {auth_time:?}");
    }
    assert_eq!(requirements(&[], None).met_by(None, None, now()), Ok(()));
    assert_eq!(requirements(&[], Some(u64::MAX)).met_by(None, Some(at(-1_000_000)), now()), Ok(()));
}

proptest! {
    #[test]
    fn c_no_header_at_all_is_more_than_it_says(header in "[ -~\t]{0,80}") {
        // Whatever is read of it, it was in it.
        if let Some(challenge) = Challenge::parse(&header) {
            prop_assert!(header.to_ascii_lowercase().contains("error"));
            for value in challenge.acr_values {
                prop_assert!(!value.is_empty() && !value.contains(' '));
            }
        }
    }

    #[test]
    fn what_was_written_is_read(acr_values in prop::collection::vec("[!-~]{1,8}", 0..4), max_age in prop::option::of(any::<u64>())) {
        let quoted = acr_values.join(" ").replace('\\', "\\\\").replace('"', "\\\"");
        let max_age_part = max_age.map(|max_age| format!(", max_age={max_age}")).unwrap_or_default();
        let header = format!("Basic realm=\"a\", Bearer error=\"insufficient_user_authentication\", acr_values=\"{quoted}\"{max_age_part}");

        prop_assert_eq!(parse(&header), Some((acr_values, max_age)), "{}", header);
    }
}
