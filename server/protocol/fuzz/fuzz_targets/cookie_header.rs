#![no_main]

// The server's own file: the rest of the server has nothing to do with it, and takes long to compile.
#[path = "../../../src/session/cookie.rs"]
#[expect(dead_code, reason = "the cookies are read here, not set")]
mod cookie;
#[path = "../src/cookie_header.rs"]
mod cookie_header;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    cookie_header::cookie_header(input);
});
