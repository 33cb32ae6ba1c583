//! What the decisions of a login cost, each by itself.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a benchmark that cannot go on should end there")]

use criterion::{BatchSize, Criterion};
use oauth2flow_protocol::{
    AuthorizationOptions, AuthorizationResponse, ReturnTo, Transaction, authorization_url, callback,
    id_token::{self, IdTokenExpectations},
};
use signing_key::{SigningKey, key_set};
use std::hint::black_box;
use support::{CODE, ISSUER, Login, REDIRECT_URI, now, with_context};

#[path = "../tests/rules/signing_key.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod signing_key;
#[path = "../tests/rules/support.rs"]
#[expect(dead_code, unused_imports, unused_macros, reason = "the tests need more of it")]
mod support;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    transaction(&mut criterion);
    callback(&mut criterion);
    id_token(&mut criterion);
    criterion.final_summary();
}

fn transaction(criterion: &mut Criterion) {
    let login = Login::openid();
    criterion.bench_function("begin a transaction", |bencher| {
        bencher.iter(|| {
            let (return_to, options) = (ReturnTo::parse("/account"), AuthorizationOptions::default());
            with_context(1, |context| Transaction::begin(&login.provider, &login.metadata, REDIRECT_URI, return_to, options, context))
        });
    });
    criterion.bench_function("compose the authorization address", |bencher| {
        bencher.iter(|| with_context(2, |context| authorization_url(&login.provider, &login.metadata, &login.transaction, context)));
    });
    let plaintext = login.transaction.to_plaintext();
    criterion.bench_function("write a transaction", |bencher| bencher.iter(|| login.transaction.to_plaintext()));
    criterion.bench_function("read a transaction", |bencher| bencher.iter(|| Transaction::from_plaintext(black_box(&plaintext))));
}

fn callback(criterion: &mut Criterion) {
    let login = Login::openid();
    let state = login.state();
    let pairs = [("code", CODE), ("state", state.as_str()), ("iss", ISSUER)];
    criterion.bench_function("validate a callback", |bencher| {
        let setup = || (AuthorizationResponse::from_pairs(pairs).unwrap(), login.transaction.clone());
        bencher.iter_batched(
            setup,
            |(response, transaction)| callback::validate(response, transaction, &login.provider, &login.metadata, None, now()),
            BatchSize::SmallInput,
        );
    });
}

fn id_token(criterion: &mut Criterion) {
    let login = Login::openid();
    for key in [SigningKey::rs256("key-1"), SigningKey::es256("key-1")] {
        let keys = key_set(&[&key]);
        let tokens = login.tokens_with(&key.sign(&login.claims()));
        let expectations = IdTokenExpectations::new(&login.provider, &login.metadata, &tokens, now()).unwrap();
        let raw = tokens.id_token.as_ref().unwrap();
        let algorithm = key.header()["alg"].as_str().unwrap().to_owned();
        id_token::validate(raw, &expectations, &keys).unwrap();
        criterion.bench_function(&format!("validate an ID token, {algorithm}"), |bencher| {
            bencher.iter(|| id_token::validate(black_box(raw), &expectations, &keys));
        });
    }
}
