//! A network that misbehaves as asked: a TCP proxy on a port of its own.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{sleep, spawn};
use std::time::Duration;

/// What becomes of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// They are passed on.
    Pass,
    /// Each piece is passed on so much later.
    Delay(Duration),
    /// They wait, and so do new connections, until the way is another.
    Hold,
    /// New connections are closed at once; those that are open go on.
    Refuse,
    /// So many bytes of the server are passed on, over all connections; then theirs and all others are cut, and the way is
    /// [`Way::Pass`] again. Most messages end in the middle.
    Truncate(usize),
}

/// A proxy. It ends when it is dropped.
pub struct Proxy {
    port: u16,
    state: Arc<State>,
}

struct State {
    way: Mutex<Way>,
    changed: Condvar,
    target: Mutex<Option<SocketAddr>>,
    open: Mutex<Vec<TcpStream>>,
    accepted: AtomicU32,
    ended: AtomicBool,
}

impl Proxy {
    /// A proxy that takes connections before it is known where they go: see [`Self::lead_to`].
    pub fn new() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            way: Mutex::new(Way::Pass),
            changed: Condvar::new(),
            target: Mutex::new(None),
            open: Mutex::new(Vec::new()),
            accepted: AtomicU32::new(0),
            ended: AtomicBool::new(false),
        });
        let shared = Arc::clone(&state);
        spawn(move || shared.accept(&listener));
        Self { port, state }
    }

    /// A proxy to `127.0.0.1:PORT`.
    pub fn to(address: &str) -> Self {
        let proxy = Self::new();
        proxy.lead_to(address);
        proxy
    }

    /// Where new connections go from now on.
    pub fn lead_to(&self, address: &str) {
        *locked(&self.state.target) = Some(address.parse().unwrap());
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// `127.0.0.1:PORT`, for clients.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// What becomes of the bytes from now on.
    pub fn set(&self, way: Way) {
        *locked(&self.state.way) = way;
        self.state.changed.notify_all();
    }

    /// Closes what is open.
    pub fn cut(&self) {
        self.state.cut();
    }

    /// How many connections have come so far.
    pub fn accepted(&self) -> u32 {
        self.state.accepted.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::Relaxed);
        self.set(Way::Pass);
        // Wakes the thread that waits for connections.
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
        self.cut();
    }
}

impl State {
    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming().map_while(Result::ok) {
            if self.ended.load(Ordering::Relaxed) {
                return;
            }
            self.accepted.fetch_add(1, Ordering::Relaxed);
            let state = Arc::clone(self);
            spawn(move || state.connect(client));
        }
    }

    /// Opens the way to the server. Where that fails, or is not to be, the client's connection ends here.
    fn connect(self: Arc<Self>, client: TcpStream) {
        let target = *locked(&self.target);
        if self.way_after_holding() == Way::Refuse {
            return;
        }
        let Some(Ok(server)) = target.map(TcpStream::connect) else { return };
        for stream in [&client, &server] {
            stream.set_nodelay(true).unwrap();
            locked(&self.open).push(stream.try_clone().unwrap());
        }
        let (from_client, to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        let state = Arc::clone(&self);
        spawn(move || state.pump(from_client, to_server, false));
        self.pump(server, client, true);
    }

    fn pump(&self, mut from: TcpStream, mut to: TcpStream, of_server: bool) {
        let mut buffer = [0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            let passes = self.passes(length, of_server);
            if to.write_all(&buffer[..passes]).is_err() {
                break;
            }
            if passes < length {
                self.cut();
            }
        }
        // Either side's end is the end of both.
        drop(from.shutdown(Shutdown::Both));
        drop(to.shutdown(Shutdown::Both));
    }

    /// How much of a piece is to be passed on, now.
    fn passes(&self, length: usize, of_server: bool) -> usize {
        match self.way_after_holding() {
            Way::Delay(time) => sleep(time),
            Way::Truncate(_) if of_server => {
                let mut way = locked(&self.way);
                let Way::Truncate(left) = &mut *way else { return length };
                if *left < length {
                    let passes = *left;
                    *way = Way::Pass;
                    return passes;
                }
                *left -= length;
            }
            Way::Pass | Way::Refuse | Way::Hold | Way::Truncate(_) => {}
        }
        length
    }

    fn way_after_holding(&self) -> Way {
        let held = self.changed.wait_while(locked(&self.way), |way| *way == Way::Hold);
        *held.unwrap_or_else(PoisonError::into_inner)
    }

    fn cut(&self) {
        for stream in locked(&self.open).drain(..) {
            drop(stream.shutdown(Shutdown::Both));
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A server that says each byte back.
fn echo() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut back = stream.try_clone().unwrap();
            spawn(move || std::io::copy(&mut stream, &mut back));
        }
    });
    address
}

/// What comes back of ten bytes, within half a second.
fn back(stream: &mut TcpStream) -> Result<usize, std::io::ErrorKind> {
    stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    stream.write_all(&[7; 10]).map_err(|error| error.kind())?;
    let mut read = 0;
    let mut buffer = [0; 10];
    while read < 10 {
        match stream.read(&mut buffer[read..]).map_err(|error| error.kind())? {
            0 => break,
            length => read += length,
        }
    }
    Ok(read)
}

#[test]
fn the_proxy_passes_holds_delays_truncates_cuts_and_refuses() {
    let proxy = Proxy::to(&echo().to_string());
    let open = || TcpStream::connect(proxy.address()).unwrap();
    let mut stream = open();
    assert_eq!(back(&mut stream), Ok(10));
    proxy.set(Way::Delay(Duration::from_millis(20)));
    let begun = std::time::Instant::now();
    assert_eq!(back(&mut stream), Ok(10));
    assert!(begun.elapsed() >= Duration::from_millis(40), "there and back");
    proxy.set(Way::Hold);
    assert_eq!(back(&mut stream), Err(std::io::ErrorKind::WouldBlock));
    proxy.set(Way::Pass);
    stream.read_exact(&mut [0; 10]).unwrap();
    proxy.set(Way::Truncate(13));
    let mut other = open();
    assert_eq!(back(&mut other), Ok(10));
    assert_eq!(back(&mut other), Ok(3));
    assert_eq!(back(&mut open()), Ok(10), "the next connection is whole");
    let mut cut = open();
    assert_eq!(back(&mut cut), Ok(10));
    proxy.cut();
    assert_ne!(back(&mut cut), Ok(10));
    proxy.set(Way::Refuse);
    assert_ne!(back(&mut open()), Ok(10));
    assert!(proxy.accepted() >= 5);
}
