//! The modules of the OpenID Foundation's conformance plans for relying parties, and what shows that they would be passed.
//!
//! Names and order are those of the conformance suite, <https://gitlab.com/openid/conformance-suite>.

use crate::proof::Proof::{self, Browser, Combination, Http, Other, Rule};

/// A plan of the suite.
pub(crate) struct Plan {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it is about.
    pub(crate) title: &'static str,
    /// What a reader should know beforehand.
    pub(crate) note: &'static str,
    /// Its modules, in its order.
    pub(crate) modules: &'static [Module],
}

/// A module of a plan.
pub(crate) struct Module {
    /// Its name.
    pub(crate) name: &'static str,
    /// What the provider does.
    pub(crate) provider: &'static str,
    /// What we do.
    pub(crate) client: &'static str,
    /// How it ends.
    pub(crate) verdict: Verdict,
}

/// How a module ends.
pub(crate) enum Verdict {
    /// As the suite wants it, shown by these tests.
    Passed(&'static [Proof]),
    /// With a refusal where the suite lets a client choose and then counts the module as skipped; shown by these tests.
    Refused(&'static [Proof]),
    /// Nothing shows it, and this is why.
    NotCovered(&'static str),
}

use Verdict::{NotCovered, Passed, Refused};

const fn module(name: &'static str, provider: &'static str, client: &'static str, verdict: Verdict) -> Module {
    Module { name, provider, client, verdict }
}

const ACCEPTED: Proof = Http("id_token", "the_conformance_cases_to_accept_are_accepted");
const BAD_SIGNED_ANSWERS: Proof = Http("jarm", "a_signed_answer_that_does_not_hold_is_never_exchanged");
const FOREIGN_LOGIN: Proof = Browser("foreign-provider", "a login at a certified provider, down to the account page and a call of its API");

const REFUSES: &str = "ends the login with `id_token_invalid` and uses none of the tokens";

/// Used by several plans.
const SIG_NONE: Module = module(
    "oidcc-client-test-idtoken-sig-none",
    "sends an ID token with `alg: none`",
    "refuses it: the signature is always verified. The suite counts that as skipped, for clients without support for unsigned tokens",
    Refused(&[
        Rule("id_token", "b_idtoken_sig_none_is_rejected"),
        Http("id_token", "a28_a_signature_that_does_not_hold_is_refused"),
        Http("hostile", "hostile_id_token_alg_none"),
    ]),
);

/// All plans, in the order of the document.
pub(crate) const PLANS: [Plan; 9] = [
    Plan {
        name: "oidcc-client-basic-certification-test-plan",
        title: "OpenID Connect: Basic RP",
        note: "`response_type=code`, `client_secret_basic`, a static client; also with a signed request object (`request_type=request_object`).",
        modules: &[
            module(
                "oidcc-client-test",
                "does everything right",
                "signs the user in",
                Passed(&[
                    Rule("id_token", "b_happy_path_id_token_is_accepted"),
                    ACCEPTED,
                    FOREIGN_LOGIN,
                    Combination("private_key_jwt, query, request object, no PAR, no DPoP, RS256"),
                ]),
            ),
            module(
                "oidcc-client-test-invalid-iss",
                "names another issuer in the ID token",
                REFUSES,
                Passed(&[Rule("id_token", "b_invalid_iss_is_rejected"), Http("hostile", "hostile_id_token_iss_other")]),
            ),
            module(
                "oidcc-client-test-missing-sub",
                "leaves `sub` out of the ID token",
                REFUSES,
                Passed(&[Rule("id_token", "b_missing_sub_is_rejected"), Http("hostile", "hostile_id_token_sub_missing")]),
            ),
            module(
                "oidcc-client-test-invalid-aud",
                "issues the ID token to another client",
                REFUSES,
                Passed(&[Rule("id_token", "b_invalid_aud_is_rejected"), Http("hostile", "hostile_id_token_aud_other")]),
            ),
            module(
                "oidcc-client-test-missing-iat",
                "leaves `iat` out of the ID token",
                REFUSES,
                Passed(&[Rule("id_token", "b_missing_iat_is_rejected"), Http("hostile", "hostile_id_token_iat_missing")]),
            ),
            module(
                "oidcc-client-test-kid-absent-single-jwks",
                "names no key in the header, and has one",
                "takes that key, and signs the user in",
                Passed(&[
                    Rule("id_token", "b_kid_absent_single_jwks_is_accepted"),
                    ACCEPTED,
                    Http("hostile", "hostile_id_token_kid_missing"),
                ]),
            ),
            module(
                "oidcc-client-test-kid-absent-multiple-jwks",
                "names no key in the header, and has several that fit",
                "tries each key for the algorithm; the suite lets a client do so or refuse",
                Passed(&[
                    Rule("id_token", "b_kid_absent_multiple_jwks_tries_every_key_for_the_algorithm"),
                    Http("hostile", "hostile_id_token_kid_missing_many_keys"),
                ]),
            ),
            module(
                "oidcc-client-test-idtoken-sig-rs256",
                "signs with RS256",
                "signs the user in",
                Passed(&[Rule("id_token", "b_idtoken_sig_rs256_is_accepted"), ACCEPTED]),
            ),
            SIG_NONE,
            module(
                "oidcc-client-test-invalid-sig-rs256",
                "breaks the RS256 signature",
                REFUSES,
                Passed(&[
                    Rule("id_token", "b_invalid_sig_rs256_is_rejected"),
                    Http("id_token", "a28_a_signature_that_does_not_hold_is_refused"),
                    Http("hostile", "hostile_id_token_signature_bad_rs256"),
                ]),
            ),
            module(
                "oidcc-client-test-userinfo-invalid-sub",
                "describes somebody else at the userinfo endpoint",
                "throws the description away and ends the login",
                Passed(&[
                    Rule("userinfo", "b_userinfo_invalid_sub_is_rejected"),
                    Http("id_token", "a30_a_userinfo_of_somebody_else_fails_the_login"),
                    Http("hostile", "hostile_userinfo_sub_other"),
                ]),
            ),
            module(
                "oidcc-client-test-nonce-invalid",
                "sends another nonce in the ID token",
                "ends the login and never calls the userinfo endpoint",
                Passed(&[Rule("id_token", "b_nonce_invalid_is_rejected"), Http("hostile", "hostile_id_token_nonce_other")]),
            ),
            module(
                "oidcc-client-test-scope-userinfo-claims",
                "gives the claims of the scopes at the userinfo endpoint",
                "asks for them with the token in the header, and shows them",
                Passed(&[
                    Rule("userinfo", "b_userinfo_bearer_header_is_how_the_token_goes_out"),
                    Http("id_token", "a30_the_userinfo_is_asked_for_with_the_token_in_the_header"),
                    FOREIGN_LOGIN,
                ]),
            ),
            module(
                "oidcc-client-test-client-secret-basic",
                "takes the client's secret by HTTP Basic only",
                "sends it so, form-encoded first",
                Passed(&[
                    Rule("client_auth", "b_client_secret_basic_is_the_default"),
                    Http("callback", "a5_the_exchange_authenticates_the_client_and_sends_the_verifier"),
                    Combination("basic, query, no PAR, no DPoP, RS256"),
                ]),
            ),
        ],
    },
    Plan {
        name: "oidcc-client-formpost-basic-certification-test-plan",
        title: "OpenID Connect: Form Post Basic RP",
        note: "The fourteen modules of the basic plan once more, with `response_mode=form_post`. In all but the first the provider does \
               what it does there, and what judges it is the same code, so they are not repeated.",
        modules: &[module(
            "oidcc-client-test",
            "answers with a page that posts",
            "signs the user in; the browser arrives with its strict cookie",
            Passed(&[
                Http("form_post", "a_posted_answer_signs_in_and_the_person_arrives_with_the_strict_cookie"),
                Combination("basic, form_post, no PAR, no DPoP, RS256"),
            ]),
        )],
    },
    Plan {
        name: "oidcc-client-config-certification-test-plan",
        title: "OpenID Connect: Config RP",
        note: "The provider is known by its issuer alone.",
        modules: &[
            module(
                "oidcc-client-test-discovery-openid-config",
                "publishes its metadata",
                "reads it below the issuer, and signs the user in with what it says",
                Passed(&[
                    Rule("discovery", "a08_the_metadata_is_asked_for_below_the_issuer"),
                    Rule("discovery", "a08_good_metadata_is_read"),
                    FOREIGN_LOGIN,
                ]),
            ),
            module(
                "oidcc-client-test-discovery-jwks-uri-keys",
                "publishes its keys at `jwks_uri`",
                "fetches them from there, keeps them for ten minutes, and verifies the ID token with them",
                Passed(&[
                    Rule("jwks", "a31_the_key_set_is_asked_for_at_its_address"),
                    Http("id_token", "a31_keys_are_kept_for_ten_minutes"),
                ]),
            ),
            module(
                "oidcc-client-test-discovery-issuer-mismatch",
                "names another issuer in its metadata",
                "never sends anybody to its authorization endpoint",
                Passed(&[
                    Rule("discovery", "b_discovery_issuer_mismatch_is_rejected"),
                    Http("start", "a8_metadata_of_another_issuer_never_leads_to_the_provider"),
                    Http("hostile", "hostile_metadata_issuer_other"),
                    Http("hostile", "hostile_metadata_issuer_slash"),
                ]),
            ),
            SIG_NONE,
            module(
                "oidcc-client-test-signing-key-rotation-just-before-signing",
                "changes its key just before it signs",
                "fetches the keys once more, and signs the user in",
                Passed(&[
                    Rule("id_token", "b_signing_key_rotation_just_before_signing_without_kid_asks_for_fresh_keys_and_then_succeeds"),
                    Http("id_token", "a31_a_rotation_that_keeps_the_keys_nameless_is_followed_too"),
                ]),
            ),
            module(
                "oidcc-client-test-signing-key-rotation",
                "changes its key between two logins",
                "fetches the keys once more, and signs the user in",
                Passed(&[
                    Rule("id_token", "b_signing_key_rotation_asks_for_fresh_keys_and_then_succeeds"),
                    Http("id_token", "a31_after_a_rotation_the_keys_are_fetched_once_more"),
                    Http("hostile", "hostile_keys_rotated"),
                ]),
            ),
        ],
    },
    Plan {
        name: "oidcc-client-rp-initiated-logout-rp-basic",
        title: "RP-Initiated Logout RP",
        note: "",
        modules: &[
            module(
                "oidcc-client-test-rp-init-logout",
                "offers an end-session endpoint",
                "sends the browser there with `id_token_hint` and the exact way back, and is signed out itself first",
                Passed(&[
                    Rule("logout", "a43_the_end_session_url_has_the_hint_and_the_exact_redirect_uri"),
                    Http("logout", "a43_the_end_session_address_has_the_hint_and_the_exact_way_back"),
                    Browser("foreign-provider", "signing out ends the session at the provider and comes back to the app"),
                ]),
            ),
            module(
                "oidcc-client-test-rp-init-logout-other-state",
                "sends the browser back with another state",
                "is signed out all the same",
                Passed(&[
                    Http("logout", "a43_a_wrong_or_missing_state_on_the_way_back_still_ends_signed_out"),
                    Http("hostile", "hostile_logout_state_other"),
                ]),
            ),
            module(
                "oidcc-client-test-rp-init-logout-no-state",
                "sends the browser back without a state",
                "is signed out all the same",
                Passed(&[
                    Rule("logout", "b_rp_init_logout_no_state_sends_none"),
                    Http("logout", "a43_a_wrong_or_missing_state_on_the_way_back_still_ends_signed_out"),
                    Http("hostile", "hostile_logout_state_missing"),
                ]),
            ),
        ],
    },
    Plan {
        name: "oidcc-client-back-channel-logout-rp-basic",
        title: "Back-Channel Logout RP",
        note: "",
        modules: &[
            module(
                "oidcc-client-test-rp-backchannel-rpinitlogout",
                "posts a good logout token",
                "answers 200, not to be stored, and ends the session",
                Passed(&[
                    Rule("logout_token", "a44_a_good_logout_token_is_accepted"),
                    Http("logout", "a44_a_logout_token_ends_the_session_that_it_names"),
                    Http("logout", "a44_a_logout_at_the_demo_provider_ends_the_session_here"),
                ]),
            ),
            module(
                "oidcc-client-test-rp-backchannel-rpinitlogout-alg-none",
                "does not sign the logout token",
                "answers 400",
                Passed(&[Rule("logout_token", "b_backchannel_alg_none_is_rejected"), Http("hostile", "hostile_logout_alg_none")]),
            ),
            module(
                "oidcc-client-test-rp-backchannel-rpinitlogout-no-event",
                "leaves the event out",
                "answers 400",
                Passed(&[Rule("logout_token", "b_backchannel_no_event_is_rejected"), Http("hostile", "hostile_logout_event_missing")]),
            ),
            module(
                "oidcc-client-test-rp-backchannel-rpinitlogout-with-nonce",
                "puts a nonce in",
                "answers 400",
                Passed(&[Rule("logout_token", "b_backchannel_with_nonce_is_rejected"), Http("hostile", "hostile_logout_nonce")]),
            ),
            module(
                "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-alg",
                "signs with another algorithm than it declares",
                "answers 400",
                Passed(&[Rule("logout_token", "b_backchannel_wrong_alg_is_rejected"), Http("hostile", "hostile_logout_alg_other")]),
            ),
            module(
                "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-aud",
                "issues it to another client",
                "answers 400",
                Passed(&[Rule("logout_token", "b_backchannel_wrong_aud_is_rejected"), Http("hostile", "hostile_logout_aud_other")]),
            ),
            module(
                "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-event",
                "names another event",
                "answers 400",
                Passed(&[Rule("logout_token", "b_backchannel_wrong_event_is_rejected"), Http("hostile", "hostile_logout_event_other")]),
            ),
            module(
                "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-iss",
                "names another issuer",
                "answers 400",
                Passed(&[Rule("logout_token", "b_backchannel_wrong_iss_is_rejected"), Http("hostile", "hostile_logout_iss_other")]),
            ),
        ],
    },
    Plan {
        name: "oidcc-client-refreshtoken-test-plan",
        title: "Refresh tokens",
        note: "Not part of the certification.",
        modules: &[
            module(
                "oidcc-client-test-refresh-token",
                "renews the tokens, with a new ID token",
                "uses the new ones",
                Passed(&[
                    Rule("refresh", "a32_a_refreshed_id_token_that_keeps_iss_sub_and_aud_is_accepted"),
                    Http("session", "the_token_is_renewed_before_it_ends_and_the_session_says_so"),
                    Browser("foreign-provider", "an access token that is about to expire is renewed once for many calls at a time"),
                ]),
            ),
            module(
                "oidcc-client-test-refresh-token-invalid-issuer",
                "names another issuer in the new ID token",
                "throws the new tokens away",
                Passed(&[Rule("refresh", "b_refresh_token_invalid_issuer_is_rejected"), Http("hostile", "hostile_refresh_iss_other")]),
            ),
            module(
                "oidcc-client-test-refresh-token-invalid-sub",
                "names another user in the new ID token",
                "throws the new tokens away",
                Passed(&[
                    Rule("refresh", "b_refresh_token_invalid_sub_is_rejected"),
                    Http("session", "a32_a_refreshed_id_token_of_somebody_else_is_refused"),
                    Http("hostile", "hostile_refresh_sub_other"),
                ]),
            ),
        ],
    },
    Plan {
        name: "oidcc-client-test-plan",
        title: "OpenID Connect: further client tests",
        note: "The suite's comprehensive plan, which is not part of the certification: the modules that no plan above has.",
        modules: &[
            module(
                "oidcc-client-test-missing-aud",
                "leaves `aud` out of the ID token",
                REFUSES,
                Passed(&[Rule("id_token", "b_missing_aud_is_rejected"), Http("hostile", "hostile_id_token_aud_missing")]),
            ),
            module(
                "oidcc-client-test-form-post-error",
                "posts the error `login_required` to a silent login",
                "shows the error on a page of its own",
                Passed(&[Rule("callback", "b_form_post_error_is_shown"), Http("form_post", "a_posted_error_is_told_on_the_page_about_it")]),
            ),
            module(
                "oidcc-client-test-userinfo-bearer-header",
                "takes the access token in the header",
                "sends it there",
                Passed(&[Rule("userinfo", "b_userinfo_bearer_header_is_how_the_token_goes_out"), FOREIGN_LOGIN]),
            ),
            module(
                "oidcc-client-test-userinfo-bearer-body",
                "takes the access token in a form",
                "-",
                NotCovered("A choice of the client's: the token goes into the header, as RFC 6750 §2 recommends, and never into a body."),
            ),
            module(
                "oidcc-client-test-nonce-unless-code-flow",
                "demands a nonce",
                "sends one in every login with OpenID Connect",
                Passed(&[
                    Rule("authorize", "a04_an_openid_start_sends_a_nonce_of_at_most_64_characters"),
                    Http("start", "a2_a3_a4_challenge_state_and_nonce_are_long_and_new_for_every_start"),
                ]),
            ),
            module(
                "oidcc-client-test-invalid-athash",
                "sends a wrong `at_hash`",
                REFUSES,
                Passed(&[Rule("id_token", "a29_a_wrong_at_hash_rejects"), Http("hostile", "hostile_id_token_at_hash_other")]),
            ),
            module(
                "oidcc-client-test-missing-athash",
                "sends no `at_hash`, where the response type demands it",
                "-",
                NotCovered(
                    "For the implicit and hybrid flows, which are not spoken here: in the code flow `at_hash` may be missing (Core §3.1.3.6).",
                ),
            ),
            module(
                "oidcc-client-test-invalid-chash",
                "sends a wrong `c_hash`",
                "-",
                NotCovered("For the hybrid flow, which is not spoken here."),
            ),
            module(
                "oidcc-client-test-missing-chash",
                "sends no `c_hash`",
                "-",
                NotCovered("For the hybrid flow, which is not spoken here."),
            ),
            module(
                "oidcc-client-test-invalid-sig-hs256",
                "signs with a shared key, and wrongly",
                REFUSES,
                Passed(&[
                    Rule("id_token", "b_invalid_sig_hs256_is_rejected"),
                    Http("id_token", "a28_no_secret_signs_an_id_token"),
                    Http("hostile", "hostile_id_token_alg_hs256_secret"),
                ]),
            ),
            module(
                "oidcc-client-test-invalid-sig-es256",
                "breaks the ES256 signature",
                REFUSES,
                Passed(&[
                    Rule("id_token", "b_invalid_sig_es256_is_rejected"),
                    Http("id_token", "a28_a_signature_that_does_not_hold_is_refused"),
                    Http("hostile", "hostile_id_token_signature_bad_es256"),
                ]),
            ),
            module(
                "oidcc-client-test-mtls-endpoint-aliases",
                "takes the client's certificate at the endpoints of `mtls_endpoint_aliases`",
                "goes there, when it has a certificate to show",
                Passed(&[
                    Rule("client_auth", "rfc_8705_section_5_only_a_client_with_a_certificate_goes_to_the_alias"),
                    Rule("par", "rfc_8705_section_5_a_client_with_a_certificate_pushes_to_the_alias"),
                ]),
            ),
            module(
                "oidcc-client-test-aggregated-claims",
                "passes claims of another issuer on in the userinfo",
                "ignores them, and signs the user in",
                Passed(&[Rule("userinfo", "a33_what_is_left_to_somebody_else_describes_nobody")]),
            ),
            module(
                "oidcc-client-test-distributed-claims",
                "names another address where claims are to be had",
                "-",
                NotCovered(
                    "The module waits for a call of that address. None is made on purpose: claims of other issuers are ignored, and a provider does not \
                     send this server anywhere.",
                ),
            ),
            module(
                "oidcc-client-test-userinfo-signed",
                "signs what it says about the user",
                "verifies the signature, issuer and audience, and signs the user in",
                Passed(&[
                    Rule("userinfo", "b_userinfo_signed_is_accepted"),
                    Http("hostile", "hostile_userinfo_signature_bad"),
                    Combination("private_key_jwt, query, PAR, no DPoP, ES256"),
                ]),
            ),
            module(
                "oidcc-client-test-ignores-unparseable-key-in-jwks",
                "publishes keys that nobody can read beside its own",
                "leaves them out, and signs the user in",
                Passed(&[
                    Rule("jwks", "a28_one_bad_key_does_not_spoil_the_others"),
                    Rule("jwks", "a28_keys_of_unknown_types_curves_and_algorithms_are_left_out"),
                ]),
            ),
        ],
    },
    Plan {
        name: "oidcc-client-test-3rd-party-init-login-test-plan",
        title: "Third-party initiated login",
        note: "",
        modules: &[module(
            "oidcc-client-test-3rd-party-init-login",
            "sends the browser to the client's `initiate_login_uri`",
            "-",
            NotCovered(
                "A start from another site is refused on purpose (requirement A6): it lets that site choose who the browser signs in as. \
                 A link to a page of the app, from which the person starts, does the same.",
            ),
        )],
    },
    Plan {
        name: "fapi2-security-profile-final-client-test-plan",
        title: "FAPI 2.0 Security Profile (final), and Message Signing",
        note: "Of `fapi2-message-signing-final-client-test-plan`, which has the same modules and the eight of JARM, with \
               `client_auth_type=private_key_jwt`, `sender_constrain=dpop`, `fapi_profile=plain_fapi`, `fapi_client_type=oidc`, and a signed \
               request object where the variant asks for one.",
        modules: &[
            module(
                "fapi2-security-profile-final-client-test-happy-path",
                "demands PAR, `private_key_jwt`, DPoP with its nonces, and PKCE",
                "signs the user in and calls the API with a proof",
                Passed(&[
                    Combination("private_key_jwt, query, PAR, DPoP, PS256"),
                    Combination("private_key_jwt, jwt, PAR, DPoP, ES256"),
                    Http("dpop", "the_token_endpoint_gets_the_nonce_that_it_asks_for_and_once_is_enough"),
                    Http("dpop", "an_upstream_gets_its_nonce_without_the_app_noticing"),
                ]),
            ),
            module(
                "fapi2-security-profile-final-client-test-discovery-issuer-mismatch",
                "names another issuer in its metadata",
                "never sends anybody to its authorization endpoint",
                Passed(&[
                    Rule("discovery", "b_discovery_issuer_mismatch_is_rejected"),
                    Http("start", "a8_metadata_of_another_issuer_never_leads_to_the_provider"),
                    Http("hostile", "hostile_metadata_issuer_other"),
                ]),
            ),
            module(
                "fapi2-security-profile-final-client-test-invalid-iss",
                "names another issuer in the ID token",
                REFUSES,
                Passed(&[Rule("id_token", "b_invalid_iss_is_rejected"), Http("hostile", "hostile_id_token_iss_other")]),
            ),
            module(
                "fapi2-security-profile-final-client-test-invalid-aud",
                "issues the ID token to another client",
                REFUSES,
                Passed(&[Rule("id_token", "b_invalid_aud_is_rejected"), Http("hostile", "hostile_id_token_aud_other")]),
            ),
            module(
                "fapi2-security-profile-final-client-test-invalid-secondary-aud",
                "issues the ID token to another client as well",
                REFUSES,
                Passed(&[Rule("id_token", "b_invalid_secondary_aud_is_rejected"), Http("hostile", "hostile_id_token_aud_extra")]),
            ),
            module(
                "fapi2-security-profile-final-client-test-invalid-null-alg",
                "sends an ID token with `alg: none`",
                REFUSES,
                Passed(&[
                    Rule("id_token", "b_idtoken_sig_none_is_rejected"),
                    Http("id_token", "a28_a_signature_that_does_not_hold_is_refused"),
                    Http("hostile", "hostile_id_token_alg_none"),
                ]),
            ),
            module(
                "fapi2-security-profile-final-client-test-invalid-alternate-alg",
                "signs with another algorithm than it declares",
                REFUSES,
                Passed(&[
                    Rule("id_token", "b_alternate_alg_is_rejected"),
                    Http("id_token", "a28_the_algorithm_is_pinned"),
                    Http("hostile", "hostile_id_token_alg_other"),
                ]),
            ),
            module(
                "fapi2-security-profile-final-client-test-invalid-expired-exp",
                "sends an ID token that has expired",
                REFUSES,
                Passed(&[Rule("id_token", "b_expired_exp_is_rejected"), Http("hostile", "hostile_id_token_expired")]),
            ),
            module(
                "fapi2-security-profile-final-client-test-invalid-missing-exp",
                "leaves `exp` out of the ID token",
                REFUSES,
                Passed(&[Rule("id_token", "b_missing_exp_is_rejected"), Http("hostile", "hostile_id_token_exp_missing")]),
            ),
            module(
                "fapi2-security-profile-final-client-test-invalid-missing-aud",
                "leaves `aud` out of the ID token",
                REFUSES,
                Passed(&[Rule("id_token", "b_missing_aud_is_rejected"), Http("hostile", "hostile_id_token_aud_missing")]),
            ),
            module(
                "fapi2-security-profile-final-client-test-invalid-missing-iss",
                "leaves `iss` out of the ID token",
                REFUSES,
                Passed(&[
                    Rule("id_token", "a24_iss_that_is_missing_or_no_string_is_rejected"),
                    Http("hostile", "hostile_id_token_iss_missing"),
                ]),
            ),
            module(
                "fapi2-security-profile-final-client-test-valid-aud-as-array",
                "writes `aud` as an array of one",
                "signs the user in",
                Passed(&[Rule("id_token", "b_aud_as_array_is_accepted"), ACCEPTED, Http("hostile", "hostile_id_token_aud_array")]),
            ),
            module(
                "fapi2-security-profile-final-client-test-invalid-nonce",
                "sends another nonce in the ID token",
                REFUSES,
                Passed(&[Rule("id_token", "b_nonce_invalid_is_rejected"), Http("hostile", "hostile_id_token_nonce_other")]),
            ),
            module(
                "fapi2-security-profile-final-client-test-invalid-missing-nonce",
                "leaves the nonce out of the ID token",
                REFUSES,
                Passed(&[Rule("id_token", "b_missing_nonce_is_rejected"), Http("hostile", "hostile_id_token_nonce_missing")]),
            ),
            module(
                "fapi2-security-profile-final-client-test-invalid-authorization-response-iss",
                "answers the authorization request with another `iss`",
                "ends the login and asks for no token",
                Passed(&[
                    Rule("callback", "b_invalid_authorization_response_iss_is_rejected"),
                    Http("callback", "a14_an_iss_that_differs_is_refused"),
                    Http("hostile", "hostile_response_iss_other"),
                ]),
            ),
            module(
                "fapi2-security-profile-final-client-test-remove-authorization-response-iss",
                "promises `iss` and leaves it out of the answer",
                "ends the login and asks for no token",
                Passed(&[
                    Rule("callback", "b_remove_authorization_response_iss_is_rejected"),
                    Http("callback", "a15_a_provider_that_promises_iss_has_to_send_it"),
                    Http("hostile", "hostile_response_iss_missing"),
                ]),
            ),
            module(
                "fapi2-security-profile-final-client-test-ensure-authorization-response-with-invalid-state-fails",
                "answers with another state",
                "ends the login and asks for no token",
                Passed(&[
                    Rule("callback", "b_invalid_state_is_rejected"),
                    Http("callback", "a11_an_unknown_or_altered_state_is_refused"),
                    Browser("forgery", "an altered state is refused"),
                    Http("hostile", "hostile_response_state_other"),
                ]),
            ),
            module(
                "fapi2-security-profile-final-client-test-ensure-authorization-response-with-invalid-missing-state-fails",
                "answers without the state",
                "ends the login and asks for no token",
                Passed(&[
                    Rule("callback", "b_missing_state_is_rejected"),
                    Http("callback", "a11_a_missing_state_is_refused"),
                    Http("hostile", "hostile_response_state_missing"),
                ]),
            ),
            module(
                "fapi2-security-profile-final-client-test-token-endpoint-response-without-expires_in",
                "leaves `expires_in` out of the token answer",
                "signs the user in",
                Passed(&[
                    Rule("token", "b_no_expires_in_is_accepted"),
                    Http("callback", "a22_what_the_specifications_leave_open_is_accepted"),
                    Http("hostile", "hostile_token_expires_in_missing"),
                ]),
            ),
            module(
                "fapi2-security-profile-final-client-test-token-type-case-insensitivity",
                "writes `token_type` in another case",
                "signs the user in",
                Passed(&[
                    Rule("token", "b_token_type_case_is_accepted"),
                    Http("callback", "a22_what_the_specifications_leave_open_is_accepted"),
                    Http("hostile", "hostile_token_type_capitals"),
                ]),
            ),
            module(
                "fapi2-security-profile-final-client-test-rs-dpop-auth-scheme-case-insensitivity",
                "asks for a nonce at the API, in a challenge whose scheme is written in another case",
                "takes status and nonce as the question, whatever the challenge says, and calls again",
                Passed(&[
                    Rule("dpop", "rfc_9449_section_9_a_resource_asks_for_a_nonce_with_status_401"),
                    Http("dpop", "an_upstream_may_write_the_scheme_of_its_challenge_in_any_case"),
                ]),
            ),
            module(
                "fapi2-security-profile-final-client-test-happy-path-no-dpop-nonce",
                "takes DPoP proofs without a nonce",
                "signs the user in and calls the API with a proof",
                Passed(&[
                    Combination("private_key_jwt, query, no PAR, DPoP, PS256"),
                    Http("dpop", "one_key_proves_the_login_the_token_request_and_every_call"),
                ]),
            ),
            module(
                "fapi2-security-profile-final-client-test-ensure-jarm-without-iss-fails",
                "leaves `iss` out of the signed answer",
                "ends the login and asks for no token",
                Passed(&[Rule("jarm", "a15_a_signed_response_has_iss_under_every_policy"), BAD_SIGNED_ANSWERS]),
            ),
            module(
                "fapi2-security-profile-final-client-test-ensure-jarm-with-invalid-iss-fails",
                "names another issuer in the signed answer",
                "ends the login and asks for no token",
                Passed(&[
                    Rule("jarm", "b_invalid_authorization_response_iss_in_a_signed_response_is_rejected"),
                    Http("hostile", "hostile_jarm_iss_other"),
                ]),
            ),
            module(
                "fapi2-security-profile-final-client-test-ensure-jarm-without-aud-fails",
                "leaves `aud` out of the signed answer",
                "ends the login and asks for no token",
                Passed(&[
                    Rule("jarm", "b_invalid_aud_in_a_signed_response_is_rejected"),
                    Other("server/protocol/tests/seeds/main.rs", "no_signed_response_is_taken_for_another"),
                ]),
            ),
            module(
                "fapi2-security-profile-final-client-test-ensure-jarm-with-invalid-aud-fails",
                "signs the answer for another client",
                "ends the login and asks for no token",
                Passed(&[Rule("jarm", "b_invalid_aud_in_a_signed_response_is_rejected"), Http("hostile", "hostile_jarm_aud_other")]),
            ),
            module(
                "fapi2-security-profile-final-client-test-ensure-jarm-without-exp-fails",
                "leaves `exp` out of the signed answer",
                "ends the login and asks for no token",
                Passed(&[Rule("jarm", "b_expired_exp_in_a_signed_response_is_rejected"), Http("hostile", "hostile_jarm_exp_missing")]),
            ),
            module(
                "fapi2-security-profile-final-client-test-ensure-jarm-with-expired-exp-fails",
                "sends a signed answer that has expired",
                "ends the login and asks for no token",
                Passed(&[Rule("jarm", "b_expired_exp_in_a_signed_response_is_rejected"), Http("hostile", "hostile_jarm_expired")]),
            ),
            module(
                "fapi2-security-profile-final-client-test-ensure-jarm-with-invalid-sig-fails",
                "breaks the answer's signature",
                "ends the login and asks for no token",
                Passed(&[
                    Rule("jarm", "a28_the_signature_of_a_response_is_verified_before_anything_in_it_is_believed"),
                    Http("jarm", "a_signed_answer_with_a_forged_or_without_a_signature_is_never_exchanged"),
                    Http("hostile", "hostile_jarm_signature_bad"),
                ]),
            ),
            module(
                "fapi2-security-profile-final-client-test-ensure-jarm-signature-is-not-none",
                "does not sign the answer",
                "ends the login and asks for no token",
                Passed(&[Rule("jarm", "b_idtoken_sig_none_in_a_signed_response_is_rejected"), Http("hostile", "hostile_jarm_unsigned")]),
            ),
            module(
                "fapi2-security-profile-final-client-refresh-token-test",
                "renews the tokens",
                "-",
                NotCovered("For the Brazilian profile only."),
            ),
            module(
                "fapi2-security-profile-final-client-test-happy-path-no-mtls-endpoint-aliases",
                "demands the client's certificate and publishes no `mtls_endpoint_aliases`",
                "shows it at the ordinary endpoints",
                Passed(&[
                    Rule("client_auth", "rfc_8705_section_5_only_a_client_with_a_certificate_goes_to_the_alias"),
                    Http("outbound", "a_provider_that_demands_a_certificate_gets_it"),
                ]),
            ),
            module(
                "fapi2-security-profile-final-client-test-grant-management-happy-path",
                "manages grants",
                "-",
                NotCovered("Grant management is not spoken here; the variant `grant_management=disabled` leaves the module out."),
            ),
            module(
                "fapi2-security-profile-final-client-test-grant-management-query-and-revoke",
                "has grants asked for and revoked",
                "-",
                NotCovered("Grant management is not spoken here, as above."),
            ),
            module(
                "fapi2-security-profile-final-client-test-grant-management-invalid-grant-id-fails",
                "sends a wrong grant id",
                "-",
                NotCovered("Grant management is not spoken here, as above."),
            ),
        ],
    },
];
