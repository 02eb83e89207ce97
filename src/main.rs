//! The `runner` program; everything it does is in the library.

use std::process::ExitCode;

/// A batch is made by one thread and freed by another, of many small pieces: this is where the system's allocator takes its time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    runner::cli::main()
}
