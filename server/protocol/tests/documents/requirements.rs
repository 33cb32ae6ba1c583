//! What a sign-in must do: the requirements that tests carry in their names.

use crate::proof::Proof::{self, Browser, Http};

/// A requirement.
pub(crate) struct Requirement {
    /// Its number: a test of number 7 is called `a7_…` or `a07_…`.
    pub(crate) number: u32,
    /// The step of the flow that it belongs to.
    pub(crate) step: &'static str,
    /// What it demands.
    pub(crate) text: &'static str,
    /// Where it comes from: a name, and an address.
    pub(crate) source: Option<(&'static str, &'static str)>,
    /// Tests whose names tell of an attack or a journey instead.
    pub(crate) further: &'static [Proof],
}

const fn requirement(
    number: u32,
    step: &'static str,
    text: &'static str,
    source: Option<(&'static str, &'static str)>,
    further: &'static [Proof],
) -> Requirement {
    Requirement { number, step, text, source, further }
}

const START: &str = "The start of a login";
const CALLBACK: &str = "The authorization response";
const ID_TOKEN: &str = "The ID token and the user";
const SESSION: &str = "The session and the proxy";
const LOGOUT: &str = "Signing out";
const NAVIGATION: &str = "What is no navigation";

/// All of them, by number.
pub(crate) const REQUIREMENTS: [Requirement; 45] = [
    requirement(
        1,
        START,
        "The authorization request asks for a code and for nothing else.",
        Some(("RFC 10017 §6.1.3.1", "https://www.rfc-editor.org/rfc/rfc10017")),
        &[],
    ),
    requirement(
        2,
        START,
        "PKCE is used with S256, its challenge has 43 characters, two logins share neither challenge, state nor nonce, and no browser \
         can read the verifier.",
        Some(("RFC 9700 §2.1.1", "https://www.rfc-editor.org/rfc/rfc9700#section-2.1.1")),
        &[],
    ),
    requirement(
        3,
        START,
        "The state works once, belongs to the browser that began, and holds at least 128 random bits.",
        Some(("RFC 9700 §2.1", "https://www.rfc-editor.org/rfc/rfc9700#section-2.1")),
        &[],
    ),
    requirement(4, START, "A login with OpenID Connect always sends a nonce, of at most 64 characters.", None, &[]),
    requirement(
        5,
        START,
        "The token request repeats the authorization request's `redirect_uri` byte for byte. It comes from the configured `public_url`, \
         and nothing in a request changes it.",
        Some(("RFC 6749 §4.1.3", "https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3")),
        &[],
    ),
    requirement(
        6,
        START,
        "A login that another site starts gets no cookie and goes nowhere.",
        None,
        &[Browser("policy", "a page of another site cannot start a login"), Http("attack/login_csrf", "an_image_cannot_start_a_login")],
    ),
    requirement(
        7,
        START,
        "`scope`, `redirect_uri` and `client_id` from outside change nothing; a provider that does not exist is a 404 problem.",
        None,
        &[],
    ),
    requirement(
        8,
        START,
        "Metadata whose issuer differs by a single character from the configured one leads nobody to its endpoints.",
        Some(("Discovery §4.3", "https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationValidation")),
        &[],
    ),
    requirement(
        9,
        START,
        "A provider that does not declare S256 gets S256 all the same, never `plain`, and the state stays enforced.",
        None,
        &[
            Http("attack/pkce_downgrade", "a_provider_that_ignores_the_challenge_still_gets_the_verifier"),
            Http("attack/pkce_downgrade", "a_challenge_that_was_cut_out_on_the_way_fails_the_login"),
        ],
    ),
    requirement(
        10,
        START,
        "Two tabs may sign in at the same time, and both finish, in either order.",
        None,
        &[Browser("repetition", "two tabs sign in at once, and the one started ${order} finishes first")],
    ),
    requirement(
        11,
        CALLBACK,
        "A state that is missing, unknown, altered or too old is refused, and no token is asked for.",
        Some(("RFC 9700 §4.7.1", "https://www.rfc-editor.org/rfc/rfc9700#section-4.7.1")),
        &[Browser("forgery", "an altered state is refused")],
    ),
    requirement(
        12,
        CALLBACK,
        "A good state and code without the cookie of the browser that began are refused, and no token is asked for.",
        None,
        &[
            Http("attack/login_csrf", "the_attacker_s_answer_signs_the_victim_in_to_nothing"),
            Browser("forgery", "an attacker's answer signs nobody in as the attacker"),
        ],
    ),
    requirement(
        13,
        CALLBACK,
        "An answer works once: twenty posts of one code at a time make one token request.",
        Some(("RFC 9700 §4.2.4", "https://www.rfc-editor.org/rfc/rfc9700#section-4.2.4")),
        &[],
    ),
    requirement(
        14,
        CALLBACK,
        "An `iss` that differs, be it by a slash, a letter's case or a default port, is refused, and no token is asked for.",
        Some(("RFC 9207 §2.4", "https://www.rfc-editor.org/rfc/rfc9207#section-2.4")),
        &[Http("attack/mix_up", "the_iss_gives_it_away_and_the_code_goes_to_nobody")],
    ),
    requirement(
        15,
        CALLBACK,
        "A provider that promises `iss` has to send it.",
        Some(("RFC 9207 §2.4", "https://www.rfc-editor.org/rfc/rfc9207#section-2.4")),
        &[Http("attack/mix_up", "an_iss_that_the_attacker_leaves_out_is_missed")],
    ),
    requirement(
        16,
        CALLBACK,
        "Where `iss` was not promised, the preset decides whether it may come; one that is wrong is always refused.",
        Some(("RFC 9207 §2.4", "https://www.rfc-editor.org/rfc/rfc9207#section-2.4")),
        &[],
    ),
    requirement(
        17,
        CALLBACK,
        "An error is held against state and `iss` too, uses the login up, asks for no token, and its words are only ever text.",
        Some(("RFC 6749 §4.1.2.1", "https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1")),
        &[],
    ),
    requirement(
        18,
        CALLBACK,
        "A parameter that comes twice is refused.",
        Some(("RFC 6749 §3.1", "https://www.rfc-editor.org/rfc/rfc6749#section-3.1")),
        &[],
    ),
    requirement(19, CALLBACK, "A code together with an error is refused.", None, &[]),
    requirement(
        20,
        CALLBACK,
        "No token reaches a browser: no answer, page, address, storage, readable cookie or line of the log has one.",
        Some(("RFC 10017 §6.1", "https://www.rfc-editor.org/rfc/rfc10017")),
        &[Browser("tokens", "the browser never sees anything like a token of the demo provider")],
    ),
    requirement(
        21,
        CALLBACK,
        "A token answer that is an error with status 200, a page, something of the wrong type or without an access token signs nobody in.",
        Some(("RFC 6749 §5.1", "https://www.rfc-editor.org/rfc/rfc6749#section-5.1")),
        &[],
    ),
    requirement(
        22,
        CALLBACK,
        "What the specifications leave open is accepted: `token_type` in any case, no `expires_in`, `aud` as an array of one.",
        Some(("RFC 6749 §5.1", "https://www.rfc-editor.org/rfc/rfc6749#section-5.1")),
        &[],
    ),
    requirement(23, CALLBACK, "A login makes a new session, and the one before it is dead.", None, &[]),
    requirement(
        24,
        ID_TOKEN,
        "`iss` is the issuer exactly; `aud` contains this client, and no other audience that is not trusted.",
        Some(("Core §3.1.3.7", "https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation")),
        &[],
    ),
    requirement(
        25,
        ID_TOKEN,
        "An ID token that has expired, lacks `sub`, `iat` or `exp`, or comes from the future is refused.",
        Some(("Core §3.1.3.7", "https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation")),
        &[],
    ),
    requirement(
        26,
        ID_TOKEN,
        "A nonce that is missing or wrong is refused, and the tokens beside it are not used: the userinfo endpoint is never called.",
        Some(("Core §3.1.3.7", "https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation")),
        &[Http("attack/code_injection", "a_provider_that_forgets_the_challenge_is_caught_by_the_nonce")],
    ),
    requirement(
        27,
        ID_TOKEN,
        "`azp`, where there is one, is this client.",
        Some(("Core §3.1.3.7", "https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation")),
        &[],
    ),
    requirement(
        28,
        ID_TOKEN,
        "The signature is always verified, with an algorithm that metadata and configuration allow. `none`, shared keys and unknown \
         extensions are refused; keys and addresses in the header are neither used nor fetched.",
        Some(("RFC 8725 §3", "https://www.rfc-editor.org/rfc/rfc8725#section-3")),
        &[
            Http("attack/algorithm_confusion", "the_public_key_is_no_secret_to_sign_with"),
            Http("attack/algorithm_confusion", "a_key_in_the_header_is_not_looked_at"),
            Http("attack/server_side_request_forgery", "a_key_address_in_a_token_s_header_is_never_fetched"),
        ],
    ),
    requirement(
        29,
        ID_TOKEN,
        "A wrong `at_hash` is refused.",
        Some(("Core §3.1.3.8", "https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowTokenValidation")),
        &[],
    ),
    requirement(
        30,
        ID_TOKEN,
        "Userinfo about somebody else than the ID token's subject is thrown away, and the login fails.",
        Some(("Core §5.3.2", "https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse")),
        &[],
    ),
    requirement(
        31,
        ID_TOKEN,
        "An unknown `kid` has the keys fetched once more, and the login goes on; never more than one fetch in the cooldown.",
        Some(("Core §10.1.1", "https://openid.net/specs/openid-connect-core-1_0.html#RotateSigKeys")),
        &[],
    ),
    requirement(
        32,
        ID_TOKEN,
        "A refreshed ID token keeps `iss`, `sub` and `aud`.",
        Some(("Core §12.2", "https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokenResponse")),
        &[],
    ),
    requirement(33, ID_TOKEN, "A user is known by issuer and `sub`, never by an e-mail address.", None, &[]),
    requirement(
        34,
        SESSION,
        "The session cookie is for HTTPS, for no script, for requests of this site alone and for this host alone; a prefix of its name \
         holds browsers to that.",
        Some(("RFC 10017 §6.1.3.2", "https://www.rfc-editor.org/rfc/rfc10017")),
        &[
            Http("attack/cookie_tossing", "two_session_cookies_are_nobody"),
            Http("attack/cookie_tossing", "over_https_a_cookie_without_the_prefix_is_not_looked_at"),
        ],
    ),
    requirement(
        35,
        SESSION,
        "What changes something and what calls an API carries a header that no form can send; without it the answer is 403, and nothing \
         is done.",
        Some(("RFC 10017 §6.1.3.3.2", "https://www.rfc-editor.org/rfc/rfc10017")),
        &[],
    ),
    requirement(
        36,
        SESSION,
        "No path, however it is written or encoded, leads a proxied call to a host or a place that is not configured.",
        Some(("RFC 10017 §6.1.3.6", "https://www.rfc-editor.org/rfc/rfc10017")),
        &[],
    ),
    requirement(
        37,
        SESSION,
        "An API gets neither the browser's cookies nor its `Authorization`, nor its word on who calls; it sets no cookie, and the token \
         follows none of its redirects.",
        None,
        &[],
    ),
    requirement(
        38,
        SESSION,
        "However many calls find the access token expired, it is renewed once, and all of them are answered.",
        None,
        &[
            Http("attack/refresh_race", "nobody_is_signed_out_by_reuse_in_round_after_round"),
            Http("attack/refresh_race", "the_demo_provider_ends_the_family_on_reuse_and_the_app_never_reuses"),
        ],
    ),
    requirement(
        39,
        SESSION,
        "A renewal ends the session only when the provider answers `invalid_grant`; of anything else that goes wrong, the session is \
         still there afterwards.",
        Some(("RFC 6749 §5.2", "https://www.rfc-editor.org/rfc/rfc6749#section-5.2")),
        &[],
    ),
    requirement(40, SESSION, "The server ends a session that is not used for too long, and one that is too old.", None, &[]),
    requirement(41, SESSION, "While the store is down the answer is 503 and never 401, and the cookie stays.", None, &[]),
    requirement(
        42,
        LOGOUT,
        "A sign-out is a POST. The cookie that it ends is of no use to whoever kept it, and the refresh token is revoked.",
        Some(("RFC 7009 §2.1", "https://www.rfc-editor.org/rfc/rfc7009#section-2.1")),
        &[Browser("logout", "signing out ends the session here, at the provider, and for a stolen cookie")],
    ),
    requirement(
        43,
        LOGOUT,
        "The provider's sign-out page gets `id_token_hint` and the exact way back; a state that comes back wrong or not at all changes \
         nothing: the person is signed out.",
        Some(("RP-Initiated Logout §2", "https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout")),
        &[],
    ),
    requirement(
        44,
        LOGOUT,
        "A back-channel logout answers 200, or 400 to a token that does not hold, is stored nowhere, needs neither cookie nor header, \
         finds sessions by `sid` and by `sub`, and takes no `jti` twice.",
        Some(("Back-Channel Logout §2.8", "https://openid.net/specs/openid-connect-backchannel-1_0.html#BCResponse")),
        &[
            Http("attack/logout_token_abuse", "a_replayed_token_is_refused_even_after_a_restart"),
            Http("attack/logout_token_abuse", "a_provider_ends_its_own_sessions_only"),
        ],
    ),
    requirement(
        50,
        NAVIGATION,
        "Only a navigation is ever redirected to the provider; anything else without a session gets a 401 problem.",
        None,
        &[],
    ),
];

/// The numbers in a test's name: `a2_a3_…` has two, `a24_to_a29_…` has six.
pub(crate) fn numbers(name: &str) -> Vec<u32> {
    let mut numbers = Vec::new();
    let mut is_range = false;
    for word in name.split('_') {
        let number = word.strip_prefix('a').filter(|digits| !digits.is_empty()).and_then(|digits| digits.parse::<u32>().ok());
        match (number, word, numbers.last().copied()) {
            (Some(number), _, Some(first)) if is_range => {
                numbers.extend(first + 1..=number);
                is_range = false;
            }
            (Some(number), _, _) => numbers.push(number),
            (None, "to", Some(_)) => is_range = true,
            _ => break,
        }
    }
    numbers
}

#[test]
fn the_numbers_of_a_test_are_the_beginning_of_its_name() {
    assert_eq!(numbers("a05_the_redirect_uri_is_the_same"), [5]);
    assert_eq!(numbers("a2_a3_a4_challenge_state_and_nonce"), [2, 3, 4]);
    assert_eq!(numbers("a24_to_a29_claims_that_do_not_hold"), [24, 25, 26, 27, 28, 29]);
    assert_eq!(numbers("a_public_client_needs_pkce"), [0_u32; 0]);
    assert_eq!(numbers("b_invalid_iss_is_rejected"), [0_u32; 0]);
}
