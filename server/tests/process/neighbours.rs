//! Two servers with the same files.

use crate::{
    browser::{Browser, Callback, parameter},
    server::Setup,
    stand_in::StandIn,
};
use std::{fs, thread};

#[test]
fn a_second_server_on_the_same_port_gives_up_and_does_no_harm() {
    let setup = Setup::new();
    let server = setup.start();
    let mut browser = Browser::new(&server);
    browser.sign_in().unwrap();
    let key = fs::read(setup.path("data/session.key")).unwrap();
    setup.refusal().assert_refused(&[&format!("cannot listen on {}", setup.listen())]);
    assert_eq!(fs::read(setup.path("data/session.key")).unwrap(), key);
    assert!(browser.is_signed_in());
    assert_eq!(browser.add_note("still here").status, 201);
    server.stop().assert_orderly();
}

#[test]
fn servers_with_the_same_files_share_who_is_signed_in() {
    let setup = Setup::new();
    let first = setup.start();
    let second = setup.neighbour().start();
    let mut browser = Browser::new(&first);
    browser.sign_in().unwrap();
    // Cookies do not know ports, so this browser is signed in to both.
    let mut at_second = browser.at(&second);
    assert!(at_second.is_signed_in());

    let answer = at_second.call("POST", "/api/v1/oauth/logout", None).unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(!browser.is_signed_in());
    first.stop().assert_orderly();
    second.stop().assert_orderly();
}

#[test]
fn servers_with_the_same_files_sign_people_in_at_the_same_time() {
    let setup = Setup::new();
    let servers = [setup.start(), setup.neighbour().start()];
    thread::scope(|scope| {
        for origin in [0, 1, 0, 1].map(|server: usize| servers[server].origin()) {
            scope.spawn(move || {
                for _ in 0..3 {
                    let mut browser = Browser::of(origin.clone());
                    browser.sign_in().unwrap();
                    assert!(browser.is_signed_in());
                }
            });
        }
    });
    for server in servers {
        server.stop().assert_orderly();
    }
}

#[test]
fn servers_that_start_at_once_agree_on_one_key_and_one_database() {
    let stand_in = StandIn::start();
    let setup = Setup::new();
    let setups = [(); 4].map(|()| stand_in.configure(setup.neighbour()));
    thread::scope(|scope| {
        let starting = setups.each_ref().map(|setup| scope.spawn(|| setup.start()));
        let servers = starting.map(|starting| starting.join().unwrap());
        // What one of them has sealed, every one opens.
        for server in &servers {
            let mut browser = Browser::new(&servers[0]);
            let authorization = browser.begin_login("test").unwrap();
            let mut there = browser.at(server);
            let answer = there.finish_login(&Callback { code: "good".to_owned(), state: parameter(&authorization, "state"), iss: None });
            assert_eq!(answer.unwrap().status, 200);
        }
        for server in servers {
            server.stop().assert_orderly();
        }
    });
}
