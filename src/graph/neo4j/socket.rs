//! `TCP_NODELAY` on the driver's sockets.
//!
//! The driver never sets it and has no hook for it. A message over its 8 KiB buffer goes out in several writes, of which
//! the last waits for the acknowledgement of the one before: some 45 ms a message on Linux, more than the server's work on it.
//! The program therefore looks among its own descriptors for the sockets that lead to the server, and sets the option on
//! a duplicate of each: the option belongs to the connection. `pidfd_getfd` duplicates a descriptor by its number without
//! `unsafe`; where the system refuses it (an old kernel, a seccomp profile, not Linux), batches go in small pieces instead.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

/// The sockets that lead to a server.
#[derive(Debug)]
pub(super) struct Sockets {
    server: Vec<SocketAddr>,
    /// The inodes of the sockets that were looked at, so that each is looked at once.
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    inodes: BTreeSet<u64>,
    refused: bool,
}

impl Sockets {
    pub(super) fn of(server: Vec<SocketAddr>) -> Self {
        Self { server, seen: Mutex::default() }
    }

    /// Sets the option on the server's sockets that do not have it yet; says whether all have it.
    pub(super) fn send_at_once(&self) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if !seen.refused {
            match system::send_at_once(&self.server, &seen.inodes) {
                Ok(inodes) => seen.inodes = inodes,
                Err(_) => seen.refused = true,
            }
        }
        !seen.refused
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::collections::BTreeSet;
    use std::fs;
    use std::io;
    use std::net::{SocketAddr, TcpStream};

    use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

    /// Returns the inodes of the sockets that need not be looked at again.
    pub(super) fn send_at_once(server: &[SocketAddr], seen: &BTreeSet<u64>) -> io::Result<BTreeSet<u64>> {
        let mut open = BTreeSet::new();
        let mut process = None;
        for entry in fs::read_dir("/proc/self/fd")? {
            let entry = entry?;
            let Some((descriptor, inode)) = socket(&entry) else { continue };
            if seen.contains(&inode) {
                open.insert(inode);
                continue;
            }
            let process = match &process {
                Some(process) => process,
                None => process.insert(pidfd_open(getpid(), PidfdFlags::empty())?),
            };
            let duplicate = match pidfd_getfd(process, descriptor, PidfdGetfdFlags::empty()) {
                Ok(duplicate) => duplicate,
                // It was closed in the meantime.
                Err(rustix::io::Errno::BADF) => continue,
                Err(error) => return Err(error.into()),
            };
            let stream = TcpStream::from(duplicate);
            // What is no TCP socket has no such peer, and what is not connected yet has none so far.
            let Ok(peer) = stream.peer_addr() else { continue };
            if server.contains(&peer) {
                stream.set_nodelay(true)?;
            }
            open.insert(inode);
        }
        Ok(open)
    }

    /// The number of a descriptor and the inode of its socket, where it is one.
    fn socket(entry: &fs::DirEntry) -> Option<(i32, u64)> {
        let target = fs::read_link(entry.path()).ok()?;
        let inode = target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()?;
        Some((entry.file_name().to_str()?.parse().ok()?, inode))
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::collections::BTreeSet;
    use std::io;
    use std::net::SocketAddr;

    pub(super) fn send_at_once(_: &[SocketAddr], _: &BTreeSet<u64>) -> io::Result<BTreeSet<u64>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn only_connections_to_the_server_are_changed() {
        let listen = || TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let (server, other) = (listen(), listen());
        let address = server.local_addr().unwrap();
        let sockets = Sockets::of(vec![address]);
        let to_server = TcpStream::connect(address).unwrap();
        let to_other = TcpStream::connect(other.local_addr().unwrap()).unwrap();
        assert!(sockets.send_at_once());
        assert!(to_server.nodelay().unwrap());
        assert!(!to_other.nodelay().unwrap());
        let later = TcpStream::connect(address).unwrap();
        assert!(sockets.send_at_once());
        assert!(later.nodelay().unwrap());
    }
}
