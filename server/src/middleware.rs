//! What happens to every request, outermost first: `client_ip`, `request_log`, `security_headers`, `problem`, `rate_limit`, `csrf`.

pub mod client_ip;
pub mod csrf;
pub mod head_size;
pub mod problem;
pub mod rate_limit;
pub mod request_log;
pub mod security_headers;
