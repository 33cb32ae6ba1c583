#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    oauth2flow_fuzz::access(input);
});
