//! Every stable error code of this crate, with its usual cause and what to do: what `docs/errors.md` is made of.

use crate::access::Denied;
use crate::authorize::{AuthorizationRequestError, TransactionError};
use crate::callback::CallbackError;
use crate::client_auth::ClientAuthError;
use crate::discovery::DiscoveryError;
use crate::id_token::IdTokenError;
use crate::jarm::JarmError;
use crate::jwks::JwksError;
use crate::jws::JwsError;
use crate::logout::RevocationError;
use crate::logout_token::LogoutTokenError;
use crate::par::ParError;
use crate::refresh::RefreshError;
use crate::signing_key::SigningKeyError;
use crate::token::TokenError;
use crate::token_exchange::TokenExchangeError;
use crate::userinfo::UserInfoError;

/// What can go wrong in one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// What is done, as a heading.
    pub title: &'static str,
    /// The error enum's name.
    pub enumeration: &'static str,
    /// Its variants, in their order; those that pass on another operation's code are left out.
    pub errors: &'static [Explanation],
}

/// One error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The variant's name.
    pub variant: &'static str,
    /// The stable code.
    pub code: &'static str,
    /// The usual cause.
    pub cause: &'static str,
    /// What to do about it, and who.
    pub fix: &'static str,
}

/// Makes an operation, and a match that does not compile when a variant is missing.
macro_rules! operation {
    ($title:literal, $enumeration:ident, passed_on: [$($passed_on:ident),*], $($variant:ident $code:literal: $cause:literal, $fix:literal;)*) => {{
        const _: fn(&$enumeration) = |error| match error {
            $($enumeration::$passed_on { .. } => {})*
            $($enumeration::$variant { .. } => {})*
        };
        Operation {
            title: $title,
            enumeration: stringify!($enumeration),
            errors: &[$(Explanation { variant: stringify!($variant), code: $code, cause: $cause, fix: $fix }),*],
        }
    }};
}

/// Every operation, in the order of a login.
pub const OPERATIONS: [Operation; 18] = [
    operation! {
        "Reading the metadata", DiscoveryError, passed_on: [],
        InvalidIssuer "metadata_issuer_invalid":
            "The configured `issuer` is no `https` address, or has a query or a fragment.",
            "Write it exactly as the provider's documentation does.";
        Unavailable "metadata_unavailable":
            "The provider is down, or wants to be left alone for a while.",
            "Wait: it is asked again by itself.";
        UnexpectedStatus "metadata_unexpected_status":
            "The provider publishes no metadata below this issuer, or a wrong `issuer` is configured.",
            "Open the metadata's address in a browser, and correct `issuer`.";
        TooLarge "metadata_too_large":
            "Something else than metadata is at that address.",
            "Correct `issuer`, or ask the provider.";
        NotJson "metadata_not_json":
            "A sign-in page, a proxy or an error page answers in the provider's place.",
            "Open the metadata's address from this server, and see who answers.";
        Malformed "metadata_malformed":
            "The provider publishes broken JSON, or names a member twice.",
            "Tell the provider; until then configure the endpoints by hand.";
        IssuerMismatch "metadata_issuer_mismatch":
            "A slash at the end, another host name, or the address of another tenant.",
            "Copy `issuer` out of the metadata into the configuration, if it is the provider that you mean.";
        MissingMember "metadata_member_missing":
            "The provider's metadata lacks an endpoint that a login needs.",
            "Tell the provider; until then configure the endpoints by hand.";
        WrongType "metadata_member_wrong_type":
            "The provider's metadata is wrong.",
            "Tell the provider; until then configure the endpoints by hand.";
        InsecureEndpoint "metadata_endpoint_insecure":
            "The provider runs on plain `http`, or behind a proxy that it does not know of.",
            "Have the provider publish its `https` addresses.";
        InternalEndpoint "metadata_endpoint_internal":
            "A provider of the outer network sends this server to an address of the inner one, which may be an attack.",
            "If it is meant, configure an issuer of the inner network, or `outbound.dangerous_allow_internal_addresses`.";
    },
    operation! {
        "Reading the provider's keys", JwksError, passed_on: [],
        TooLarge "jwks_too_large":
            "Something else than a key set is at that address.",
            "Open the metadata's `jwks_uri`, and tell the provider.";
        TooManyKeys "jwks_too_many_keys":
            "The provider never takes old keys away.",
            "Tell the provider: a hundred keys are too many.";
        Unavailable "jwks_unavailable":
            "The provider is down, or wants to be left alone for a while.",
            "Wait: it is asked again by itself.";
        UnexpectedStatus "jwks_unexpected_status":
            "The metadata names an address where there is no key set.",
            "Open the metadata's `jwks_uri`, and tell the provider.";
        Malformed "jwks_malformed":
            "The provider publishes broken JSON.",
            "Tell the provider.";
        MissingKeys "jwks_keys_missing":
            "The document at `jwks_uri` is no key set.",
            "Tell the provider.";
    },
    operation! {
        "Starting a login", AuthorizationRequestError, passed_on: [],
        SilentPromptCombined "authorization_prompt_combined":
            "`prompt` lists `none` together with something else.",
            "Ask for `none` alone, or without it.";
        InvalidOption "authorization_option_invalid":
            "A parameter of the login's address, or a setting, is empty, too long or repeated.",
            "Correct the link or the setting that is named.";
        NeedsIdToken "authorization_needs_id_token":
            "`max_age` or `acr_values` is asked of a provider without OpenID Connect, which could not prove it.",
            "Leave it out, or use a provider with OpenID Connect.";
        UnsupportedResponseMode "authorization_response_mode_unsupported":
            "`response_mode` is set to something that the provider's metadata does not list.",
            "Choose one of those that it lists; `query` always works.";
        DpopNotOffered "authorization_dpop_not_offered":
            "`dpop = \"require\"`, and the provider does not declare ES256 for it.",
            "Set `dpop = \"auto\"`, or have the provider turn it on.";
        WrongProvider "authorization_wrong_provider":
            "A mistake in the code that calls this crate.",
            "Report it.";
        MustBePushed "authorization_must_be_pushed":
            "A mistake in the code that calls this crate: the request was to be pushed first.",
            "Report it.";
        MissingSigningKey "authorization_signing_key_missing":
            "`request_object = true` without a `private_key`.",
            "Configure `private_key`, or turn `request_object` off.";
        NoCommonAlgorithm "authorization_no_common_algorithm":
            "The provider's `request_object_signing_alg_values_supported` has nothing that the key can do.",
            "Configure a key of a type that the provider lists.";
    },
    operation! {
        "Pushing the authorization request", ParError, passed_on: [ClientAuth, Request],
        NotOffered "par_not_offered":
            "`par = \"always\"`, and the provider's metadata has no endpoint for it.",
            "Set `par = \"auto\"`.";
        Required "par_required":
            "`par = \"never\"`, and the provider takes nothing else.",
            "Set `par = \"auto\"`.";
        Unavailable "par_unavailable":
            "The provider is down, or wants to be left alone for a while.",
            "Try again in a moment.";
        TooLarge "par_response_too_large":
            "Something else than the endpoint answers.",
            "See what is at the provider's `pushed_authorization_request_endpoint`.";
        Provider "par_provider_error":
            "The client's id, its secret or key, its redirect address or a scope is not what is registered.",
            "The provider's own words are beside it in the log; compare the registration with the configuration.";
        UnexpectedStatus "par_unexpected_status":
            "Something else than the endpoint answers, such as a proxy.",
            "See what is at the provider's `pushed_authorization_request_endpoint`.";
        NotJson "par_response_not_json":
            "A proxy or an error page answers in the provider's place.",
            "See what is at the provider's `pushed_authorization_request_endpoint`.";
        Malformed "par_response_malformed":
            "The provider answers with broken JSON.",
            "Tell the provider.";
        MissingMember "par_response_member_missing":
            "The provider's answer lacks `request_uri` or `expires_in`.",
            "Tell the provider; until then set `par = \"never\"`.";
        InvalidMember "par_response_member_invalid":
            "The provider's answer has a `request_uri` or `expires_in` that cannot be one.",
            "Tell the provider; until then set `par = \"never\"`.";
    },
    operation! {
        "Showing who the client is", ClientAuthError, passed_on: [],
        MissingSecret "client_auth_secret_missing":
            "The way of `client_auth` needs a `client_secret`, and there is none.",
            "Configure `client_secret`, or another `client_auth`.";
        ShortSecret "client_auth_secret_short":
            "`client_secret_jwt` signs with the secret, and one of fewer than 32 bytes can be guessed.",
            "Have the provider issue a longer secret, or use `private_key_jwt`.";
        MissingKey "client_auth_key_missing":
            "The way of `client_auth` needs a `private_key`, and there is none.",
            "Configure `private_key`, or another `client_auth`.";
        MissingTeam "client_auth_team_missing":
            "Apple's secret names the team that the key belongs to, and there is none.",
            "Configure `team_id`.";
        NoCommonAlgorithm "client_auth_no_common_algorithm":
            "The provider's `token_endpoint_auth_signing_alg_values_supported` has nothing that the key or secret can do.",
            "Configure a key of a type that the provider lists, or another `signing_algorithm`.";
    },
    operation! {
        "Reading the client's private key", SigningKeyError, passed_on: [],
        TooLong "signing_key_too_long":
            "The file holds something else, or more than a key.",
            "Give the PEM block of the private key alone.";
        NotPem "signing_key_not_pem":
            "The text lost its line breaks, or is in another form than PEM.",
            "Give the text from `-----BEGIN` to `-----END …-----`; `private_key_file` keeps the line breaks.";
        NotPrivate "signing_key_not_private":
            "The public half or the certificate was configured.",
            "Configure the private half.";
        SeveralKeys "signing_key_several":
            "The file holds the old key and the new one.",
            "Leave the one to sign with.";
        Encrypted "signing_key_encrypted":
            "The key is protected by a passphrase, which a server cannot type.",
            "Remove it with `openssl pkey -in key.pem -out plain.pem`, and let only this server read the file.";
        Unsupported "signing_key_unsupported":
            "The key is of another kind, such as `secp256k1` or Ed448, too short, or damaged.",
            "Make one with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`.";
        AlgorithmMismatch "signing_key_algorithm_mismatch":
            "`signing_algorithm` belongs to another kind of key.",
            "Leave it out, or choose one of the key's own.";
        InvalidKeyId "signing_key_id_invalid":
            "`key_id` is empty, too long, or has characters that cannot be seen.",
            "Copy it from the provider's registration, or leave it out.";
    },
    operation! {
        "Opening the transaction", TransactionError, passed_on: [],
        Malformed "transaction_malformed":
            "The login began before an update of this server.",
            "Start the sign-in again.";
        InvalidTime "transaction_time_invalid":
            "Somebody has the key of this server, or it is a mistake.",
            "Start the sign-in again; if it comes back, renew the session keys.";
        InvalidKey "transaction_key_invalid":
            "Somebody has the key of this server, or it is a mistake.",
            "Start the sign-in again; if it comes back, renew the session keys.";
        InvalidOption "transaction_option_invalid":
            "The login began before an update of this server.",
            "Start the sign-in again.";
    },
    operation! {
        "Judging the authorization response", CallbackError, passed_on: [Jarm],
        DuplicateParameter "callback_parameter_repeated":
            "Somebody has put a second parameter into the address, or the provider is broken.",
            "Start the sign-in again.";
        ParameterTooLong "callback_parameter_too_long":
            "Somebody has put something into the address.",
            "Start the sign-in again.";
        NotSigned "callback_not_signed":
            "`response_mode = \"jwt\"`, and the provider answers without a signature, or an attacker does in its name.",
            "If it stays, set `response_mode = \"query\"`.";
        UnexpectedlySigned "callback_unexpectedly_signed":
            "The provider signs its answers although nobody asked for that.",
            "Set `response_mode = \"jwt\"`.";
        PartlySigned "callback_partly_signed":
            "Somebody has added parameters to a signed answer.",
            "Start the sign-in again.";
        MissingState "callback_state_missing":
            "The link was not made by this app, or the provider loses the state.",
            "Start the sign-in again.";
        StateMismatch "callback_state_mismatch":
            "The answer belongs to another login, maybe to somebody else's.",
            "Start the sign-in again in this browser.";
        ProviderMismatch "callback_provider_mismatch":
            "The configuration was changed during the login, or one provider answers in another's place.",
            "Start the sign-in again.";
        Expired "callback_expired":
            "The person took more than ten minutes at the provider.",
            "Start the sign-in again.";
        MissingIss "callback_iss_missing":
            "The provider promises `iss` in its metadata and does not send it, or somebody took it away.",
            "If the provider never sends it, set `iss_policy = \"ignore\"`.";
        IssMismatch "callback_iss_mismatch":
            "One provider answers in another's place, or `issuer` is written differently than the provider writes it.",
            "Compare `issuer` with the provider's metadata, character by character.";
        CodeAndError "callback_code_and_error":
            "Somebody has put something into the address.",
            "Start the sign-in again.";
        MissingCode "callback_code_missing":
            "The link was not made by the provider.",
            "Start the sign-in again.";
        Provider "callback_provider_error":
            "The person or the provider said no, or the registration and the configuration differ.",
            "The provider's own words are beside it in the log.";
    },
    operation! {
        "Judging a signed authorization response", JarmError, passed_on: [Jws],
        NoKeys "jarm_keys_missing":
            "The provider signs its answers and publishes no keys.",
            "Tell the provider, or set `response_mode = \"query\"`.";
        MissingClaim "jarm_claim_missing":
            "The provider signs something else than an answer.",
            "Tell the provider, or set `response_mode = \"query\"`.";
        InvalidClaim "jarm_claim_invalid":
            "The provider's answer is wrong.",
            "Tell the provider, or set `response_mode = \"query\"`.";
        IssuerMismatch "jarm_issuer_mismatch":
            "One provider answers in another's place, or `issuer` is written differently than the provider writes it.",
            "Compare `issuer` with the provider's metadata, character by character.";
        AudienceMismatch "jarm_audience_mismatch":
            "The answer was meant for another client.",
            "Compare `client_id` with the registration.";
        Expired "jarm_expired":
            "The browser waited for long, or a clock is wrong.",
            "Start the sign-in again; compare this server's clock with the time.";
        NotYetValid "jarm_not_yet_valid":
            "The provider's clock or this server's is wrong.",
            "Compare this server's clock with the time.";
    },
    operation! {
        "Exchanging the code, and renewing tokens", TokenError, passed_on: [ClientAuth],
        WrongProvider "token_wrong_provider":
            "A mistake in the code that calls this crate.",
            "Report it.";
        Unavailable "token_endpoint_unavailable":
            "The provider is down, or wants to be left alone for a while.",
            "Try again in a moment; nobody who is signed in is affected.";
        TooLarge "token_response_too_large":
            "Something else than the token endpoint answers.",
            "See what is at the provider's `token_endpoint`.";
        Provider "token_provider_error":
            "`invalid_client`: id, secret or key is wrong. `invalid_grant`: the code or refresh token has run out, was used, or was withdrawn. \
             `redirect_uri_mismatch`: the address is not registered.",
            "The provider's own words are beside it in the log; compare the registration with the configuration.";
        UnexpectedStatus "token_unexpected_status":
            "Something else than the token endpoint answers, such as a proxy, or it has moved.",
            "See what is at the provider's `token_endpoint`.";
        NotJson "token_response_not_json":
            "A proxy or an error page answers in the provider's place.",
            "See what is at the provider's `token_endpoint`.";
        Malformed "token_response_malformed":
            "The provider answers with broken JSON.",
            "Tell the provider.";
        DuplicateParameter "token_response_parameter_repeated":
            "The provider answers with a broken form.",
            "Tell the provider.";
        MissingMember "token_response_member_missing":
            "The provider's answer lacks `access_token` or `token_type`.",
            "Tell the provider.";
        InvalidMember "token_response_member_invalid":
            "The provider's answer has a member that cannot be one.",
            "Tell the provider.";
        UnsupportedTokenType "token_type_unsupported":
            "The provider issues tokens that are neither `Bearer` nor `DPoP`.",
            "Have the provider issue bearer tokens to this client.";
        NotBound "token_type_not_bound":
            "`dpop = \"require\"`, and the provider ignored the key.",
            "Set `dpop = \"auto\"`, or have the provider turn it on for this client.";
        UnexpectedlyBound "token_type_unexpectedly_bound":
            "The provider demands DPoP of this client, and it is off here.",
            "Set `dpop = \"auto\"`.";
        MissingIdToken "token_id_token_missing":
            "The scope `openid` is not asked for or not granted.",
            "Put `openid` into `scopes`, or configure the provider as one of OAuth 2.0.";
    },
    operation! {
        "Verifying a token's signature", JwsError, passed_on: [],
        TooLarge "token_too_large":
            "The provider puts very many claims into its tokens, such as all groups of a user.",
            "Have the provider leave some out.";
        NotCompact "token_not_compact":
            "The provider sent something else than a signed token.",
            "Tell the provider.";
        Encrypted "token_encrypted":
            "The client is registered for encrypted tokens.",
            "Turn encryption off in the registration.";
        Malformed "token_malformed":
            "The token is broken, or names a member twice.",
            "Tell the provider.";
        MissingAlgorithm "token_algorithm_missing":
            "The token is broken.",
            "Tell the provider.";
        AlgorithmNone "token_algorithm_none":
            "The client is registered for unsigned tokens, or somebody forges one.",
            "Have the provider sign with RS256, PS256, ES256 or EdDSA.";
        SymmetricAlgorithm "token_algorithm_symmetric":
            "The client is registered for HS256, or somebody forges a token with the public key.",
            "Have the provider sign with RS256, PS256, ES256 or EdDSA.";
        UnsupportedAlgorithm "token_algorithm_unsupported":
            "The provider signs with something that is not known here.",
            "Have the provider sign with RS256, PS256, ES256 or EdDSA.";
        AlgorithmNotAllowed "token_algorithm_not_allowed":
            "The provider signs with another algorithm than its metadata or `id_token_algorithms` say.",
            "Put the provider's algorithm into `id_token_algorithms`.";
        CriticalHeader "token_critical_header":
            "The token demands an extension of its reader.",
            "Have the provider leave it out.";
        WrongTokenType "token_type_wrong":
            "A token of another kind is passed off as this one, such as a logout token as an ID token.",
            "If nobody attacks: tell the provider.";
        UnknownKeyId "token_key_unknown":
            "The provider has changed its keys less than half a minute after the last change, or somebody forges a token.",
            "Try again in a minute.";
        NoSuitableKey "token_key_not_found":
            "The provider publishes no key for the algorithm that it signs with.",
            "Tell the provider.";
        KeyMismatch "token_key_mismatch":
            "The token names a key that is for another algorithm.",
            "Tell the provider.";
        WeakKey "token_key_weak":
            "The provider signs with an RSA key of fewer than 2048 bits.",
            "Have the provider make a longer one.";
        InvalidSignature "token_signature_invalid":
            "Somebody forges a token, or the provider changed a key and kept its name.",
            "If it stays, tell the provider.";
        UnidentifiedKey "token_key_unidentified":
            "The provider has changed its keys, or somebody forges a token.",
            "Try again in a minute.";
    },
    operation! {
        "Validating the ID token", IdTokenError, passed_on: [Jws],
        MissingClaim "id_token_claim_missing":
            "The provider does not follow the specification, or the nonce was cut off.",
            "Tell the provider.";
        InvalidClaim "id_token_claim_invalid":
            "The provider does not follow the specification.",
            "Tell the provider.";
        LogoutToken "id_token_is_logout_token":
            "Somebody passes a logout token off as an ID token.",
            "Nothing was done. Tell whoever runs the provider.";
        IssuerMismatch "id_token_issuer_mismatch":
            "The provider writes its issuer differently in tokens than in its metadata, or it serves several tenants.",
            "Configure the tenant's own issuer, or the provider's preset.";
        AudienceMismatch "id_token_audience_mismatch":
            "The token was meant for another client.",
            "Compare `client_id` with the registration.";
        UntrustedAudience "id_token_audience_untrusted":
            "The token is meant for another client as well.",
            "Have the provider issue tokens for this client alone.";
        AuthorizedPartyMismatch "id_token_azp_mismatch":
            "The token was issued to another client, which passes it on.",
            "Compare `client_id` with the registration.";
        Expired "id_token_expired":
            "A clock is wrong, or an old token is sent once more.",
            "Compare this server's clock with the time.";
        IssuedInTheFuture "id_token_issued_in_the_future":
            "The provider's clock or this server's is wrong.",
            "Compare this server's clock with the time.";
        NotYetValid "id_token_not_yet_valid":
            "The provider's clock or this server's is wrong.",
            "Compare this server's clock with the time.";
        NonceMismatch "id_token_nonce_mismatch":
            "The code of another login was put into this one, which is an attack, or the provider mixes logins up.",
            "Start the sign-in again.";
        AccessTokenHashMismatch "id_token_at_hash_mismatch":
            "The access token was exchanged on the way.",
            "Start the sign-in again; if it stays, tell the provider.";
        AuthenticationTooOld "id_token_authentication_too_old":
            "The provider did not ask the person to sign in anew although `max_age` demands it.",
            "Ask with `prompt=login`, or tell the provider.";
        AcrMismatch "id_token_acr_mismatch":
            "The provider did not authenticate the person as strongly as `acr_values` demands.",
            "Enrol a second factor at the provider, or ask for what it can do.";
        RequiredClaim "id_token_required_claim":
            "The person belongs to another organisation than `required_claims` lets in.",
            "Sign in with the account of that organisation.";
    },
    operation! {
        "Describing the user", UserInfoError, passed_on: [Jws],
        Unavailable "userinfo_unavailable":
            "The provider is down, or wants to be left alone for a while.",
            "Try again in a moment.";
        Unauthorized "userinfo_unauthorized":
            "The access token lacks the scope for it.",
            "Add the scope that the provider's documentation names.";
        UnexpectedStatus "userinfo_unexpected_status":
            "The endpoint has moved, or a proxy answers.",
            "See what is at the provider's `userinfo_endpoint`.";
        TooLarge "userinfo_too_large":
            "The provider puts very many claims into the description, such as all groups of a user.",
            "Have the provider leave some out.";
        NotJson "userinfo_not_json":
            "A proxy or an error page answers in the provider's place.",
            "See what is at the provider's `userinfo_endpoint`.";
        NotSigned "userinfo_not_signed":
            "`signed_userinfo = \"require\"`, and the client is not registered for it.",
            "Register the client for signed answers, or set `signed_userinfo = \"allow\"`.";
        NoKeys "userinfo_keys_missing":
            "The provider signs the description and publishes no keys.",
            "Turn the signature off in the registration.";
        MissingClaim "userinfo_claim_missing":
            "The signed description lacks `iss` or `aud`.",
            "Tell the provider, or turn the signature off in the registration.";
        InvalidClaim "userinfo_claim_invalid":
            "The signed description is wrong, or a clock is.",
            "Tell the provider.";
        IssuerMismatch "userinfo_issuer_mismatch":
            "The signed description is from another issuer.",
            "Tell the provider.";
        AudienceMismatch "userinfo_audience_mismatch":
            "The signed description was meant for another client.",
            "Compare `client_id` with the registration.";
        Expired "userinfo_expired":
            "A clock is wrong, or an old description is sent once more.",
            "Compare this server's clock with the time.";
        Provider "userinfo_provider_error":
            "The provider refuses the access token, in words of its own.",
            "The provider's own words are beside it in the log.";
        Malformed "userinfo_malformed":
            "The provider answers with broken JSON, or names a member twice.",
            "Tell the provider.";
        MissingIdentifier "userinfo_identifier_missing":
            "The description has no `sub`, or not what `user.id` names.",
            "Set `user.id` to the member that identifies a user at this provider.";
        MissingExpectedSubject "userinfo_subject_unknown":
            "A mistake in the code that calls this crate.",
            "Report it.";
        SubjectMismatch "userinfo_subject_mismatch":
            "The access token belongs to somebody else than the ID token, which is an attack.",
            "Start the sign-in again.";
    },
    operation! {
        "Deciding who may in", Denied, passed_on: [],
        EmailNotVerified "access_email_not_verified":
            "`allow_emails` or `allow_domains` is set, and the provider does not say that it has verified an address of the person.",
            "Have the address verified there, or let in by something else.";
        Email "access_email":
            "The person's address is not among `allow_emails`, nor in one of `allow_domains`.",
            "Sign in with another account, or add the address.";
        Group "access_group":
            "The person is in none of `allow_groups`, or the provider says the groups under another name than `groups_claim`.",
            "Add the person to a group at the provider, or correct `groups_claim`.";
        Role "access_role":
            "The person has none of `allow_roles`, or the provider says the roles under another name than `roles_claim`.",
            "Give the person a role at the provider, or correct `roles_claim`.";
        Organization "access_organization":
            "The person is a member of none of `allow_organizations`, or the organisation has not approved this app.",
            "Invite the person, or have an owner of the organisation approve the app.";
        Team "access_team":
            "The person is in none of `allow_teams`, or the organisation has not approved this app.",
            "Add the person to a team, or have an owner of the organisation approve the app.";
        Claim "access_claim":
            "A claim that `allow_claims` names is missing, or has another value.",
            "Compare the claim with what the provider says of the person.";
        Incomplete "access_incomplete":
            "The provider left the list out of the token, as Entra does with more than 200 groups, did not open it to this app, or it is too long to keep.",
            "Have the provider say fewer of them, such as only the groups assigned to this app, or use roles.";
    },
    operation! {
        "Judging renewed tokens", RefreshError, passed_on: [Token, IdToken],
        SubjectChanged "refresh_subject_changed":
            "The provider mixes its users up, or somebody exchanged the tokens.",
            "Sign in again, and tell the provider.";
        AudienceChanged "refresh_audience_changed":
            "The client was registered anew during the session.",
            "Sign in again.";
    },
    operation! {
        "Exchanging a token", TokenExchangeError, passed_on: [Token],
        MissingIssuedTokenType "exchange_issued_token_type_missing":
            "The provider answers as to another request: it does not know RFC 8693.",
            "Set `token_exchange = false`, or turn token exchange on at the provider.";
        UnexpectedIssuedTokenType "exchange_issued_token_type_unexpected":
            "The provider is set up to exchange for something else, such as an ID token or a SAML assertion.",
            "Have the provider issue access tokens to this client for this audience.";
        ScopeExceeded "exchange_scope_exceeded":
            "The provider gives fixed scopes for this audience, whatever is asked for.",
            "Name them in `scopes` of the upstream, or leave `scopes` out.";
    },
    operation! {
        "Taking tokens back", RevocationError, passed_on: [ClientAuth],
        Status "revocation_unexpected_status":
            "The provider does not take this kind of token back, or the client may not.",
            "The person is signed out here all the same; the token ends by itself.";
    },
    operation! {
        "Judging a logout token", LogoutTokenError, passed_on: [Jws],
        MissingClaim "logout_token_claim_missing":
            "The provider follows an old draft of the specification.",
            "Tell the provider.";
        InvalidClaim "logout_token_claim_invalid":
            "The provider does not follow the specification.",
            "Tell the provider.";
        IssuerMismatch "logout_token_issuer_mismatch":
            "The token was posted to the address of another provider.",
            "Compare the back-channel logout address in the provider's registration.";
        AudienceMismatch "logout_token_audience_mismatch":
            "The token was meant for another client.",
            "Compare the back-channel logout address in the registrations of both.";
        UntrustedAudience "logout_token_audience_untrusted":
            "The token is meant for another client as well.",
            "Have the provider issue tokens for this client alone.";
        Expired "logout_token_expired":
            "The provider posts late, a clock is wrong, or an old token is posted once more.",
            "Compare this server's clock with the time.";
        IssuedInTheFuture "logout_token_issued_in_the_future":
            "The provider's clock or this server's is wrong.",
            "Compare this server's clock with the time.";
        MissingSubjectAndSession "logout_token_without_subject":
            "The provider does not follow the specification.",
            "Tell the provider.";
        MissingEvent "logout_token_without_event":
            "Some other token is posted as a logout token.",
            "Nothing was done.";
        NoncePresent "logout_token_with_nonce":
            "Somebody posts an ID token as a logout token.",
            "Nothing was done.";
    },
];
