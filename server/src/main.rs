//! The server with this project's own app.

use oauth2flow::Program;
use std::process::ExitCode;

/// A request makes and drops a hundred small pieces of memory, which costs less here than with the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    Program::default().main()
}
