//! Ctrl-C: once to stop after the batch that is under way, if one is; twice to stop at once.

use std::io;

use crate::progress::Interrupter;

/// The exit code of a process that Ctrl-C stopped.
const STOPPED: i32 = 130;

/// Listens for Ctrl-C, and on Unix for SIGTERM, until the runtime ends.
///
/// # Errors
/// Where the system allows no listener.
pub fn listen(interrupter: Interrupter) -> io::Result<()> {
    let mut signals = Signals::new()?;
    tokio::spawn(async move {
        signals.next().await;
        eprintln!("stopping; a batch under way is finished first, and Ctrl-C again stops at once");
        interrupter.request();
        signals.next().await;
        std::process::exit(STOPPED);
    });
    Ok(())
}

/// The signals that ask the program to stop, listened to from the start so that none is missed.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Ctrl-C, where there is nothing else.
#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn new() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) {
        self.0.recv().await;
    }
}
