//! `[upstreams.<name>]`: limits, header rules, token exchange and certificates.

use super::Setup;
use oauth2flow::config::HttpVersion;
use std::time::Duration;

const ORDERS: &str =
    "[providers.github]\nclient_id = \"a\"\nclient_secret = \"b\"\n[upstreams.orders]\nurl = \"https://orders.example.com/api\"\n";

fn with(settings: &str) -> Setup {
    Setup::with_file(&format!("{ORDERS}{settings}"))
}

#[test]
fn an_address_is_enough() {
    let config = with("").load().unwrap();
    let orders = &config.upstreams[0];
    assert!(orders.paths.is_none() && orders.methods.is_none() && orders.exchange.is_none());
    assert_eq!(
        (orders.timeout, orders.idle_timeout, orders.pool_idle),
        (Duration::from_secs(30), Duration::from_mins(5), Duration::from_secs(50))
    );
    assert_eq!((orders.max_body_bytes, orders.max_concurrent, orders.http_version), (None, None, HttpVersion::Auto));
    assert!(!orders.forward_user && !orders.forward_client);
}

#[test]
fn everything_can_be_set() {
    let config = with(
        "paths = [\"/orders/*\"]\nmax_body = \"10MiB\"\nmax_concurrent = 200\nidle_timeout = \"1m\"\nhttp_version = \"2\"\npool_idle = \"5s\"\n\
         token_exchange = true\naudience = [\"orders-api\"]\nresource = [\"https://orders.example.com\"]\nscopes = [\"read\", \"write\"]\n\
         forward_user = true\nforward_client = true\nset_request_headers_file = \"headers.secret\"\nremove_request_headers = [\"Accept\"]\n\
         set_response_headers = { X-Served-By = \"orders\" }\nremove_response_headers = [\"Server\"]\n",
    )
    .file("headers.secret", "X-Api-Key: sentinel-secret\nX-Tenant: 7\n")
    .load()
    .unwrap();
    let orders = &config.upstreams[0];
    assert!(orders.paths.as_ref().unwrap()[0].matches("/orders/7"));
    assert_eq!((orders.max_body_bytes, orders.max_concurrent, orders.http_version), (Some(10 << 20), Some(200), HttpVersion::Http2));
    let exchange = orders.exchange.as_ref().unwrap();
    assert_eq!((exchange.audience.as_slice(), exchange.scopes.len()), (["orders-api".to_owned()].as_slice(), 2));
    assert_eq!(orders.headers.set_request[0].1, "sentinel-secret");
    assert_eq!((orders.headers.remove_request[0].as_str(), orders.headers.set_response[0].0.as_str()), ("accept", "x-served-by"));
    assert!(!format!("{config:?}").contains("sentinel-secret"));
}

#[test]
fn what_cannot_be_meant_is_a_problem_with_its_key() {
    for (settings, key) in [
        ("paths = []\n", "paths"),
        ("paths = [\"orders\"]\n", "paths"),
        ("paths = [\"/orders*\"]\n", "paths"),
        ("paths = [\"/a/../b\"]\n", "paths"),
        ("timeout = \"0s\"\n", "timeout"),
        ("idle_timeout = \"0s\"\n", "idle_timeout"),
        ("max_body = 10\n", "max_body"),
        ("max_body = \"10MB\"\n", "max_body"),
        ("max_concurrent = 0\n", "max_concurrent"),
        ("max_concurrent = -1\n", "max_concurrent"),
        ("max_concurrent = 1.5\n", "max_concurrent"),
        ("http_version = \"3\"\n", "http_version"),
        ("audience = [\"orders-api\"]\n", "audience"),
        ("resource = [\"https://orders.example.com\"]\n", "resource"),
        ("scopes = [\"read\"]\n", "scopes"),
        ("token_exchange = true\nresource = [\"orders\"]\n", "resource"),
        ("token_exchange = true\nresource = [\"https://orders.example.com/#a\"]\n", "resource"),
        ("set_request_headers = { Authorization = \"Bearer x\" }\n", "set_request_headers"),
        ("set_request_headers = { Cookie = \"a=b\" }\n", "set_request_headers"),
        ("set_request_headers = { Host = \"other.example.com\" }\n", "set_request_headers"),
        ("set_request_headers = { X-Forwarded-For = \"127.0.0.1\" }\n", "set_request_headers"),
        ("set_request_headers = { X-Auth-Request-User = \"root\" }\n", "set_request_headers"),
        ("set_request_headers = { Connection = \"close\" }\n", "set_request_headers"),
        ("set_request_headers = { \"a b\" = \"c\" }\n", "set_request_headers"),
        ("set_request_headers = { X-A = \"line\\nbreak\" }\n", "set_request_headers"),
        ("remove_request_headers = [\"Transfer-Encoding\"]\n", "remove_request_headers"),
        ("remove_request_headers = [\"a b\", \"a:b\"]\n", "remove_request_headers"),
        ("set_response_headers = { Set-Cookie = \"a=b\" }\n", "set_response_headers"),
        ("set_response_headers = { Access-Control-Allow-Origin = \"*\" }\n", "set_response_headers"),
        ("set_response_headers = { Content-Length = \"1\" }\n", "set_response_headers"),
        ("root_certificates_file = \"missing.pem\"\n", "root_certificates_file"),
        ("client_certificate = \"-----BEGIN CERTIFICATE-----\"\n", "client_certificate_key"),
        ("client_certificate_key = \"-----BEGIN PRIVATE KEY-----\"\n", "client_certificate"),
    ] {
        let problems = with(settings).load().unwrap_err();
        let keys: Vec<_> = problems.iter().map(|problem| problem.key.as_str()).collect();
        assert!(!keys.is_empty() && keys.iter().all(|found| *found == format!("upstreams.orders.{key}")), "{settings}: {keys:?}");
    }
}
