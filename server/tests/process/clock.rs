//! The clock of the machine is set while the server runs: what has ended by it ends, and nobody else is signed out.

use crate::{
    browser::Browser,
    server::{Server, Setup},
};
use jiff::{SignedDuration, Timestamp};
use std::{fs, path::PathBuf};

/// What a server takes for the time of day; what it measures durations with goes on as ever.
pub(crate) struct WallClock {
    file: PathBuf,
}

impl WallClock {
    /// The right time at first, from Debian's package `faketime`.
    pub(crate) fn of(setup: Setup, name: &str) -> (Self, Setup) {
        let clock = Self { file: setup.path(name) };
        clock.set(0);
        let library = fs::read_dir("/usr/lib").unwrap().map(|directory| directory.unwrap().path().join("faketime/libfaketimeMT.so.1"));
        let library = library.into_iter().find(|file| file.is_file()).unwrap();
        let file = clock.file.to_str().unwrap().to_owned();
        let setup = setup
            .variable("LD_PRELOAD", library.to_str().unwrap())
            .variable("FAKETIME_TIMESTAMP_FILE", &file)
            .variable("FAKETIME_NO_CACHE", "1")
            .variable("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .variable("DONT_FAKE_MONOTONIC", "1");
        (clock, setup)
    }

    /// Sets it so many minutes before or behind the right time.
    pub(crate) fn set(&self, minutes: i32) {
        let new = self.file.with_extension("new");
        fs::write(&new, format!("{:+}", minutes * 60)).unwrap();
        fs::rename(new, &self.file).unwrap();
    }
}

/// A server whose clock can be set.
fn start() -> (Server, WallClock) {
    let (clock, setup) = WallClock::of(Setup::new(), "clock");
    (setup.start(), clock)
}

/// By how many minutes, rounded, the server's clock differed from this one when somebody signed in, just now.
#[expect(clippy::disallowed_methods, reason = "it is the right time that is asked for")]
fn difference(browser: &mut Browser) -> i64 {
    let answer = browser.call("GET", "/api/v1/session", None).unwrap().json();
    let signed_in: Timestamp = answer["session"]["created_at"].as_str().unwrap().parse().unwrap();
    (signed_in.duration_since(Timestamp::now()) + SignedDuration::from_secs(30)).as_secs().div_euclid(60)
}

#[test]
fn a_clock_that_is_set_forward_ends_what_has_ended_and_nothing_else() {
    let (server, clock) = start();
    let (mut idle, mut busy) = (Browser::new(&server), Browser::new(&server));
    idle.sign_in().unwrap();
    busy.sign_in().unwrap();
    assert_eq!(busy.add_note("before").status, 201);
    // Behind the end of the access token, before that of a session that is not used.
    clock.set(20);
    assert!(busy.notes().contains(&"before".to_owned()));
    clock.set(40);
    assert!(!idle.is_signed_in());
    assert!(busy.is_signed_in());
    assert_eq!(busy.add_note("after").status, 201);
    idle.sign_in().unwrap();
    assert_eq!(difference(&mut idle), 40);
    server.stop().assert_orderly();
}

#[test]
fn a_clock_that_is_set_back_signs_nobody_out_and_gives_nobody_more_time_than_it_must() {
    let (server, clock) = start();
    let (mut before, mut meanwhile) = (Browser::new(&server), Browser::new(&server));
    before.sign_in().unwrap();
    clock.set(-60);
    assert!(before.is_signed_in());
    assert_eq!(before.add_note("an hour ago").status, 201);
    meanwhile.sign_in().unwrap();
    assert_eq!(difference(&mut meanwhile), -60);
    // Who signed in by the wrong clock has not been seen for an hour, by the right one.
    clock.set(0);
    assert!(before.is_signed_in());
    assert!(!meanwhile.is_signed_in());
    assert!(before.notes().contains(&"an hour ago".to_owned()));
    server.stop().assert_orderly();
}

#[test]
fn a_login_survives_a_clock_that_is_set_while_it_is_under_way() {
    let (server, clock) = start();
    for minutes in [2, -60] {
        clock.set(0);
        let mut browser = Browser::new(&server);
        let authorization = browser.begin_login("demo").unwrap();
        clock.set(minutes);
        let callback = browser.authenticate(&authorization).unwrap();
        let answer = browser.finish_login(&callback).unwrap();
        assert_eq!(answer.status, 200, "{minutes} minutes: {answer:?}");
        assert_eq!(browser.add_note("signed in").status, 201);
    }
    server.stop().assert_orderly();
}
