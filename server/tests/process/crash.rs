//! Kill -9 in the middle of logins: whoever was told to be signed in still is.

use crate::{browser::Browser, database_file::Database, patience::PATIENCE, server::Setup};
use std::{
    fs,
    sync::mpsc::{Sender, channel},
    thread,
};

const BROWSERS: usize = 12;
const LOGINS_BEFORE_THE_END: usize = 15;

/// Signs in again and again, until the server is gone.
fn sign_in_without_end(origin: &str, signed_in: &Sender<Browser>) {
    loop {
        let mut browser = Browser::of(origin.to_owned());
        match browser.sign_in() {
            Ok(()) => signed_in.send(browser).unwrap(),
            Err(_gone) => return,
        }
    }
}

/// Both databases as the crash left them are whole.
fn assert_sound(setup: &Setup) {
    for name in ["sessions.sqlite", "demo-provider.sqlite"] {
        // In a copy, so that it is the server that has to cope with the original.
        let copy = tempfile::tempdir().unwrap();
        for file in [name.to_owned(), format!("{name}-wal")] {
            if let Ok(bytes) = fs::read(setup.path("data").join(&file)) {
                fs::write(copy.path().join(&file), bytes).unwrap();
            }
        }
        let mut database = Database::open(&copy.path().join(name));
        assert_eq!(database.text("PRAGMA integrity_check"), "ok", "{name}");
        database.close();
    }
}

#[test]
fn nobody_who_is_signed_in_is_lost_when_the_server_is_killed() {
    let setup = Setup::new();
    let mut everybody: Vec<Browser> = Vec::new();
    for round in 1..=2 {
        let server = setup.start();
        let (sender, signed_in) = channel();
        let logins: Vec<_> = (0..BROWSERS)
            .map(|_| {
                let (origin, sender) = (server.origin(), sender.clone());
                thread::spawn(move || sign_in_without_end(&origin, &sender))
            })
            .collect();
        drop(sender);
        everybody.extend((0..LOGINS_BEFORE_THE_END).map(|_| signed_in.recv_timeout(PATIENCE).unwrap()));
        let ended = server.kill();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&ended.status), Some(9), "{ended:#?}");
        for login in logins {
            login.join().unwrap();
        }
        // Answered, but not yet counted when the server was killed.
        everybody.extend(signed_in);
        assert_sound(&setup);

        let server = setup.start();
        for browser in &mut everybody {
            assert!(browser.is_signed_in());
        }
        let notes_of = everybody.last_mut().unwrap();
        let note = format!("written after crash {round}");
        assert_eq!(notes_of.add_note(&note).status, 201);
        for browser in everybody.iter_mut().rev().take(5) {
            assert!(browser.notes().contains(&note));
        }
        Browser::new(&server).sign_in().unwrap();
        server.stop().assert_orderly();
        let mut database = Database::open(&setup.path("data/sessions.sqlite"));
        assert_eq!(database.text("PRAGMA integrity_check"), "ok");
        assert!(database.number("SELECT count(*) FROM sessions") > i64::try_from(everybody.len()).unwrap());
        database.close();
    }
}
