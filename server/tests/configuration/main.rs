//! The configuration, from its sources to the checked result.

#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on should end there")]

mod access;
mod credentials;
mod known_providers;
mod limits;
mod outbound;
mod private_key;
mod provider_pages;
mod request;
mod stores;
mod upstream;

use oauth2flow::config::{
    Arguments, ClientAuth, Config, ConfigProblem, ConfigProblems, IssPolicy, LogFormat, Preset, Render, ScopeSeparator, Source,
};
use secrecy::ExposeSecret as _;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

/// A working directory, an environment and a command line.
struct Setup {
    directory: TempDir,
    environment: Vec<(String, String)>,
    arguments: Arguments,
}

impl Setup {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), environment: Vec::new(), arguments: Arguments::default() }
    }

    /// With an `oauth2flow.toml` in the working directory.
    fn with_file(text: &str) -> Self {
        Self::new().file("oauth2flow.toml", text)
    }

    fn file(self, name: &str, text: &str) -> Self {
        std::fs::write(self.directory.path().join(name), text).unwrap();
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    fn set(mut self, argument: &str) -> Self {
        self.arguments.set.push(argument.to_owned());
        self
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn load(&self) -> Result<Config, ConfigProblems> {
        Config::load(&self.arguments, self.environment.iter().cloned(), self.path())
    }

    fn problems(&self) -> Vec<ConfigProblem> {
        self.load().expect_err("there should be problems").iter().cloned().collect()
    }

    /// The only problem.
    fn problem(&self) -> ConfigProblem {
        let problems = self.problems();
        assert_eq!(problems.len(), 1, "{problems:#?}");
        problems[0].clone()
    }
}

fn line(number: usize) -> Source {
    Source::File { path: "oauth2flow.toml".to_owned(), line: number }
}

const GITHUB: &str = "[providers.github]\nclient_id = \"from-file\"\nclient_secret = \"hunter2\"\n";

mod defaults {
    use super::*;

    #[test]
    fn nothing_configured_is_the_demo_on_localhost() {
        let setup = Setup::new();
        let config = setup.load().unwrap();
        assert_eq!(config.server.listen.to_string(), "127.0.0.1:3000");
        assert_eq!(config.server.public_url.origin(), "http://localhost:3000");
        assert_eq!(config.server.render, Render::Spa);
        assert_eq!(config.server.site_dir, None);
        assert!(config.server.avatar_hosts.is_empty());
        assert_eq!(config.server.data_dir, setup.path().join("data"));
        assert_eq!(config.session.database, setup.path().join("data/sessions.sqlite"));
        assert_eq!(config.session.key_file, setup.path().join("data/session.key"));
        assert!(config.session.key.is_none());
        assert_eq!(config.session.idle, Duration::from_mins(30));
        assert_eq!(config.session.absolute, Duration::from_hours(8));
        assert!(config.providers.is_empty() && config.upstreams.is_empty());
        assert!(config.demo.enabled);
        assert_eq!(config.demo.listen.to_string(), "127.0.0.1:4000");
        assert_eq!(config.demo.access_token_lifetime, Duration::from_mins(5));
        assert_eq!((config.log.format, config.log.filter.as_str()), (LogFormat::Text, "info"));
        assert!(config.warnings.is_empty());
    }

    #[test]
    fn the_demo_gives_way_to_a_provider() {
        let config = Setup::with_file(GITHUB).load().unwrap();
        assert!(!config.demo.enabled);
    }

    #[test]
    fn the_demo_can_stand_beside_a_provider() {
        let config = Setup::with_file(GITHUB).set("demo.enabled=true").load().unwrap();
        assert!(config.demo.enabled);
        assert_eq!(config.providers.len(), 1);
    }

    #[test]
    fn what_is_kept_follows_the_data_directory() {
        let setup = Setup::new().set("server.data_dir=state");
        let config = setup.load().unwrap();
        assert_eq!(config.session.database, setup.path().join("state/sessions.sqlite"));
        assert_eq!(config.session.key_file, setup.path().join("state/session.key"));
    }

    #[test]
    fn an_absolute_path_stays() {
        let config = Setup::new().set("session.database=/var/lib/oauth2flow/sessions.sqlite").load().unwrap();
        assert_eq!(config.session.database, Path::new("/var/lib/oauth2flow/sessions.sqlite"));
    }
}

mod precedence {
    use super::*;

    #[test]
    fn the_environment_goes_over_the_file_and_flags_go_over_both() {
        let mut setup = Setup::with_file("[server]\nlisten = \"127.0.0.1:3001\"\nrender = \"ssr\"\n[session]\nidle = \"10m\"\n");
        let config = setup.load().unwrap();
        assert_eq!((config.server.listen.port(), config.server.render), (3001, Render::Ssr));

        setup = setup.variable("OAUTH2FLOW_SERVER_LISTEN", "127.0.0.1:3002").variable("OAUTH2FLOW_SESSION_IDLE", "20m");
        let config = setup.load().unwrap();
        assert_eq!((config.server.listen.port(), config.session.idle), (3002, Duration::from_mins(20)));
        assert_eq!(config.server.render, Render::Ssr, "what the environment leaves out stays");

        setup.arguments.listen = Some("127.0.0.1:3003".to_owned());
        let config = setup.set("session.idle=25m").load().unwrap();
        assert_eq!((config.server.listen.port(), config.session.idle), (3003, Duration::from_mins(25)));
        assert_eq!(config.server.public_url.origin(), "http://localhost:3003");
    }

    #[test]
    fn every_flag_sets_its_setting() {
        let mut setup = Setup::new();
        setup.arguments = Arguments {
            listen: Some("127.0.0.1:8080".to_owned()),
            public_url: Some("https://app.example.com".to_owned()),
            render: Some("ssr".to_owned()),
            site_dir: Some("site".to_owned()),
            data_dir: Some("state".to_owned()),
            ..Arguments::default()
        };
        let setup = setup.variable("GITHUB_CLIENT_ID", "id").variable("GITHUB_CLIENT_SECRET", "secret");
        let server = setup.load().unwrap().server;
        assert_eq!(server.listen.port(), 8080);
        assert_eq!(server.public_url.origin(), "https://app.example.com");
        assert_eq!(server.render, Render::Ssr);
        assert_eq!(server.site_dir, Some(setup.path().join("site")));
        assert_eq!(server.data_dir, setup.path().join("state"));
    }

    #[test]
    fn a_named_file_takes_the_place_of_the_default_one() {
        let mut setup = Setup::with_file("[log]\nformat = \"json\"\n").file("other.toml", "[log]\nfilter = \"debug\"\n");
        setup.arguments.config = Some("other.toml".into());
        let log = setup.load().unwrap().log;
        assert_eq!((log.format, log.filter.as_str()), (LogFormat::Text, "debug"));
    }

    #[test]
    fn the_variable_names_a_file_and_the_flag_goes_over_it() {
        let mut setup = Setup::new()
            .file("variable.toml", "[log]\nfilter = \"warn\"\n")
            .file("flag.toml", "[log]\nfilter = \"debug\"\n")
            .variable("OAUTH2FLOW_CONFIG", "variable.toml");
        assert_eq!(setup.load().unwrap().log.filter, "warn");
        setup.arguments.config = Some("flag.toml".into());
        assert_eq!(setup.load().unwrap().log.filter, "debug");
    }

    #[test]
    fn a_named_file_must_exist() {
        let mut setup = Setup::new();
        setup.arguments.config = Some("absent.toml".into());
        let problem = setup.problem();
        assert_eq!(problem.key, "absent.toml");
        assert_eq!(problem.source, Some(Source::Flag("--config".to_owned())));
        assert_eq!(Setup::new().variable("OAUTH2FLOW_CONFIG", "absent.toml").problem().key, "absent.toml");
    }

    #[test]
    fn an_empty_variable_counts_as_not_set() {
        let config = Setup::with_file("[log]\nfilter = \"warn\"\n")
            .variable("OAUTH2FLOW_LOG_FILTER", "")
            .variable("GITHUB_CLIENT_ID", "")
            .variable("OAUTH2FLOW_PROVIDERS_EXAMPLE_CLIENT_ID", "")
            .load()
            .unwrap();
        assert_eq!(config.log.filter, "warn");
        assert!(config.providers.is_empty());
    }

    #[test]
    fn foreign_variables_are_left_alone() {
        assert!(Setup::new().variable("PATH", "/bin").variable("SERVER_LISTEN", "nonsense").load().is_ok());
    }
}

mod problems {
    use super::*;

    #[test]
    fn all_of_them_are_told_at_once() {
        let setup = Setup::with_file(
            "[server]\nlisten = \"localhost\"\nrender = \"static\"\nlisen = \"127.0.0.1:1\"\n\
             [session]\nidle = 30\nabsolute = \"soon\"\n\
             [providers.example]\nissuer = \"http://accounts.example.com\"\n\
             [upstreams.orders]\nurl = \"ftp://orders.example.com\"\nmethods = [\"get\"]\n\
             [telemetry]\n",
        )
        .variable("OAUTH2FLOW_LOG_FORMAT", "xml")
        .set("log.filter=a=b=c")
        .set("nonsense");
        let keys: Vec<_> = setup.problems().into_iter().map(|problem| problem.key).collect();
        assert_eq!(
            keys,
            [
                "telemetry",
                "--set",
                "server.lisen",
                "server.listen",
                "server.render",
                "session.idle",
                "session.absolute",
                "providers.example.client_id",
                "providers.example.client_secret",
                "providers.example.issuer",
                "upstreams.orders.url",
                "upstreams.orders.methods",
                "log.format",
                "log.filter",
            ]
        );
    }

    #[test]
    fn each_has_a_key_a_place_a_reason_and_a_way_out() {
        let problem = Setup::with_file("\n[session]\nidle = 30\n").problem();
        assert_eq!(problem.key, "session.idle");
        assert_eq!(problem.source, Some(line(3)));
        assert_eq!(problem.problem, "It is a number without a unit.");
        assert!(problem.fix.contains("\"30m\""), "{}", problem.fix);

        let problem = Setup::new().variable("OAUTH2FLOW_SESSION_IDLE", "30").problem();
        assert_eq!(problem.source, Some(Source::Environment("OAUTH2FLOW_SESSION_IDLE".to_owned())));
        let problem = Setup::new().set("session.idle=30").problem();
        assert_eq!(problem.source, Some(Source::Flag("--set session.idle".to_owned())));
    }

    #[test]
    fn people_read_a_numbered_list() {
        let problems = Setup::with_file("[server]\nrender = \"static\"\n[log]\nformat = true\n").load().unwrap_err();
        assert_eq!(
            problems.to_string(),
            "The configuration has 2 problems:\n\
             \n\
             1. server.render (oauth2flow.toml:2)\n   “static” is not one of its values.\n   → Write spa or ssr.\n\
             \n\
             2. log.format (oauth2flow.toml:4)\n   It is true or false, and should be text.\n   → Put the value in quotes."
        );
    }

    #[test]
    fn a_file_that_is_no_toml_is_the_only_problem_with_its_settings() {
        let problem = Setup::with_file("[server]\nlisten = 127.0.0.1:3000:\n").problems().remove(0);
        assert_eq!((problem.key.as_str(), problem.source), ("oauth2flow.toml", Some(line(2))));
        let keys: Vec<_> =
            Setup::with_file("= =\n").set("server.listen=0.0.0.0:80").problems().into_iter().map(|problem| problem.key).collect();
        assert!(keys.iter().all(|key| key == "oauth2flow.toml"), "{keys:?}");
    }

    #[test]
    fn an_overridden_value_is_not_judged() {
        let config = Setup::with_file("[log]\nformat = \"xml\"\n").variable("OAUTH2FLOW_LOG_FORMAT", "json").load().unwrap();
        assert_eq!(config.log.format, LogFormat::Json);
    }

    #[test]
    fn settings_that_do_not_go_together_are_told() {
        let problem = Setup::with_file("[session]\nidle = \"9h\"\n").problem();
        assert_eq!(problem.problem, "9h is longer than a session lives at most, session.absolute = 8h.");
        assert_eq!(Setup::with_file("[session]\nidle = \"0s\"\n").problem().key, "session.idle");
        let problem = Setup::with_file("[demo]\nlisten = \"127.0.0.1:3000\"\n").problem();
        assert_eq!(problem.key, "demo.listen");
    }
}

mod unknown_keys {
    use super::*;

    #[test]
    fn a_mistyped_key_is_told_with_what_was_probably_meant() {
        let problem = Setup::with_file("[server]\nlisen = \"127.0.0.1:3000\"\n").problem();
        assert_eq!((problem.key.as_str(), problem.source), ("server.lisen", Some(line(2))));
        assert_eq!(problem.fix, "Did you mean server.listen? Otherwise remove it.");
    }

    #[test]
    fn a_key_in_the_wrong_section_is_led_to_its_own() {
        let problem = Setup::with_file("[server]\nabsolute = \"8h\"\n").problem();
        assert_eq!(problem.fix, "Did you mean session.absolute? Otherwise remove it.");
        let problem = Setup::with_file("public_url = \"http://localhost:3000\"\n").problem();
        assert_eq!(problem.fix, "Did you mean server.public_url? Otherwise remove it.");
    }

    #[test]
    fn mistyped_sections_and_names_are_told() {
        let problem = Setup::with_file("[sesion]\nidle = \"1h\"\n").problem();
        assert_eq!(problem.fix, "Did you mean [session]? Otherwise remove it.");
        let problem = Setup::with_file("[providers.\"My Login\"]\nclient_id = \"a\"\n").problem();
        assert_eq!(problem.key, "providers.My Login");
        assert_eq!(Setup::with_file("server = 3000\n").problem().problem, "It should be a table.");
        assert_eq!(Setup::with_file("[providers]\nclient_id = \"a\"\n").problem().key, "providers.client_id");
    }

    #[test]
    fn keys_below_user_are_looked_at_too() {
        let text = format!(
            "{GITHUB}[providers.other]\nissuer = \"https://a.example\"\nclient_id = \"a\"\nclient_auth = \"none\"\nuser.nam = \"n\"\n"
        );
        assert_eq!(Setup::with_file(&text).problem().fix, "Did you mean providers.other.user.name? Otherwise remove it.");
    }

    #[test]
    fn a_mistyped_variable_is_told() {
        let problem = Setup::new().variable("OAUTH2FLOW_SERVER_LISEN", "127.0.0.1:3000").problem();
        assert_eq!(problem.key, "OAUTH2FLOW_SERVER_LISEN");
        assert_eq!(problem.fix, "Did you mean OAUTH2FLOW_SERVER_LISTEN? Otherwise unset it.");
        let problem = Setup::with_file(GITHUB).variable("OAUTH2FLOW_PROVIDERS_GITHUB_CLIENTID", "a").problem();
        assert_eq!(problem.fix, "Did you mean OAUTH2FLOW_PROVIDERS_GITHUB_CLIENT_ID? Otherwise unset it.");
        assert_eq!(Setup::new().variable("OAUTH2FLOW_CONFG", "a").problem().fix, "Did you mean OAUTH2FLOW_CONFIG? Otherwise unset it.");
    }

    #[test]
    fn a_mistyped_flag_is_told() {
        let problem = Setup::new().set("session.iddle=1h").problem();
        assert_eq!(problem.fix, "Did you mean session.idle? Otherwise leave it out.");
        let problem = Setup::with_file(GITHUB).set("providers.github.scope=a").problem();
        assert_eq!(problem.fix, "Did you mean providers.github.scopes? Otherwise leave it out.");
    }
}

mod secrets {
    use super::*;

    const FROM_FILE: &str = "[providers.github]\nclient_id = \"a\"\nclient_secret_file = \"github.secret\"\n";

    #[cfg(unix)]
    fn close(setup: &Setup, name: &str, mode: u32) {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(setup.path().join(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn secret(config: &Config) -> &str {
        config.providers[0].credentials.client_secret.as_ref().unwrap().expose_secret()
    }

    #[test]
    fn a_secret_can_stand_in_a_file_and_its_last_line_break_is_dropped() {
        let setup = Setup::with_file(FROM_FILE).file("github.secret", " hunter2 \r\n");
        assert_eq!(secret(&setup.load().unwrap()), " hunter2 ");
        let setup = Setup::new()
            .file("github.secret", "hunter3")
            .variable("GITHUB_CLIENT_ID", "a")
            .variable("GITHUB_CLIENT_SECRET_FILE", "github.secret");
        assert_eq!(secret(&setup.load().unwrap()), "hunter3");
    }

    #[test]
    fn a_file_that_is_missing_empty_or_no_text_is_a_problem() {
        let setup = Setup::with_file(FROM_FILE);
        let problem = setup.problem();
        assert_eq!((problem.key.as_str(), problem.source), ("providers.github.client_secret_file", Some(line(3))));
        let setup = setup.file("github.secret", "\n\n");
        assert!(setup.problem().problem.ends_with("github.secret is empty."));
        std::fs::write(setup.path().join("github.secret"), [0xff, 0xfe]).unwrap();
        assert!(setup.problem().problem.contains("cannot be read"));
        std::fs::write(setup.path().join("github.secret"), vec![b'a'; 64 * 1024 + 1]).unwrap();
        assert!(setup.problem().problem.contains("longer than any secret"));
    }

    #[test]
    fn both_the_secret_and_its_file_are_one_too_many() {
        let setup = Setup::with_file(FROM_FILE).file("github.secret", "hunter2").variable("GITHUB_CLIENT_SECRET", "hunter3");
        let problem = setup.problem();
        assert_eq!(problem.problem, "It is set, and so is client_secret_file (oauth2flow.toml:3).");
        assert_eq!(problem.source, Some(Source::Environment("GITHUB_CLIENT_SECRET".to_owned())));
        let setup = Setup::with_file(&format!("[session]\nkey = \"{}\"\nkey_file = \"k\"\n", "A".repeat(43)));
        assert_eq!(setup.problem().key, "session.key");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_gives_a_warning() {
        let setup = Setup::with_file(FROM_FILE).file("github.secret", "hunter2");
        for (mode, warnings) in [(0o600, 0), (0o400, 0), (0o640, 1), (0o604, 1)] {
            close(&setup, "github.secret", mode);
            let config = setup.load().unwrap();
            assert_eq!(config.warnings.len(), warnings, "{mode:o}: {:?}", config.warnings);
        }
        let setup = Setup::new().file("session.key", "anything").set("session.key_file=session.key");
        close(&setup, "session.key", 0o644);
        assert!(setup.load().unwrap().warnings[0].starts_with("session.key_file: "));
    }

    #[test]
    fn no_message_and_no_debug_output_holds_one() {
        let setup = Setup::with_file(
            "[session]\nkey = \"hunter2\"\n\
             [providers.a]\nclient_id = \"a\"\nclient_secret = \"hunter2\"\nclient_secret_file = \"b\"\nissuer = \"https://u:hunter2@a.example\"\n\
             [providers.b]\nclient_secret = [\"hunter2\"]\n",
        )
        .variable("OAUTH2FLOW_SERVER_PUBLIC_URL", "https://user:hunter2@example.com")
        .set("session.key=hunter2")
        .set("session.key:hunter2");
        let problems = setup.load().unwrap_err();
        assert!(problems.iter().count() >= 7, "{problems}");
        assert!(!format!("{problems} {problems:?}").contains("hunter2"), "{problems}");

        let broken = Setup::with_file("[providers.a]\nclient_secret = \"hunter2\n").load().unwrap_err();
        assert!(!format!("{broken} {broken:?}").contains("hunter2"), "{broken}");

        let config = Setup::with_file(GITHUB).load().unwrap();
        assert_eq!(secret(&config), "hunter2");
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn a_secret_is_not_taken_from_the_command_line() {
        let problem = Setup::new().variable("GITHUB_CLIENT_ID", "a").set("providers.github.client_secret=hunter2").problems().remove(0);
        assert_eq!(problem.key, "providers.github.client_secret");
        assert!(problem.fix.contains("client_secret_file"), "{}", problem.fix);
    }

    #[test]
    fn a_session_key_is_32_bytes_in_base64url() {
        let good = "A".repeat(43);
        let config = Setup::new().variable("OAUTH2FLOW_SESSION_KEY", &format!("{good}\n{good}\n")).load().unwrap();
        assert!(config.session.key.is_some());
        let problem = Setup::new().variable("OAUTH2FLOW_SESSION_KEY", &format!("{good}\nshort")).problem();
        assert!(problem.problem.starts_with("Its line 2 is not a key"), "{}", problem.problem);
    }
}

mod public_url {
    use super::*;

    #[test]
    fn off_loopback_it_is_required() {
        let setup = Setup::with_file(GITHUB).set("server.listen=0.0.0.0:3000");
        let problem = setup.problem();
        assert_eq!(problem.key, "server.public_url");
        assert!(problem.problem.contains("0.0.0.0:3000"), "{}", problem.problem);
        assert!(problem.fix.contains("OAUTH2FLOW_SERVER_PUBLIC_URL"), "{}", problem.fix);
        let config = setup.set("server.public_url=https://app.example.com/").load().unwrap();
        assert_eq!(config.server.public_url.origin(), "https://app.example.com");
    }

    #[test]
    fn http_off_loopback_is_refused() {
        let setup = Setup::with_file(GITHUB).set("server.public_url=http://app.example.com");
        let problem = setup.problem();
        assert_eq!(problem.key, "server.public_url");
        assert!(problem.fix.contains("https://"), "{}", problem.fix);
    }

    #[test]
    fn the_port_of_a_loopback_listener_is_kept() {
        let config = Setup::new().set("server.listen=[::1]:8080").load().unwrap();
        assert_eq!(config.server.public_url.origin(), "http://localhost:8080");
    }

    #[test]
    fn any_free_port_gives_no_address() {
        let setup = Setup::new().set("server.listen=127.0.0.1:0");
        assert_eq!(setup.problem().key, "server.public_url");
        assert!(setup.set("server.public_url=http://localhost:3000").load().is_ok());
    }
}

mod demo {
    use super::*;

    #[test]
    fn it_is_refused_off_loopback() {
        let setup = Setup::new().set("server.public_url=https://app.example.com");
        let problem = setup.problem();
        assert_eq!(problem.key, "demo.enabled");
        assert!(problem.fix.contains("Configure a provider"), "{}", problem.fix);

        let setup = Setup::with_file(GITHUB).set("server.public_url=https://app.example.com");
        assert!(setup.load().is_ok());
        assert_eq!(setup.set("demo.enabled=true").problem().key, "demo.enabled");
    }

    #[test]
    fn it_listens_on_loopback_only() {
        assert_eq!(Setup::new().set("demo.listen=0.0.0.0:4000").problem().key, "demo.listen");
    }

    #[test]
    fn without_it_and_without_providers_nobody_could_sign_in() {
        assert_eq!(Setup::new().set("demo.enabled=false").problem().key, "demo.enabled");
    }

    #[test]
    fn its_name_is_its_own() {
        let text = "[providers.demo]\nissuer = \"https://a.example\"\nclient_id = \"a\"\nclient_auth = \"none\"\n";
        assert!(Setup::with_file(text).load().is_ok());
        assert_eq!(Setup::with_file(text).set("demo.enabled=true").problem().key, "demo.enabled");
    }

    #[test]
    fn a_server_that_others_can_reach_gives_a_warning() {
        let config = Setup::new().set("server.listen=0.0.0.0:3000").set("server.public_url=http://localhost:3000").load().unwrap();
        assert!(config.warnings[0].contains("0.0.0.0:3000"), "{:?}", config.warnings);
    }
}

mod providers {
    use super::*;

    #[test]
    fn github_needs_nothing_but_two_variables() {
        let config = Setup::new().variable("GITHUB_CLIENT_ID", "an-id").variable("GITHUB_CLIENT_SECRET", "hunter2").load().unwrap();
        let [provider] = config.providers.as_slice() else { panic!("{:?}", config.providers) };
        assert_eq!((provider.id.as_str(), provider.preset, provider.client_id.as_str()), ("github", Preset::GitHub, "an-id"));
        assert_eq!(provider.credentials.client_secret.as_ref().unwrap().expose_secret(), "hunter2");
        assert_eq!((provider.pkce, provider.nonce, provider.server_callback), (None, None, false), "the preset decides");
        assert_eq!(config.server.avatar_hosts, ["avatars.githubusercontent.com"]);
        assert!(!config.demo.enabled);
    }

    #[test]
    fn one_of_the_two_is_not_enough() {
        assert_eq!(Setup::new().variable("GITHUB_CLIENT_ID", "a").problem().key, "providers.github.client_secret");
        let problem = Setup::new().variable("GITHUB_CLIENT_SECRET", "a").problem();
        assert_eq!(problem.key, "providers.github.client_id");
        assert_eq!(problem.source, Some(Source::Environment("GITHUB_CLIENT_SECRET".to_owned())));
    }

    #[test]
    fn our_variables_go_over_the_borrowed_ones() {
        let config = Setup::with_file(GITHUB)
            .variable("GITHUB_CLIENT_ID", "borrowed")
            .variable("OAUTH2FLOW_PROVIDERS_GITHUB_CLIENT_ID", "ours")
            .load()
            .unwrap();
        assert_eq!(config.providers[0].client_id, "ours");
    }

    #[test]
    fn an_openid_provider_needs_its_issuer() {
        let text = "[providers.example]\nissuer = \"https://accounts.example.com/\"\nclient_id = \"a\"\nclient_secret = \"b\"\n";
        let config = Setup::with_file(text).load().unwrap();
        let provider = &config.providers[0];
        assert_eq!(provider.preset, Preset::OpenId);
        assert_eq!(provider.issuer.as_deref(), Some("https://accounts.example.com/"), "the slash is part of the issuer");
        let without = Setup::with_file("[providers.example]\nclient_id = \"a\"\nclient_secret = \"b\"\n").problem();
        assert_eq!((without.key.as_str(), without.source), ("providers.example.issuer", Some(line(1))));
        assert!(without.fix.contains("OAUTH2FLOW_PROVIDERS_EXAMPLE_ISSUER"), "{}", without.fix);
    }

    #[test]
    fn an_oauth_provider_needs_its_endpoints_and_who_the_user_is() {
        let keys: Vec<_> = Setup::with_file("[providers.example]\npreset = \"oauth\"\nclient_id = \"a\"\nclient_secret = \"b\"\n")
            .problems()
            .into_iter()
            .map(|problem| problem.key)
            .collect();
        assert_eq!(
            keys,
            ["authorization_url", "token_url", "userinfo_url", "user.id"].map(|key| format!("providers.example.{key}")).as_slice()
        );
        let config = Setup::with_file(
            "[providers.example]\nclient_id = \"a\"\nclient_secret = \"b\"\nclient_auth = \"post\"\niss_policy = \"require\"\n\
             expected_iss = \"https://login.example.com\"\nscope_separator = \"comma\"\n\
             authorization_url = \"https://login.example.com/authorize?tenant=1\"\ntoken_url = \"https://login.example.com/token\"\n\
             userinfo_url = \"https://api.example.com/me\"\nscopes = [\"profile\", \"mail:read\"]\n\
             authorization_params = { prompt = \"consent\" }\n\
             [providers.example.user]\nid = \"data.id\"\nemail_verified = \"verified\"\n",
        )
        .load()
        .unwrap();
        let provider = &config.providers[0];
        assert_eq!(provider.preset, Preset::OAuth);
        assert_eq!((provider.credentials.client_auth, provider.iss_policy), (Some(ClientAuth::Post), Some(IssPolicy::Require)));
        assert_eq!(provider.scope_separator, ScopeSeparator::Comma);
        let endpoints = provider.endpoints.as_ref().unwrap();
        assert_eq!(endpoints.authorization_url.as_str(), "https://login.example.com/authorize?tenant=1");
        assert!(endpoints.revocation_url.is_none());
        assert_eq!(provider.user.id.as_deref(), Some("data.id"));
        assert_eq!(provider.user.email_verified.as_deref(), Some("verified"));
        assert_eq!(provider.authorization_params["prompt"], "consent");
    }

    #[test]
    fn one_can_be_written_in_the_environment_alone() {
        let config = Setup::new()
            .variable("OAUTH2FLOW_PROVIDERS_MY_LOGIN_CLIENT_ID", "a")
            .variable("OAUTH2FLOW_PROVIDERS_MY_LOGIN_CLIENT_SECRET", "b")
            .variable("OAUTH2FLOW_PROVIDERS_MY_LOGIN_ISSUER", "https://accounts.example.com")
            .variable("OAUTH2FLOW_PROVIDERS_MY_LOGIN_SCOPES", "openid email")
            .variable("OAUTH2FLOW_PROVIDERS_MY_LOGIN_USER_NAME", "nickname")
            .variable("OAUTH2FLOW_PROVIDERS_MY_LOGIN_AUTHORIZATION_PARAMS", "prompt=consent&access_type=offline")
            .load()
            .unwrap();
        let provider = &config.providers[0];
        assert_eq!(provider.id, "my_login");
        assert_eq!(provider.scopes.as_deref(), Some(["openid".to_owned(), "email".to_owned()].as_slice()));
        assert_eq!(provider.user.name.as_deref(), Some("nickname"));
        assert_eq!(provider.authorization_params["access_type"], "offline");
    }

    #[test]
    fn a_variable_finds_the_provider_of_the_file() {
        let text = "[providers.my-login]\nissuer = \"https://a.example\"\nclient_id = \"a\"\n";
        let config = Setup::with_file(text).variable("OAUTH2FLOW_PROVIDERS_MY_LOGIN_CLIENT_SECRET", "b").load().unwrap();
        assert_eq!(config.providers.len(), 1);
        assert_eq!(config.providers[0].id, "my-login");

        // `…_X_USER_NAME` could be the `user.name` of `x`, but there is an `x_user`.
        let text = "[providers.x_user]\nissuer = \"https://a.example\"\nclient_id = \"a\"\nclient_auth = \"none\"\n";
        let config = Setup::with_file(text).variable("OAUTH2FLOW_PROVIDERS_X_USER_NAME", "X").load().unwrap();
        assert_eq!(config.providers[0].name.as_deref(), Some("X"));
    }

    #[test]
    fn they_come_in_the_order_of_the_file() {
        let table = |id: &str| format!("[providers.{id}]\nissuer = \"https://{id}.example\"\nclient_id = \"a\"\nclient_auth = \"none\"\n");
        let config = Setup::with_file(&["zebra", "ant", "moth"].map(table).concat()).load().unwrap();
        let ids: Vec<_> = config.providers.iter().map(|provider| provider.id.as_str()).collect();
        assert_eq!(ids, ["zebra", "ant", "moth"]);
    }

    #[test]
    fn what_a_preset_would_ignore_is_a_problem() {
        let problem = Setup::with_file(&format!("{GITHUB}nonce = true\n")).problem();
        assert_eq!(problem.problem, "It means nothing with the preset github, only with providers that issue ID tokens.");
        let text = "[providers.a]\npreset = \"openid\"\nissuer = \"https://a.example\"\nclient_id = \"a\"\nclient_secret = \"b\"\n";
        assert_eq!(Setup::with_file(&format!("{text}token_url = \"https://a.example/token\"\n")).problem().key, "providers.a.token_url");
        assert_eq!(Setup::with_file(&format!("{text}user.id = \"id\"\n")).problem().key, "providers.a.user.id");
    }

    #[test]
    fn the_request_stays_a_correct_one() {
        let text = "[providers.a]\nissuer = \"https://a.example\"\nclient_id = \"a\"\nclient_secret = \"b\"\n";
        assert_eq!(Setup::with_file(&format!("{text}scopes = [\"email\"]\n")).problem().key, "providers.a.scopes");
        assert_eq!(Setup::with_file(&format!("{text}scopes = [\"openid\", \"a b\"]\n")).problem().problem, "“a b” is not a scope.");
        let problem = Setup::with_file(&format!("{text}authorization_params = {{ state = \"fixed\" }}\n")).problem();
        assert!(problem.problem.contains("“state”"), "{}", problem.problem);
    }

    #[test]
    fn secrets_do_not_travel_over_http() {
        let text = |issuer: &str| format!("[providers.a]\nissuer = \"{issuer}\"\nclient_id = \"a\"\nclient_secret = \"b\"\n");
        assert_eq!(Setup::with_file(&text("http://accounts.example.com")).problem().key, "providers.a.issuer");
        for issuer in ["http://127.0.0.1:5000", "http://localhost:5000", "http://[::1]:5000"] {
            assert!(Setup::with_file(&text(issuer)).load().is_ok(), "{issuer}");
        }
    }

    #[test]
    fn an_issuer_has_no_query() {
        let text = "[providers.a]\nissuer = \"https://a.example/?tenant=1\"\nclient_id = \"a\"\nclient_auth = \"none\"\n";
        assert_eq!(Setup::with_file(text).problem().key, "providers.a.issuer");
    }

    #[test]
    fn a_public_client_has_no_secret_and_any_other_has_one() {
        let text = "[providers.a]\nissuer = \"https://a.example\"\nclient_id = \"a\"\n";
        assert_eq!(Setup::with_file(text).problem().key, "providers.a.client_secret");
        assert!(
            Setup::with_file(&format!("{text}client_auth = \"none\"\n")).load().unwrap().providers[0].credentials.client_secret.is_none()
        );
        let both = format!("{text}client_auth = \"none\"\nclient_secret = \"b\"\n");
        assert_eq!(Setup::with_file(&both).problem().key, "providers.a.client_secret");
        let github = "[providers.github]\nclient_id = \"a\"\nclient_auth = \"none\"\n";
        assert_eq!(Setup::with_file(github).problem().key, "providers.github.client_auth");
    }

    #[test]
    fn an_enterprise_server_is_named_by_its_addresses() {
        let config = Setup::with_file(&format!("{GITHUB}web_url = \"https://github.example.com/\"\n")).load().unwrap();
        assert_eq!(config.providers[0].web_url.as_deref(), Some("https://github.example.com"));
        assert!(config.server.avatar_hosts.is_empty());
        let problem = Setup::with_file(&format!("{GITHUB}api_url = \"https://github.example.com/api/v3\"\n")).problem();
        assert_eq!(problem.key, "providers.github.web_url");
    }

    #[test]
    fn what_weakens_a_sign_in_gives_a_warning() {
        let text = "[providers.a]\nissuer = \"https://a.example\"\nclient_id = \"a\"\nclient_secret = \"b\"\n\
                    iss_policy = \"ignore\"\n";
        for (weakening, pkce, nonce) in [("pkce = false\n", Some(false), None), ("nonce = false\n", None, Some(false))] {
            let config = Setup::with_file(&format!("{text}{weakening}")).load().unwrap();
            assert_eq!(config.warnings.len(), 2, "{:?}", config.warnings);
            assert_eq!((config.providers[0].pkce, config.providers[0].nonce), (pkce, nonce));
        }
    }

    #[test]
    fn a_code_that_nothing_ties_to_its_sign_in_is_not_taken() {
        let text = "[providers.a]\nissuer = \"https://a.example\"\nclient_id = \"a\"\nclient_secret = \"b\"\npkce = false\nnonce = false\n";
        assert_eq!(Setup::with_file(text).problem().key, "providers.a.pkce");
        // LinkedIn leaves no choice, so that is said at start.
        let linkedin = "[providers.linkedin]\nclient_id = \"a\"\nclient_secret = \"b\"\n";
        let warnings = Setup::with_file(linkedin).load().unwrap().warnings;
        assert!(warnings.iter().any(|warning| warning.contains("neither PKCE nor a nonce")), "{warnings:?}");
        assert!(Setup::with_file(&format!("{linkedin}pkce = true\n")).load().unwrap().warnings.is_empty());
    }
}

mod upstreams {
    use super::*;

    const TWO_PROVIDERS: &str = "[providers.a]\nissuer = \"https://a.example\"\nclient_id = \"a\"\nclient_auth = \"none\"\n\
                                 [providers.b]\nissuer = \"https://b.example\"\nclient_id = \"b\"\nclient_auth = \"none\"\n";
    const ORDERS: &str = "[upstreams.orders]\nurl = \"https://orders.example.com/api\"\n";

    #[test]
    fn with_one_provider_nothing_more_is_needed() {
        let config = Setup::with_file(&format!("{GITHUB}{ORDERS}methods = [\"GET\"]\ntimeout = \"5s\"\n")).load().unwrap();
        let upstream = &config.upstreams[0];
        assert_eq!((upstream.name.as_str(), upstream.url.as_str()), ("orders", "https://orders.example.com/api"));
        assert_eq!(upstream.methods.as_deref(), Some(["GET".to_owned()].as_slice()));
        assert_eq!((upstream.timeout, &upstream.providers), (Duration::from_secs(5), &None));
    }

    #[test]
    fn with_several_it_is_said_whose_tokens_go_there() {
        let problem = Setup::with_file(&format!("{TWO_PROVIDERS}{ORDERS}")).problem();
        assert_eq!(problem.key, "upstreams.orders.providers");
        assert!(problem.problem.contains("a, b"), "{}", problem.problem);
        let config = Setup::with_file(&format!("{TWO_PROVIDERS}{ORDERS}providers = [\"b\"]\n")).load().unwrap();
        assert_eq!(config.upstreams[0].providers.as_deref(), Some(["b".to_owned()].as_slice()));
        // The demo provider counts.
        assert_eq!(Setup::with_file(&format!("{GITHUB}{ORDERS}")).set("demo.enabled=true").problem().key, "upstreams.orders.providers");
        assert!(Setup::with_file(&format!("{ORDERS}providers = [\"demo\"]\n")).load().is_ok());
    }

    #[test]
    fn unknown_and_no_providers_are_problems() {
        let problem = Setup::with_file(&format!("{TWO_PROVIDERS}{ORDERS}providers = [\"c\"]\n")).problem();
        assert_eq!((problem.problem.as_str(), problem.fix.as_str()), ("There is no provider “c”.", "The providers are a, b."));
        assert_eq!(Setup::with_file(&format!("{TWO_PROVIDERS}{ORDERS}providers = []\n")).problem().key, "upstreams.orders.providers");
    }

    #[test]
    fn tokens_do_not_travel_over_http_unless_that_is_said_loudly() {
        let text = format!("{GITHUB}[upstreams.orders]\nurl = \"http://orders.internal:8080\"\n");
        assert_eq!(Setup::with_file(&text).problem().key, "upstreams.orders.url");
        let config = Setup::with_file(&format!("{text}dangerous_allow_http = true\n")).load().unwrap();
        assert_eq!(config.warnings.len(), 1);
        assert!(Setup::with_file(&format!("{GITHUB}[upstreams.orders]\nurl = \"http://127.0.0.1:8080\"\n")).load().is_ok());
    }

    #[test]
    fn methods_are_real_ones() {
        for (methods, wrong) in [("[\"get\"]", "“get”"), ("[\"TRACE\"]", "TRACE"), ("[]", "empty")] {
            let problem = Setup::with_file(&format!("{GITHUB}{ORDERS}methods = {methods}\n")).problem();
            assert_eq!(problem.key, "upstreams.orders.methods");
            assert!(problem.problem.contains(wrong), "{}", problem.problem);
        }
    }
}
