//! The documents that are made from the declarations: `docs/configuration.md`, `oauth2flow.example.toml` and the listing
//! of `--settings`.

use super::schema::{SECTIONS, Section, file_key, variable};
use super::setting::Fallback;
use std::fmt::Write as _;

const INTRODUCTION: &str = r#"# Configuration

<!-- Made from the declarations in server/src/config; `UPDATE_DOCS=1 cargo test -p oauth2flow --test configuration_documents` writes it anew. -->

Without any configuration the server listens on `http://localhost:3000` and offers a demo provider. Settings come from four
sources; a later one goes over an earlier one:

1. the defaults below;
2. a file: `oauth2flow.toml` in the working directory if there is one, or the file that `--config FILE` or the variable
   `OAUTH2FLOW_CONFIG` names, which must exist;
3. the environment: `OAUTH2FLOW_` and the key in capitals, with dots and hyphens as underscores, so that `server.listen` is
   `OAUTH2FLOW_SERVER_LISTEN` (an empty variable counts as not set);
4. flags: `--listen`, `--public-url`, `--render`, `--site-dir`, `--data-dir`, and for everything else `--set key=value`.

Everything that is wrong is reported at once, with where it stands and what to write instead, and the server does not start
(exit code 2). Settings that do not exist are problems too: a mistyped key must not be ignored. `oauth2flow --settings` lists
all of them.

**Durations** have a unit: `90s`, `30m`, `8h`, `1h30m`. **Lists** can also be text with spaces or commas between the items, and
**tables of texts** a query (`prompt=consent&access_type=offline`), which is how a variable writes them.

## Secrets

Wherever `client_secret` can stand, `client_secret_file` can stand instead and name a file that holds the secret and nothing else
(a line break at its end is dropped); `private_key`, `client_certificate`, `client_certificate_key` and `session.key` have such files
in the same way. To set both is a problem. A file that other accounts of the machine can read gives a warning at start. Secrets are
not taken from the command line, where everybody on the machine could read them, and no message and no log shows them.

## Examples

**GitHub**, with nothing but the environment:

```sh
GITHUB_CLIENT_ID=… GITHUB_CLIENT_SECRET_FILE=github.secret oauth2flow
```

**GitHub Enterprise Server**:

```toml
[providers.work]
preset = "github"
name = "GitHub at work"
web_url = "https://github.example.com"
client_id = "…"
client_secret_file = "work.secret"
```

**A known provider** needs a table of its name, and what its page in [docs/providers](providers/README.md) says:

```toml
[providers.google]
client_id = "…"
client_secret_file = "example.secret"
```

**Any OpenID provider** needs its issuer; everything else is discovered:

```toml
[providers.example]
issuer = "https://accounts.example.com"
client_id = "…"
client_secret_file = "example.secret"
scopes = ["openid", "profile", "email"]
```

The same from the environment: `OAUTH2FLOW_PROVIDERS_EXAMPLE_ISSUER`, `OAUTH2FLOW_PROVIDERS_EXAMPLE_CLIENT_ID` and
`OAUTH2FLOW_PROVIDERS_EXAMPLE_CLIENT_SECRET_FILE`.

**Any OAuth 2.0 provider** needs its endpoints, and where in its data a user's properties are:

```toml
[providers.example]
preset = "oauth"
client_id = "…"
client_secret_file = "example.secret"
authorization_url = "https://login.example.com/authorize"
token_url = "https://login.example.com/token"
userinfo_url = "https://api.example.com/me"
scopes = ["profile"]
user.id = "data.id"
user.name = "data.display_name"
```

**An API of your own** behind the proxy, for the users of one of the providers. The app calls `/api/v1/proxy/orders/…`, and the
server adds the user's access token:

```toml
[upstreams.orders]
url = "https://orders.example.com/api"
methods = ["GET", "POST"]
providers = ["example"]
```

**On the internet**, behind a proxy that speaks TLS:

```toml
[server]
listen = "127.0.0.1:3000"
public_url = "https://app.example.com"
render = "ssr"

[log]
format = "json"
```

A loopback address needs no `public_url`, anything else does: the address that you register at the provider is `public_url` with
`/callback` behind it, and it must not depend on what a request claims.
"#;

/// The text of `docs/configuration.md`.
pub fn reference() -> String {
    let mut text = INTRODUCTION.to_owned();
    for section in SECTIONS {
        let _ = write!(text, "\n## `[{}]`\n\n{}\n\n", table(section), section.doc);
        text.push_str("| Key | Value | Default | What it is for |\n|---|---|---|---|\n");
        for setting in section.settings {
            let default = match setting.fallback() {
                Fallback::Required => "required".to_owned(),
                Fallback::Nothing => "none".to_owned(),
                Fallback::Text(default) => format!("`{}`", setting.toml(default)),
                Fallback::Words(words) => words.to_owned(),
            };
            let mut doc = setting.doc().to_owned();
            if setting.secrecy().has_file() {
                let _ = write!(doc, " Or `{}`, the file that holds it.", file_key(setting.key()));
            }
            if !setting.example().is_empty() && setting.secrecy().is_public() {
                let _ = write!(doc, " Example: `{}`", setting.toml(setting.example()));
            }
            let _ = writeln!(text, "| `{}` | {} | {default} | {doc} |", setting.key(), setting.kind());
        }
        if let Some(setting) = section.settings.first() {
            let key = full_key(section, setting.key());
            let _ = write!(text, "\nAs a variable: `{key}` is `{}`.\n", variable(&key));
        }
    }
    text
}

/// The text of `oauth2flow.example.toml`: every setting, commented out.
pub fn example_file() -> String {
    let mut text = "\
# Copy this file to oauth2flow.toml and take the # away where you want something else than the default.
# Every setting is explained in docs/configuration.md.
"
    .to_owned();
    for section in SECTIONS {
        // The header of a table for one thing is commented too: an empty one would lack what is required.
        let header = section.element.map_or_else(|| format!("[{}]", section.name), |element| format!("# [{}.{element}]", section.name));
        text.push('\n');
        paragraph(&mut text, section.doc);
        let _ = writeln!(text, "{header}");
        for setting in section.settings {
            text.push_str("#\n");
            paragraph(&mut text, setting.doc());
            let value = match setting.fallback() {
                Fallback::Text(default) => default,
                _ => setting.example(),
            };
            let _ = writeln!(text, "# {} = {}", setting.key(), setting.toml(value));
            if setting.secrecy().has_file() {
                let _ = writeln!(text, "# {} = \"example.secret\"", file_key(setting.key()));
            }
        }
    }
    text
}

/// What `--settings` prints: key, variable and default of every setting.
pub fn listing() -> String {
    let mut text = String::new();
    for section in SECTIONS {
        let _ = writeln!(text, "[{}]", table(section));
        for setting in section.settings {
            let default = match setting.fallback() {
                Fallback::Required => "required".to_owned(),
                Fallback::Nothing => "no default".to_owned(),
                Fallback::Text(default) => setting.toml(default),
                Fallback::Words(words) => words.replace('`', ""),
            };
            let file = if setting.secrecy().has_file() { format!(" or {}", file_key(setting.key())) } else { String::new() };
            let kind = setting.kind().replace('`', "");
            let variable = variable(&full_key(section, setting.key()));
            let _ = writeln!(text, "  {}{file}\n      {variable}\n      {kind}; {default}", setting.key());
        }
        text.push('\n');
    }
    text
}

/// The key of the section's table.
fn table(section: &Section) -> String {
    match section.element {
        Some(_) if section.name == "providers" => format!("{}.<id>", section.name),
        Some(_) => format!("{}.<name>", section.name),
        None => section.name.to_owned(),
    }
}

fn full_key(section: &Section, key: &str) -> String {
    match section.element {
        Some(element) => format!("{}.{element}.{key}", section.name),
        None => format!("{}.{key}", section.name),
    }
}

/// The words as lines of a comment.
fn paragraph(text: &mut String, words: &str) {
    let mut width = 0;
    for word in words.split_whitespace() {
        if width == 0 || width + 1 + word.len() > 110 {
            if width != 0 {
                text.push('\n');
            }
            text.push('#');
            width = 1;
        }
        text.push(' ');
        text.push_str(word);
        width += 1 + word.len();
    }
    text.push('\n');
}
