//! What the client shows the provider to prove who it is.

use super::{
    choices::{ClientAuth, Preset},
    settings::{
        CLIENT_AUTH, CLIENT_CERTIFICATE, CLIENT_CERTIFICATE_KEY, CLIENT_SECRET, KEY_ID, PRIVATE_KEY, REQUEST_OBJECT, SIGNING_ALGORITHM,
        TEAM_ID,
    },
};
use crate::config::{reader::Reader, setting::Setting, value::Pem};
use oauth2flow_protocol::{SigningAlgorithm, signing_key::SigningKey};
use secrecy::{ExposeSecret as _, SecretString};

/// What the client shows the provider to prove who it is. Its `Debug` shows no secret.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// The client secret; present exactly when the way to authenticate uses one.
    pub client_secret: Option<SecretString>,
    /// How the client authenticates, if it is set.
    pub client_auth: Option<ClientAuth>,
    /// What signs client assertions, request objects and Apple's secret.
    pub signing_key: Option<SigningKey>,
    /// The developer team; present exactly with [`Preset::Apple`].
    pub team_id: Option<String>,
    /// The certificate for mutual TLS ([RFC 8705](https://www.rfc-editor.org/rfc/rfc8705)).
    pub client_certificate: Option<ClientCertificate>,
}

/// A certificate with its key.
#[derive(Clone, Debug)]
pub struct ClientCertificate {
    /// The certificate and those that issued it, in PEM.
    pub chain: String,
    /// The private key, in PEM.
    pub key: SecretString,
}

impl Credentials {
    /// Reads them. Without a preset nothing can be said about what belongs to it.
    pub(super) fn read(reader: &mut Reader<'_>, preset: Option<Preset>, request_object: bool) -> Self {
        let client_secret = reader.secret(&CLIENT_SECRET);
        let client_auth = reader.optional(&CLIENT_AUTH);
        let signing_key = signing_key(reader, preset);
        let team_id = reader.optional(&TEAM_ID).and_then(|team_id| checked_team(reader, team_id));
        let client_certificate = read_client_certificate(reader, &CLIENT_CERTIFICATE, &CLIENT_CERTIFICATE_KEY);
        if let Some(preset) = preset {
            if preset == Preset::Apple {
                validate_apple(reader);
            } else {
                validate_secret(reader, preset, client_auth);
                validate_key(reader, client_auth, request_object);
            }
            validate_certificate(reader, client_auth);
        }
        Self { client_secret, client_auth, signing_key, team_id, client_certificate }
    }
}

fn signing_key(reader: &mut Reader<'_>, preset: Option<Preset>) -> Option<SigningKey> {
    let pem = reader.secret(&PRIVATE_KEY);
    let key_id = reader.optional(&KEY_ID);
    let algorithm = reader.optional(&SIGNING_ALGORITHM);
    if !reader.is_set(&PRIVATE_KEY) {
        if reader.is_set(&KEY_ID) {
            reader.problem(&KEY_ID, "It means nothing without private_key.", "Set private_key, or remove it.");
        }
        if reader.is_set(&SIGNING_ALGORITHM) {
            reader.problem(&SIGNING_ALGORITHM, "It means nothing without private_key.", "Set private_key, or remove it.");
        }
    }
    let algorithm = if preset == Some(Preset::Apple) { Some(SigningAlgorithm::Es256) } else { algorithm };
    match SigningKey::from_pem(pem?.expose_secret(), algorithm, key_id) {
        Ok(key) => Some(key),
        Err(error) => {
            // The error's own words, which hold nothing of the key.
            let fix = if preset == Some(Preset::Apple) {
                "Write the .p8 file that Apple gave you, as it is."
            } else {
                "Write an RSA (2048 bits or more), P-256, P-384 or Ed25519 key in PEM without a passphrase, and an algorithm that fits it."
            };
            reader.problem(&PRIVATE_KEY, format!("It cannot be used: {error}."), fix);
            None
        }
    }
}

/// Reads a certificate and its key; `None` when one of them is missing or cannot be read.
pub(in crate::config) fn read_client_certificate(
    reader: &mut Reader<'_>,
    certificate: &Setting<Pem>,
    key: &Setting<SecretString>,
) -> Option<ClientCertificate> {
    let chain = reader.value_or_file(certificate);
    let private_key = reader.secret(key);
    if chain.as_ref().is_some_and(|Pem(chain)| !chain.contains("-----BEGIN CERTIFICATE-----")) {
        reader.problem(certificate, "There is no certificate in it.", "Write it with its line -----BEGIN CERTIFICATE-----.");
    }
    if private_key.as_ref().is_some_and(|key| !key.expose_secret().contains("PRIVATE KEY-----")) {
        reader.problem(key, "There is no private key in it.", "Write it with its line -----BEGIN PRIVATE KEY-----.");
    }
    Some(ClientCertificate { chain: chain?.0, key: private_key? })
}

fn checked_team(reader: &mut Reader<'_>, team_id: String) -> Option<String> {
    let fits = team_id.len() == 10 && team_id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if !fits {
        reader.problem(&TEAM_ID, format!("“{team_id}” is not a team id."), "Copy the ten characters from Apple's Membership details.");
    }
    fits.then_some(team_id)
}

/// Apple has one way, and it needs all of this.
fn validate_apple(reader: &mut Reader<'_>) {
    if reader.is_set(&CLIENT_SECRET) {
        let fix = "Remove it; write team_id, key_id and private_key instead.";
        reader.problem(&CLIENT_SECRET, "Apple gives none: the secret is made anew from private_key whenever it is needed.", fix);
    }
    if reader.is_set(&CLIENT_AUTH) {
        reader.problem(&CLIENT_AUTH, "Apple knows one way only, and the preset uses it.", "Remove it.");
    }
    if reader.is_set(&SIGNING_ALGORITHM) {
        reader.problem(&SIGNING_ALGORITHM, "Apple knows ES256 only.", "Remove it.");
    }
    if !reader.is_set(&TEAM_ID) {
        reader.missing(&TEAM_ID, "It is required with the preset apple.");
    }
    if !reader.is_set(&KEY_ID) {
        reader.missing(&KEY_ID, "It is required with the preset apple.");
    }
    if !reader.is_set(&PRIVATE_KEY) {
        reader.missing(&PRIVATE_KEY, "It is required with the preset apple.");
    }
}

fn validate_secret(reader: &mut Reader<'_>, preset: Preset, client_auth: Option<ClientAuth>) {
    let has_secret = reader.is_set(&CLIENT_SECRET);
    match client_auth {
        Some(method) if !method.uses_secret() && has_secret => {
            let problem = format!("It is set, and client_auth is \"{}\".", method.as_str());
            reader.problem(&CLIENT_SECRET, problem, "Remove one of the two.");
        }
        Some(ClientAuth::None) if preset.has_hosts() => {
            let problem = format!("{} exchanges no code without a secret.", preset.data().name);
            reader.problem(&CLIENT_AUTH, problem, "Remove it, and set client_secret.");
        }
        Some(method) if !method.uses_secret() => {}
        // One that cannot be read is a problem already, and says nothing about the secret.
        None if reader.is_set(&CLIENT_AUTH) => {}
        Some(_) | None if !has_secret => {
            reader.missing(&CLIENT_SECRET, "It is required, unless client_auth is \"none\" or another that needs no secret.");
        }
        Some(_) | None => {}
    }
}

fn validate_key(reader: &mut Reader<'_>, client_auth: Option<ClientAuth>, request_object: bool) {
    let has_key = reader.is_set(&PRIVATE_KEY);
    let signs = client_auth == Some(ClientAuth::PrivateKeyJwt);
    if has_key && !signs && !request_object && (client_auth.is_some() || !reader.is_set(&CLIENT_AUTH)) {
        let fix = "Set client_auth = \"private_key_jwt\" or request_object = true, or remove it.";
        reader.problem(&PRIVATE_KEY, "Nothing is signed with it.", fix);
    }
    if !has_key && signs {
        reader.missing(&PRIVATE_KEY, "It is required, because client_auth is \"private_key_jwt\".");
    } else if !has_key && request_object {
        reader.problem(&REQUEST_OBJECT, "Request objects are signed, and there is no private_key.", "Set private_key, or remove it.");
    }
}

fn validate_certificate(reader: &mut Reader<'_>, client_auth: Option<ClientAuth>) {
    let because = match client_auth {
        Some(method) if method.uses_certificate() => format!("client_auth is \"{}\"", method.as_str()),
        _ if reader.is_set(&CLIENT_CERTIFICATE) => "client_certificate is set".to_owned(),
        _ if reader.is_set(&CLIENT_CERTIFICATE_KEY) => "client_certificate_key is set".to_owned(),
        _ => return,
    };
    if !reader.is_set(&CLIENT_CERTIFICATE) {
        reader.missing(&CLIENT_CERTIFICATE, format!("It is required, because {because}."));
    }
    if !reader.is_set(&CLIENT_CERTIFICATE_KEY) {
        reader.missing(&CLIENT_CERTIFICATE_KEY, format!("It is required, because {because}."));
    }
}
