//! Who holds a port of this machine.
//!
//! Kafka tells its clients the port that a broker is forwarded to, so that two runs on the same brokers need the same ports. A
//! run that holds one says so in a file, which it keeps locked: who finds the lock held reads there where the port leads. A file
//! that nobody holds says nothing, however the run that wrote it ended.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::TcpListener;

use super::ForwardError;

/// How often the file of a port is read until its holder has written it, and how long is waited between.
const READ_AT_MOST: u32 = 20;
const BETWEEN: Duration = Duration::from_millis(25);

/// A port that is wanted.
pub(super) struct Request {
    /// The port; 0 for any.
    pub port: u16,
    /// The folder of the files; none where ports are not shared.
    pub folder: Option<PathBuf>,
    /// Where it shall lead: two runs that say the same may share it.
    pub holder: String,
}

/// A port that may be used.
pub(super) enum Claim {
    /// It is held here.
    Ours {
        /// What listens.
        listener: TcpListener,
        /// The lock on the port's file, which is let go of when it is dropped.
        lock: Option<File>,
    },
    /// Another run holds it, and it leads to the same place.
    Shared,
}

/// Takes a port.
pub(super) async fn claim(request: &Request) -> Result<Claim, ForwardError> {
    let Request { port, folder, holder } = request;
    // Where the folder cannot be used, the port is held without saying so.
    let file = folder.as_deref().filter(|_| *port != 0).and_then(|folder| open(folder, *port).ok());
    let Some(mut file) = file else {
        return Ok(Claim::Ours { listener: listen(*port).await?, lock: None });
    };
    match file.try_lock() {
        Ok(()) => {
            // What stands there was written by a run that has ended.
            let _ = file.set_len(0);
            let listener = listen(*port).await?;
            // Where it cannot be written, another run cannot share the port, and says that it is in use.
            let _ = file.write_all(holder.as_bytes());
            Ok(Claim::Ours { listener, lock: Some(file) })
        }
        Err(TryLockError::WouldBlock) => match read(&mut file).await {
            Some(other) if other == *holder => Ok(Claim::Shared),
            other => Err(ForwardError::Taken { port: *port, holder: other }),
        },
        Err(TryLockError::Error(_)) => Ok(Claim::Ours { listener: listen(*port).await?, lock: None }),
    }
}

async fn listen(port: u16) -> Result<TcpListener, ForwardError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => ForwardError::Taken { port, holder: None },
        _ => ForwardError::Refused { port, source },
    })
}

fn open(folder: &Path, port: u16) -> io::Result<File> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join(port.to_string());
    File::options().read(true).write(true).create(true).truncate(false).open(path)
}

/// What the holder of a port has written, once it has.
async fn read(file: &mut File) -> Option<String> {
    for _ in 0..READ_AT_MOST {
        let mut text = String::new();
        file.rewind().and_then(|()| file.read_to_string(&mut text)).ok()?;
        if !text.is_empty() {
            return Some(text);
        }
        tokio::time::sleep(BETWEEN).await;
    }
    None
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

    use super::*;

    fn free_port() -> u16 {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.local_addr().unwrap().port()
    }

    fn request(folder: &Path, port: u16, holder: &str) -> Request {
        Request { port, folder: Some(folder.to_owned()), holder: holder.to_owned() }
    }

    #[tokio::test]
    async fn two_runs_share_a_port_that_leads_to_the_same_place_until_the_first_one_ends() {
        let folder = tempfile::tempdir().unwrap();
        let request = request(folder.path(), free_port(), "pod a-kafka-0:9094 of a in https://one");
        let first = claim(&request).await.unwrap();
        assert!(matches!(first, Claim::Ours { .. }));
        assert!(matches!(claim(&request).await.unwrap(), Claim::Shared));
        drop(first);
        assert!(matches!(claim(&request).await.unwrap(), Claim::Ours { .. }));
    }

    #[tokio::test]
    async fn a_port_that_leads_elsewhere_is_taken_and_says_where_to() {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let _first =
            claim(&request(folder.path(), port, "pod a-kafka-0:9094 of a in https://one")).await.unwrap();
        let second = claim(&request(folder.path(), port, "pod b-kafka-0:9094 of b in https://one")).await;
        let Err(error) = second else { panic!("the port was given twice") };
        assert_eq!(
            error.to_string(),
            format!(
                "port {port} of this machine is in use by runner's forward to pod a-kafka-0:9094 of a in https://one"
            )
        );
    }

    #[tokio::test]
    async fn a_port_of_another_program_is_taken_whatever_an_old_file_says() {
        let folder = tempfile::tempdir().unwrap();
        let other = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = other.local_addr().unwrap().port();
        std::fs::write(folder.path().join(port.to_string()), "the same").unwrap();
        let claimed = claim(&request(folder.path(), port, "the same")).await;
        assert!(matches!(claimed, Err(ForwardError::Taken { holder: None, .. })));
    }

    #[tokio::test]
    async fn any_port_is_never_shared() {
        let folder = tempfile::tempdir().unwrap();
        let request = request(folder.path(), 0, "service a-neo4j:7687 of a in https://one");
        let (first, second) = (claim(&request).await.unwrap(), claim(&request).await.unwrap());
        assert!(matches!((first, second), (Claim::Ours { .. }, Claim::Ours { .. })));
    }
}
