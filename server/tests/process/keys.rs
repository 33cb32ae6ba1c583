//! The keys that seal sessions: made, rotated and lost while people are signed in.

use crate::{
    browser::Browser,
    database_file::Database,
    http::{Answer, Request, exchange},
    patience::wait_for,
    server::{CANNOT_START, Ended, Setup, shown},
    stand_in::StandIn,
};
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread::{self, ScopedJoinHandle},
};

/// Runs `oauth2flow keys …` in the directory of a setup.
fn keys(setup: &Setup, arguments: &[&str]) -> Ended {
    arguments.iter().fold(setup.neighbour().argument("keys"), |setup, argument| setup.argument(*argument)).run_bare()
}

/// What it printed, which holds no key of the file.
fn keys_without_secrets(setup: &Setup, arguments: &[&str]) -> String {
    let ended = keys(setup, arguments);
    ended.assert_orderly();
    for line in fs::read_to_string(setup.path("data/session.key")).unwrap().lines() {
        assert!(!ended.stdout.contains(&line[..43]), "{}", ended.stdout);
    }
    ended.stdout
}

/// The names in what was printed, in its order.
fn names(printed: &str) -> Vec<String> {
    let is_name = |word: &&str| word.len() == 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    printed.split(|character: char| !character.is_ascii_alphanumeric()).filter(is_name).map(str::to_owned).collect()
}

fn call(browser: &mut Browser) -> Answer {
    browser.call("GET", "/api/v1/proxy/api/x", None).unwrap()
}

/// The names of all keys that sealed something in the store: sessions, and what the servers leave for each other.
fn sealed_with(setup: &Setup) -> String {
    let mut database = Database::open(&setup.path("data/sessions.sqlite"));
    let names = database.text(
        "SELECT group_concat(DISTINCT lower(hex(substr(sealed, 1, 4)))) FROM (SELECT tokens AS sealed FROM sessions UNION ALL SELECT sealed FROM key_check)",
    );
    database.close();
    names
}

#[test]
fn a_key_is_printed_or_written_into_a_new_file() {
    let setup = Setup::new();
    let printed = keys(&setup, &["generate"]);
    printed.assert_orderly();
    assert_eq!(printed.stdout.trim_end().len(), 43, "{}", printed.stdout);
    let other = keys(&setup, &["generate"]).stdout;
    assert_ne!(other, printed.stdout);
    // It is one that a server takes.
    setup.neighbour().variable("OAUTH2FLOW_SESSION_KEY", printed.stdout.trim_end()).start().stop().assert_orderly();

    let written = keys(&setup, &["generate", "--file", "deep/new.key"]);
    written.assert_orderly();
    let path = setup.path("deep/new.key");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let key = fs::read_to_string(&path).unwrap();
    assert_eq!(key.trim_end().len(), 43);
    assert!(!written.stdout.contains(key.trim_end()));
    let again = keys(&setup, &["generate", "--file", "deep/new.key"]);
    assert_eq!(again.status.code(), Some(CANNOT_START));
    assert!(again.stderr.contains("is there already") && again.stderr.contains("keys rotate"), "{}", again.stderr);
    assert_eq!(fs::read_to_string(&path).unwrap(), key);
}

#[test]
fn a_rotation_says_what_it_did_and_what_to_do_next() {
    let setup = Setup::new();
    setup.start().stop().assert_orderly();
    let path = setup.path("data/session.key");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let first = names(&keys_without_secrets(&setup, &["list"]));
    assert_eq!(first.len(), 1);

    let rotated = keys_without_secrets(&setup, &["rotate"]);
    assert!(rotated.contains("seals from") && rotated.contains("Nobody is signed out") && rotated.contains("all of them"), "{rotated}");
    let listed = keys_without_secrets(&setup, &["list"]);
    assert_eq!(names(&listed), [names(&rotated)[0].clone(), first[0].clone()]);
    assert!(listed.contains("will seal from"), "{listed}");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);

    let now = keys_without_secrets(&setup, &["rotate", "--now"]);
    assert!(now.contains("single server"), "{now}");
    assert_eq!(names(&keys_without_secrets(&setup, &["list"])).len(), 3);
    // What is in the directory is what belongs there.
    let files: Vec<_> = fs::read_dir(setup.path("data")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(files.iter().all(|file| !file.to_string_lossy().contains("rotating")), "{files:?}");
}

#[test]
fn keys_that_can_open_nothing_any_more_are_dropped() {
    let setup = Setup::new();
    fs::create_dir(setup.path("data")).unwrap();
    let line = |letter: &str, from: &str| format!("{}A{from}\n", letter.repeat(42));
    let list = [line("C", " sealing-from=2020-01-02T00:00:00Z"), line("B", " sealing-from=2020-01-01T00:00:00Z"), line("A", "")].concat();
    fs::write(setup.path("data/session.key"), list).unwrap();
    fs::set_permissions(setup.path("data/session.key"), fs::Permissions::from_mode(0o600)).unwrap();
    let rotated = keys_without_secrets(&setup, &["rotate", "--now"]);
    assert!(rotated.contains("Dropped, because no session that they sealed can still be alive"), "{rotated}");
    assert_eq!(names(&rotated).len(), 4);
    assert_eq!(names(&keys_without_secrets(&setup, &["list"])).len(), 2);
    setup.start().stop().assert_orderly();
}

#[test]
fn keys_that_are_in_no_file_are_not_rotated() {
    let setup = Setup::new();
    let key = "A".repeat(43);
    let ended = setup.neighbour().variable("OAUTH2FLOW_SESSION_KEY", &key).argument("keys").argument("rotate").run_bare();
    assert_eq!(ended.status.code(), Some(CANNOT_START));
    assert!(ended.stderr.contains("session.key") && ended.stderr.contains("keys generate"), "{}", ended.stderr);
    assert!(!ended.stderr.contains(&key));
    let missing = keys(&setup, &["rotate"]);
    assert_eq!(missing.status.code(), Some(CANNOT_START));
    assert!(missing.stderr.contains("data/session.key") && missing.stderr.contains("cannot be read"), "{}", missing.stderr);
    assert!(!setup.path("data").exists());
}

#[test]
fn a_rotation_under_load_signs_nobody_out() {
    let stand_in = StandIn::start();
    let setup = Setup::new();
    let [first, second] = [setup.neighbour(), setup.neighbour()].map(|setup| stand_in.configure(setup));
    let servers = [first.start(), second.start()];
    let browsers: Vec<Browser> = (0..4).map(|number: usize| Browser::signed_in(&servers[number % 2])).collect();
    let (calls, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let new_key = thread::scope(|scope| {
        let load: Vec<_> = browsers
            .iter()
            .enumerate()
            .map(|(number, browser)| {
                let mut there = [number % 2, (number + 1) % 2].map(|server| browser.at(&servers[server]));
                let (calls, over) = (&calls, &over);
                scope.spawn(move || {
                    while !over.load(Ordering::Relaxed) {
                        for browser in &mut there {
                            let answer = call(browser);
                            assert_eq!(answer.status, 200, "{answer:?}");
                            calls.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                })
            })
            .collect();
        // Once with time for everybody to read the file before it seals, and once without.
        let mut new_key = String::new();
        for how in [["rotate", "--after", "12s"].as_slice(), &["rotate", "--now"]] {
            new_key = names(&keys_without_secrets(&setup, how)).remove(0);
            wait_for(|| load.iter().any(ScopedJoinHandle::is_finished) || sealed_with(&setup) == new_key);
        }
        let so_far = calls.load(Ordering::Relaxed);
        wait_for(|| load.iter().any(ScopedJoinHandle::is_finished) || calls.load(Ordering::Relaxed) > so_far + 40);
        over.store(true, Ordering::Relaxed);
        new_key
    });
    for server in servers {
        server.stop().assert_orderly();
    }

    // Every session has been renewed since, so that the newest key alone opens them all.
    let path = setup.path("data/session.key");
    let newest = fs::read_to_string(&path).unwrap().lines().next().unwrap().to_owned();
    fs::write(&path, format!("{newest}\n")).unwrap();
    assert_eq!(names(&keys_without_secrets(&setup, &["list"])), [new_key]);
    let server = first.start();
    for browser in &browsers {
        let mut browser = browser.at(&server);
        assert!(browser.is_signed_in());
        assert_eq!(call(&mut browser).status, 200);
    }
    server.stop().assert_orderly();
}

#[test]
fn a_server_that_lacks_a_key_says_so_and_signs_nobody_out() {
    let stand_in = StandIn::start();
    let setup = Setup::new();
    keys(&setup, &["generate", "--file", "early.key"]).assert_orderly();
    fs::copy(setup.path("early.key"), setup.path("late.key")).unwrap();
    let [early, late] = ["early.key", "late.key"].map(|file| stand_in.configure(setup.neighbour()).set("session.key_file", file).start());
    keys(&setup, &["rotate", "--now", "--file", "early.key"]).assert_orderly();
    early.wait_for_line("the session keys have changed");
    let browser = Browser::signed_in(&early);
    let mut there = browser.at(&late);
    let answer = call(&mut there);
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(answer.json()["code"], "keys_differ");
    assert!(answer.header("retry-after").is_some() && answer.header("set-cookie").is_none(), "{answer:?}");
    let line = late.wait_for_line("keys_differ");
    assert!(line.contains("session.key_file") && line.contains("docs/keys.md"), "{line}");
    assert!(there.is_signed_in());
    assert_eq!(call(&mut browser.at(&early)).status, 200);
    // Whoever spreads the requests hears of it too, once the two have looked at each other's keys again.
    let ready = || exchange(late.address(), Request::new("GET", "localhost", "/readyz")).unwrap();
    wait_for(|| ready().status == 503);
    assert_eq!(ready().json()["code"], "keys_differ");

    // As soon as it has the key, it goes on as if nothing had been.
    fs::copy(setup.path("early.key"), setup.path("late.key")).unwrap();
    wait_for(|| call(&mut there).status == 200);
    wait_for(|| ready().status == 200);
    for server in [early, late] {
        let ended = server.stop();
        assert_eq!(ended.status.code(), Some(0), "{ended:#?}");
    }
}

#[test]
fn a_key_file_that_breaks_while_the_server_runs_is_reported_once_and_the_keys_stay() {
    let setup = Setup::new();
    let server = setup.start();
    let mut browser = Browser::new(&server);
    browser.sign_in().unwrap();
    let path = setup.path("data/session.key");
    let key = fs::read_to_string(&path).unwrap();
    fs::write(&path, "sentinel\n").unwrap();
    let line = server.wait_for_line("the key file cannot be used");
    assert!(line.contains(&shown(&path)) || line.contains("session.key"), "{line}");
    assert!(!line.contains("sentinel"), "{line}");
    assert_eq!(browser.add_note("still here").status, 201);
    fs::write(&path, &key).unwrap();
    keys(&setup, &["rotate", "--now"]).assert_orderly();
    server.wait_for_line("the session keys have changed");
    assert!(browser.notes().contains(&"still here".to_owned()));
    let ended = server.stop();
    ended.assert_orderly();
    assert_eq!(ended.stdout.matches("the key file cannot be used").count(), 1, "{}", ended.stdout);
}

#[test]
fn two_servers_of_one_store_with_different_keys_are_refused() {
    let setup = Setup::new();
    let [first, second] = ["A", "E"].map(|letter| format!("{}A", letter.repeat(42)));
    let server = setup.neighbour().variable("OAUTH2FLOW_SESSION_KEY", &first).start();
    let mut browser = Browser::new(&server);
    browser.sign_in().unwrap();
    let ended = setup.neighbour().variable("OAUTH2FLOW_SESSION_KEY", &second).refusal();
    ended.assert_refused(&["session.key holds other keys", "Give this server the same keys", "docs/keys.md"]);
    assert!(!ended.stderr.contains(&first) && !ended.stderr.contains(&second));
    // With the key of the other below its own, it may.
    let both = setup.neighbour().variable("OAUTH2FLOW_SESSION_KEY", &format!("{second}\n{first}")).start();
    assert!(browser.at(&both).is_signed_in());
    // From then on the first key alone is not enough.
    both.stop().assert_orderly();
    server.stop().assert_orderly();
    setup.neighbour().variable("OAUTH2FLOW_SESSION_KEY", &first).refusal().assert_refused(&["session.key holds other keys"]);
}

#[test]
fn a_lost_key_file_is_not_replaced_by_one_that_opens_nothing() {
    let setup = Setup::new();
    let server = setup.start();
    let mut browser = Browser::new(&server);
    browser.sign_in().unwrap();
    server.stop().assert_orderly();
    let path = setup.path("data/session.key");
    let key = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    setup.refusal().assert_refused(&["there was no key file", &shown(&path), "from a backup", "docs/keys.md"]);
    assert!(!path.exists());
    fs::write(&path, key).unwrap();
    let server = setup.start();
    assert!(browser.at(&server).is_signed_in());
    server.stop().assert_orderly();

    // Without the backup, a new store is the way on.
    fs::remove_file(&path).unwrap();
    for file in ["sessions.sqlite", "sessions.sqlite-wal", "sessions.sqlite-shm"] {
        let _ = fs::remove_file(setup.path("data").join(file));
    }
    let server = setup.start();
    assert!(!browser.at(&server).is_signed_in());
    server.stop().assert_orderly();
}
