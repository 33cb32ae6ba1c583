//! The seeds of the fuzz targets, replayed as they are and with simple changes: what a fuzzer would begin with, tried by an
//! ordinary compiler at every run of the tests. `cargo xtask fuzz` goes on from here.

#![expect(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "a target that finds something ends there")]

#[path = "../../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "to the fuzzer it is a library")]
mod fuzz;
#[path = "../../fuzz/src/replay.rs"]
#[expect(unreachable_pub, clippy::cast_possible_truncation, reason = "the tests of the server use it too; small numbers stay small")]
mod replay;

use replay::{FEW, MANY};
use std::path::Path;

fn replay(name: &str, target: fn(&[u8]) -> bool, changes: usize) {
    replay::replay(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(name), target, changes);
}

#[test]
fn nobody_is_let_in_by_another_domain() {
    replay("access", fuzz::access, MANY);
}

#[test]
fn no_callback_is_taken_for_another() {
    replay("callback", fuzz::callback, MANY);
}

#[test]
fn no_signed_response_is_accepted_that_nobody_signed() {
    replay("jarm", fuzz::jarm, MANY);
}

#[test]
fn no_signed_response_is_taken_for_another() {
    replay("jarm_claims", fuzz::jarm_claims, FEW);
}

#[test]
fn no_token_answer_is_taken_for_another() {
    replay("token_answer", fuzz::token_answer, MANY);
}

#[test]
fn no_metadata_leads_to_a_foreign_place() {
    replay("metadata", fuzz::metadata, MANY);
}

#[test]
fn no_key_set_holds_more_than_its_document() {
    replay("jwks", fuzz::jwks, MANY);
}

#[test]
fn no_id_token_is_accepted_that_nobody_signed() {
    replay("id_token", fuzz::id_token, MANY);
}

#[test]
fn no_id_token_is_taken_for_another() {
    replay("id_token_claims", fuzz::id_token_claims, FEW);
}

#[test]
fn no_logout_token_is_accepted_that_nobody_signed() {
    replay("logout_token", fuzz::logout_token, MANY);
}

#[test]
fn no_logout_token_is_taken_for_another() {
    replay("logout_token_claims", fuzz::logout_token_claims, FEW);
}

#[test]
fn no_description_of_a_user_is_taken_for_anothers() {
    replay("userinfo", fuzz::userinfo, MANY);
}

#[test]
fn no_signed_description_of_a_user_is_taken_for_anothers() {
    replay("userinfo_claims", fuzz::userinfo_claims, FEW);
}

#[test]
fn no_address_is_taken_that_is_not_verified() {
    replay("emails", fuzz::emails, MANY);
}

#[test]
fn no_answer_to_a_pushed_request_adds_to_the_address() {
    replay("pushed_request", fuzz::pushed_request, MANY);
}

#[test]
fn no_challenge_demands_what_cannot_be_asked_for() {
    replay("step_up", fuzz::step_up, MANY);
}

#[test]
fn no_return_target_leaves_the_origin() {
    replay("return_to", fuzz::return_to, MANY);
}

#[test]
fn no_transaction_is_read_in_two_ways() {
    replay("transaction", fuzz::transaction, MANY);
}

#[test]
fn no_private_key_is_published_or_printed() {
    replay("private_key", fuzz::private_key, FEW);
}
