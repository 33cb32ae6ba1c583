//! What happens to every request, outermost first: `request_log`, `security_headers`, `problem`, `csrf`.

pub mod csrf;
pub mod problem;
pub mod request_log;
pub mod security_headers;
