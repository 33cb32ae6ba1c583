//! A hostile provider: each test signs in where exactly one thing is wrong, over real HTTP.
//!
//! `docs/hostile-provider.md` says what each defect is; the table here says which requirement it tries, and what the browser is told.

mod honest;
mod trial;

use oauth2flow_app::problem::ProblemCode;
use oauth2flow_demo_provider::{Defect, Expected};

/// A defect with its test, the requirement that it tries, and what the browser is told.
struct Row {
    defect: Defect,
    test: &'static str,
    requirement: &'static str,
    status: u16,
    code: &'static str,
}

macro_rules! hostile {
    ($($test:ident: $defect:ident, $requirement:literal, $status:literal, $code:literal;)*) => {
        $(
            #[tokio::test]
            async fn $test() {
                trial::run(Defect::$defect, $status, $code).await;
            }
        )*

        /// Every defect, in order.
        const TABLE: &[Row] = &[$(Row {
            defect: Defect::$defect,
            test: stringify!($test),
            requirement: $requirement,
            status: $status,
            code: $code,
        }),*];
    };
}

hostile! {
    hostile_metadata_issuer_other: MetadataIssuerOther, "A8", 502, "provider_misconfigured";
    hostile_metadata_issuer_slash: MetadataIssuerSlash, "A8", 502, "provider_misconfigured";
    hostile_metadata_issuer_missing: MetadataIssuerMissing, "A8", 502, "provider_invalid_response";
    hostile_metadata_html: MetadataHtml, "A8", 502, "provider_invalid_response";
    hostile_metadata_server_error: MetadataServerError, "A8", 502, "provider_unavailable";
    hostile_metadata_redirected: MetadataRedirected, "C SSRF by discovery", 502, "provider_invalid_response";
    hostile_metadata_hung: MetadataHung, "C hung provider", 504, "provider_timeout";
    hostile_metadata_huge: MetadataHuge, "C huge answers", 502, "provider_invalid_response";
    hostile_metadata_gzip_bomb: MetadataGzipBomb, "C huge answers", 502, "provider_invalid_response";
    hostile_metadata_deep_nesting: MetadataDeepNesting, "C huge answers", 502, "provider_invalid_response";
    hostile_metadata_many_members: MetadataManyMembers, "C huge answers", 502, "provider_invalid_response";
    hostile_metadata_wrong_types: MetadataWrongTypes, "A8", 502, "provider_invalid_response";
    hostile_metadata_token_endpoint_missing: MetadataTokenEndpointMissing, "A8", 502, "provider_invalid_response";
    hostile_metadata_token_endpoint_link_local: MetadataTokenEndpointLinkLocal, "C SSRF by discovery", 502, "provider_invalid_response";
    hostile_metadata_token_endpoint_file: MetadataTokenEndpointFile, "C SSRF by discovery", 502, "provider_invalid_response";
    hostile_metadata_token_endpoint_plain: MetadataTokenEndpointPlain, "C SSRF by discovery", 502, "provider_invalid_response";
    hostile_metadata_keys_link_local: MetadataKeysLinkLocal, "C SSRF by discovery", 502, "provider_invalid_response";
    hostile_metadata_authorization_endpoint_script: MetadataAuthorizationEndpointScript, "C SSRF by discovery", 502, "provider_invalid_response";
    hostile_metadata_pushed_requests_impossible: MetadataPushedRequestsImpossible, "A8", 502, "provider_misconfigured";
    hostile_metadata_pkce_plain_only: MetadataPkcePlainOnly, "A9", 200, "";
    hostile_metadata_authorization_endpoint_foreign: MetadataAuthorizationEndpointForeign, "C mix-up", 400, "issuer_mismatch";
    hostile_pushed_request_nonsense: PushedRequestNonsense, "A21", 502, "provider_invalid_response";
    hostile_pushed_request_html: PushedRequestHtml, "A21", 502, "provider_invalid_response";
    hostile_pushed_request_error: PushedRequestError, "A21", 502, "provider_misconfigured";
    hostile_pushed_request_server_error: PushedRequestServerError, "A21", 502, "provider_unavailable";
    hostile_pushed_request_redirected: PushedRequestRedirected, "A21", 502, "provider_invalid_response";
    hostile_pushed_request_huge: PushedRequestHuge, "C huge answers", 502, "provider_invalid_response";
    hostile_response_iss_other: ResponseIssOther, "A14", 400, "issuer_mismatch";
    hostile_response_iss_missing: ResponseIssMissing, "A15", 400, "issuer_mismatch";
    hostile_response_iss_slash: ResponseIssSlash, "A14", 400, "issuer_mismatch";
    hostile_response_iss_case: ResponseIssCase, "A14", 400, "issuer_mismatch";
    hostile_response_iss_twice: ResponseIssTwice, "A18", 400, "invalid_request";
    hostile_response_state_other: ResponseStateOther, "A11", 400, "state_mismatch";
    hostile_response_state_missing: ResponseStateMissing, "A11", 400, "invalid_request";
    hostile_response_state_twice: ResponseStateTwice, "A18", 400, "invalid_request";
    hostile_response_code_missing: ResponseCodeMissing, "C malformed answers", 400, "invalid_request";
    hostile_response_code_twice: ResponseCodeTwice, "A18", 400, "invalid_request";
    hostile_response_code_and_error: ResponseCodeAndError, "A19", 400, "invalid_request";
    hostile_response_code_huge: ResponseCodeHuge, "C huge answers", 400, "invalid_request";
    hostile_response_error_script: ResponseErrorScript, "A17", 403, "access_denied";
    hostile_response_error_unknown: ResponseErrorUnknown, "A17", 502, "provider_refused";
    hostile_response_error_iss_other: ResponseErrorIssOther, "A17", 400, "issuer_mismatch";
    hostile_response_error_state_missing: ResponseErrorStateMissing, "A17", 400, "invalid_request";
    hostile_jarm_unsigned: JarmUnsigned, "A28", 502, "provider_invalid_response";
    hostile_jarm_signature_bad: JarmSignatureBad, "A28", 502, "provider_invalid_response";
    hostile_jarm_alg_hs256_public_key: JarmAlgHs256PublicKey, "A28", 502, "provider_invalid_response";
    hostile_jarm_iss_other: JarmIssOther, "A14", 400, "issuer_mismatch";
    hostile_jarm_aud_other: JarmAudOther, "B ensure-jarm-with-invalid-aud-fails", 502, "provider_invalid_response";
    hostile_jarm_expired: JarmExpired, "B ensure-jarm-with-expired-exp-fails", 502, "provider_invalid_response";
    hostile_jarm_exp_missing: JarmExpMissing, "B ensure-jarm-without-exp-fails", 502, "provider_invalid_response";
    hostile_jarm_state_other: JarmStateOther, "A11", 400, "state_mismatch";
    hostile_jarm_left_out: JarmLeftOut, "C JARM downgrade", 400, "invalid_request";
    hostile_jarm_unasked: JarmUnasked, "C JARM downgrade", 400, "invalid_request";
    hostile_token_error_with_200: TokenErrorWith200, "A21", 400, "code_rejected";
    hostile_token_error_script: TokenErrorScript, "C error XSS", 400, "code_rejected";
    hostile_token_html: TokenHtml, "A21", 502, "provider_invalid_response";
    hostile_token_server_error: TokenServerError, "A21", 502, "provider_unavailable";
    hostile_token_redirected: TokenRedirected, "C SSRF by discovery", 502, "provider_invalid_response";
    hostile_token_hung: TokenHung, "C hung provider", 504, "provider_timeout";
    hostile_token_huge: TokenHuge, "C huge answers", 502, "provider_invalid_response";
    hostile_token_gzip_bomb: TokenGzipBomb, "C huge answers", 502, "provider_invalid_response";
    hostile_token_deep_nesting: TokenDeepNesting, "C huge answers", 502, "provider_invalid_response";
    hostile_token_many_members: TokenManyMembers, "C huge answers", 502, "provider_invalid_response";
    hostile_token_wrong_types: TokenWrongTypes, "A21", 502, "provider_invalid_response";
    hostile_token_access_token_missing: TokenAccessTokenMissing, "A21", 502, "provider_invalid_response";
    hostile_token_type_missing: TokenTypeMissing, "A21", 502, "provider_invalid_response";
    hostile_token_type_unknown: TokenTypeUnknown, "A21", 502, "provider_invalid_response";
    hostile_token_type_capitals: TokenTypeCapitals, "A22", 200, "";
    hostile_token_expires_in_missing: TokenExpiresInMissing, "A22", 200, "";
    hostile_token_id_token_missing: TokenIdTokenMissing, "A21", 502, "id_token_invalid";
    hostile_token_id_token_rubbish: TokenIdTokenRubbish, "A28", 502, "id_token_invalid";
    hostile_pkce_ignored: PkceIgnored, "C PKCE downgrade", 200, "";
    hostile_dpop_downgraded: DpopDowngraded, "A21", 502, "provider_misconfigured";
    hostile_dpop_nonce_endless: DpopNonceEndless, "A21", 502, "provider_misconfigured";
    hostile_id_token_iss_other: IdTokenIssOther, "A24", 502, "id_token_invalid";
    hostile_id_token_iss_missing: IdTokenIssMissing, "A24", 502, "id_token_invalid";
    hostile_id_token_aud_other: IdTokenAudOther, "A24", 502, "id_token_invalid";
    hostile_id_token_aud_missing: IdTokenAudMissing, "A24", 502, "id_token_invalid";
    hostile_id_token_aud_extra: IdTokenAudExtra, "A24", 502, "id_token_invalid";
    hostile_id_token_aud_array: IdTokenAudArray, "A22", 200, "";
    hostile_id_token_azp_other: IdTokenAzpOther, "A27", 502, "id_token_invalid";
    hostile_id_token_sub_missing: IdTokenSubMissing, "A25", 502, "id_token_invalid";
    hostile_id_token_sub_empty: IdTokenSubEmpty, "A25", 502, "id_token_invalid";
    hostile_id_token_iat_missing: IdTokenIatMissing, "A25", 502, "id_token_invalid";
    hostile_id_token_iat_future: IdTokenIatFuture, "A25", 502, "id_token_invalid";
    hostile_id_token_nbf_future: IdTokenNbfFuture, "A25", 502, "id_token_invalid";
    hostile_id_token_exp_missing: IdTokenExpMissing, "A25", 502, "id_token_invalid";
    hostile_id_token_expired: IdTokenExpired, "A25", 502, "id_token_invalid";
    hostile_id_token_other_clock: IdTokenOtherClock, "A25", 500, "clock_skew";
    hostile_id_token_nonce_missing: IdTokenNonceMissing, "A26", 502, "id_token_invalid";
    hostile_id_token_nonce_other: IdTokenNonceOther, "A26", 502, "id_token_invalid";
    hostile_id_token_at_hash_other: IdTokenAtHashOther, "A29", 502, "id_token_invalid";
    hostile_id_token_acr_missing: IdTokenAcrMissing, "C step-up downgrade", 403, "authentication_too_weak";
    hostile_id_token_acr_weak: IdTokenAcrWeak, "C step-up downgrade", 403, "authentication_too_weak";
    hostile_id_token_auth_time_missing: IdTokenAuthTimeMissing, "C step-up downgrade", 403, "authentication_too_weak";
    hostile_id_token_auth_time_old: IdTokenAuthTimeOld, "C step-up downgrade", 403, "authentication_too_weak";
    hostile_id_token_signature_bad_rs256: IdTokenSignatureBadRs256, "A28", 502, "id_token_invalid";
    hostile_id_token_signature_bad_ps256: IdTokenSignatureBadPs256, "A28", 502, "id_token_invalid";
    hostile_id_token_signature_bad_es256: IdTokenSignatureBadEs256, "A28", 502, "id_token_invalid";
    hostile_id_token_signature_missing: IdTokenSignatureMissing, "A28", 502, "id_token_invalid";
    hostile_id_token_alg_none: IdTokenAlgNone, "A28", 502, "id_token_invalid";
    hostile_id_token_alg_none_capitals: IdTokenAlgNoneCapitals, "A28", 502, "id_token_invalid";
    hostile_id_token_alg_none_offered: IdTokenAlgNoneOffered, "A28", 502, "id_token_invalid";
    hostile_id_token_alg_hs256_public_key: IdTokenAlgHs256PublicKey, "A28", 502, "id_token_invalid";
    hostile_id_token_alg_hs256_secret: IdTokenAlgHs256Secret, "A28", 502, "id_token_invalid";
    hostile_id_token_alg_other: IdTokenAlgOther, "A28", 502, "id_token_invalid";
    hostile_id_token_header_jwk: IdTokenHeaderJwk, "A28", 502, "id_token_invalid";
    hostile_id_token_header_jku: IdTokenHeaderJku, "A28", 502, "id_token_invalid";
    hostile_id_token_header_x5u: IdTokenHeaderX5u, "A28", 502, "id_token_invalid";
    hostile_id_token_header_crit: IdTokenHeaderCrit, "A28", 502, "id_token_invalid";
    hostile_id_token_kid_unknown: IdTokenKidUnknown, "C JWKS refresh flood", 502, "id_token_invalid";
    hostile_id_token_kid_missing: IdTokenKidMissing, "B kid-absent-single-jwks", 200, "";
    hostile_id_token_kid_missing_many_keys: IdTokenKidMissingManyKeys, "B kid-absent-multiple-jwks", 502, "id_token_invalid";
    hostile_id_token_encrypted: IdTokenEncrypted, "A28", 502, "id_token_invalid";
    hostile_id_token_is_logout_token: IdTokenIsLogoutToken, "C token-type confusion", 502, "id_token_invalid";
    hostile_id_token_is_access_token: IdTokenIsAccessToken, "C token-type confusion", 502, "id_token_invalid";
    hostile_keys_empty: KeysEmpty, "A28", 502, "id_token_invalid";
    hostile_keys_html: KeysHtml, "A28", 502, "provider_invalid_response";
    hostile_keys_server_error: KeysServerError, "A28", 502, "provider_unavailable";
    hostile_keys_redirected: KeysRedirected, "C SSRF by discovery", 502, "provider_invalid_response";
    hostile_keys_hung: KeysHung, "C hung provider", 504, "provider_timeout";
    hostile_keys_huge: KeysHuge, "C huge answers", 502, "provider_invalid_response";
    hostile_keys_ten_thousand: KeysTenThousand, "C huge answers", 502, "provider_invalid_response";
    hostile_keys_symmetric: KeysSymmetric, "A28", 502, "id_token_invalid";
    hostile_keys_for_encryption: KeysForEncryption, "A28", 502, "id_token_invalid";
    hostile_keys_rotated: KeysRotated, "A31", 200, "";
    hostile_userinfo_sub_other: UserinfoSubOther, "A30", 502, "provider_invalid_response";
    hostile_userinfo_sub_missing: UserinfoSubMissing, "A30", 502, "provider_invalid_response";
    hostile_userinfo_sub_number: UserinfoSubNumber, "A30", 502, "provider_invalid_response";
    hostile_userinfo_html: UserinfoHtml, "A30", 502, "provider_invalid_response";
    hostile_userinfo_server_error: UserinfoServerError, "A30", 502, "provider_unavailable";
    hostile_userinfo_redirected: UserinfoRedirected, "C SSRF by discovery", 502, "provider_invalid_response";
    hostile_userinfo_huge: UserinfoHuge, "C huge answers", 502, "provider_invalid_response";
    hostile_userinfo_unsigned: UserinfoUnsigned, "A30", 502, "provider_invalid_response";
    hostile_userinfo_signature_bad: UserinfoSignatureBad, "A30", 502, "provider_invalid_response";
    hostile_userinfo_alg_none: UserinfoAlgNone, "A30", 502, "provider_invalid_response";
    hostile_userinfo_iss_other: UserinfoIssOther, "A30", 502, "provider_invalid_response";
    hostile_userinfo_aud_other: UserinfoAudOther, "A30", 502, "provider_invalid_response";
    hostile_userinfo_script: UserinfoScript, "C error XSS", 200, "";
    hostile_refresh_iss_other: RefreshIssOther, "A32", 502, "provider_invalid_response";
    hostile_refresh_sub_other: RefreshSubOther, "A32", 502, "provider_invalid_response";
    hostile_refresh_aud_other: RefreshAudOther, "A32", 502, "provider_invalid_response";
    hostile_refresh_signature_bad: RefreshSignatureBad, "A32", 502, "provider_invalid_response";
    hostile_refresh_error_with_200: RefreshErrorWith200, "A39", 502, "provider_misconfigured";
    hostile_refresh_html: RefreshHtml, "A39", 502, "provider_invalid_response";
    hostile_refresh_server_error: RefreshServerError, "A39", 502, "provider_unavailable";
    hostile_logout_alg_none: LogoutAlgNone, "A44", 400, "";
    hostile_logout_alg_other: LogoutAlgOther, "A44", 400, "";
    hostile_logout_signature_bad: LogoutSignatureBad, "A44", 400, "";
    hostile_logout_iss_other: LogoutIssOther, "A44", 400, "";
    hostile_logout_aud_other: LogoutAudOther, "A44", 400, "";
    hostile_logout_event_missing: LogoutEventMissing, "A44", 400, "";
    hostile_logout_event_other: LogoutEventOther, "A44", 400, "";
    hostile_logout_nonce: LogoutNonce, "A44", 400, "";
    hostile_logout_jti_missing: LogoutJtiMissing, "A44", 400, "";
    hostile_logout_iat_missing: LogoutIatMissing, "A44", 400, "";
    hostile_logout_expired: LogoutExpired, "A44", 400, "";
    hostile_logout_nobody: LogoutNobody, "A44", 400, "";
    hostile_logout_is_id_token: LogoutIsIdToken, "A44", 400, "";
    hostile_logout_replayed: LogoutReplayed, "A44", 400, "";
    hostile_logout_state_other: LogoutStateOther, "A43", 200, "";
    hostile_logout_state_missing: LogoutStateMissing, "A43", 200, "";
}

#[test]
fn every_defect_has_a_test_of_its_name() {
    let defects: Vec<_> = TABLE.iter().map(|row| row.defect).collect();
    assert_eq!(defects, Defect::ALL);
    for Row { defect, test, requirement, status, code } in TABLE {
        assert_eq!(*test, format!("hostile_{}", defect.name().replace('-', "_")));
        assert!(requirement.starts_with(['A', 'B', 'C']), "{test}: {requirement}");
        assert_eq!(*status == 200, defect.expected() == Expected::Accept, "{test}");
        if let Some(known) = ProblemCode::parse(code) {
            assert_eq!(known.status(), *status, "{test}");
        } else {
            assert_eq!(*code, "", "{test}");
        }
    }
}
