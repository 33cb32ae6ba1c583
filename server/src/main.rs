//! The server with this project's own app.

use oauth2flow::Program;
use std::process::ExitCode;

fn main() -> ExitCode {
    Program::default().main()
}
