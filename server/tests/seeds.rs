//! The seeds of the fuzz target for the Cookie header, replayed as they are and with simple changes.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a target that finds something ends there")]

use oauth2flow::session::cookie;
use std::path::Path;

#[path = "../protocol/fuzz/src/cookie_header.rs"]
#[expect(unreachable_pub, reason = "to the fuzzer it is a library")]
mod cookie_header;
#[path = "../protocol/fuzz/src/replay.rs"]
#[expect(unreachable_pub, dead_code, clippy::cast_possible_truncation, reason = "to others it is a library; small numbers stay small")]
mod replay;

#[test]
fn no_cookie_is_trusted_whose_name_comes_twice() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("protocol/fuzz/seeds/cookie_header");
    replay::replay(&seeds, cookie_header::cookie_header, replay::MANY);
}
