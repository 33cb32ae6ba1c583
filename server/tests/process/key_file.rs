//! The key file: made once for its owner alone, never overwritten.

use crate::server::{Setup, shown};
use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
};

#[test]
fn it_is_made_once_and_only_its_owner_can_read_it() {
    let setup = Setup::new();
    let path = setup.path("data/session.key");
    setup.start().stop().assert_orderly();
    let key = fs::read_to_string(&path).unwrap();
    assert_eq!((key.len(), key.ends_with('\n')), (44, true));
    for file in ["data/session.key", "data/sessions.sqlite", "data/demo-provider.sqlite"] {
        assert_eq!(fs::metadata(setup.path(file)).unwrap().permissions().mode() & 0o777, 0o600, "{file}");
    }
    setup.start().stop().assert_orderly();
    assert_eq!(fs::read_to_string(&path).unwrap(), key);
}

#[test]
fn a_bad_one_is_named_and_left_as_it_is() {
    let good = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for (bad, line) in [
        (Vec::new(), "line 1"),
        (b"sentinel\n".to_vec(), "line 1"),
        (format!("{good}\nsentinel\n").into_bytes(), "line 2"),
        (format!("{good}A\n").into_bytes(), "line 1"),
        (b"\xff\xfe\x00sentinel".to_vec(), "line 1"),
    ] {
        let setup = Setup::new();
        let path = setup.path("data/session.key");
        fs::create_dir(setup.path("data")).unwrap();
        fs::write(&path, &bad).unwrap();
        let ended = setup.refusal();
        ended.assert_refused(&[&shown(&path), line, "Restore it from a backup", "move it away together with the session store"]);
        assert!(!ended.stderr.contains("sentinel"), "{}", ended.stderr);
        assert_eq!(fs::read(&path).unwrap(), bad);
        // Nothing else was made either: a database without its key would be worth nothing.
        assert_eq!(fs::read_dir(setup.path("data")).unwrap().count(), 1);
    }
}

#[test]
fn one_that_is_no_file_is_named() {
    let setup = Setup::new();
    let path = setup.path("data/session.key");
    fs::create_dir_all(&path).unwrap();
    setup.refusal().assert_refused(&[&shown(&path), "cannot be read", "check"]);
    fs::remove_dir(&path).unwrap();
    symlink("session.key", &path).unwrap();
    setup.refusal().assert_refused(&[&shown(&path), "cannot be read", "check"]);
}

#[test]
fn one_that_others_can_read_is_warned_about() {
    let setup = Setup::new();
    setup.start().stop().assert_orderly();
    let path = setup.path("data/session.key");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let ended = setup.start().stop();
    ended.assert_orderly();
    let warning = ended.stdout.lines().find(|line| line.contains("WARN")).unwrap();
    assert!(warning.contains(&shown(&path)) && warning.contains("session.key_file"), "{warning}");
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let setup = Setup::new().argument("--data-dir").argument("file/data");
    fs::write(setup.path("file"), "not a directory").unwrap();
    setup.refusal().assert_refused(&[&shown(&setup.path("file/data/session.key")), "cannot be created", "check that its directory"]);
    assert_eq!(fs::read_to_string(setup.path("file")).unwrap(), "not a directory");
}
