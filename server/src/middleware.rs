//! What happens to every request. [`envelope`] has the order: `request_log` with `client_ip`, `security_headers`, `problem`, `rate_limit`,
//! `head_size`; `csrf` then guards the routes that need it.

pub mod client_ip;
pub mod csrf;
pub mod envelope;
pub mod head_size;
pub mod problem;
pub mod rate_limit;
pub mod request_log;
pub mod security_headers;
