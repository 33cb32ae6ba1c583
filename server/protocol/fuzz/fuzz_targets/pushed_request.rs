#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    oauth2flow_fuzz::pushed_request(input);
});
