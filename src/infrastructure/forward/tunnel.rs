//! One connection to a port of a pod.
//!
//! The API server's WebSocket protocol `v4.channel.k8s.io`, as kubelets speak it: each message begins with the number of its
//! channel, 0 for data and 1 for errors; the first message of a channel holds the port (two bytes, little-endian). That nothing
//! listens in the pod, or that the pod went away, is only told on the channel of errors. It has no half-close: who ends one
//! direction ends both. (`kubernetes/pkg/kubelet/…/portforward/websocket.go`)
//!
//! kube's own `Portforwarder` lets both directions wait for each other, and sends pieces of 4 KiB.

use std::io;
use std::time::Duration;

use futures::{Sink, SinkExt as _, Stream, StreamExt as _};
use k8s_openapi::api::core::v1::Pod;
use kube::core::Request;
use kube::{Client, Resource as _};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_tungstenite::tungstenite::{Error as WebSocketError, Message};

/// How long it may take until a pod is found and a tunnel to it open.
pub(super) const OPENED_WITHIN: Duration = Duration::from_secs(10);

/// After so long without a word from the client a ping is sent, so that no load balancer on the way ends a silent connection.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// How long the pod may go on sending after the client has ended its side.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The most that is read from the client at once.
const PIECE: usize = 64 * 1024;

const DATA: u8 = 0;
const ERRORS: u8 = 1;

/// Why a connection could not be carried, or not to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum TunnelError {
    /// No pod is ready behind the service.
    #[error("no pod is ready behind it")]
    NoPod,
    /// The API server does not open it.
    #[error("{}", refusal(.0))]
    NotOpened(#[from] kube::Error),
    /// The API server took too long.
    #[error("the API server did not open a port-forward within {} s", OPENED_WITHIN.as_secs())]
    TimedOut,
    /// The kubelet cannot reach the port in the pod.
    #[error("{0}")]
    Pod(String),
    /// The connection to the API server broke.
    #[error("the connection to the API server broke: {0}")]
    Broken(#[from] WebSocketError),
}

/// What the API server said, without the words that surround it.
fn refusal(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.clone(),
        other => other.to_string(),
    }
}

/// Opens a tunnel to a port of a pod; how long that may take is the caller's affair.
pub(super) async fn open(
    client: &Client,
    namespace: &str,
    pod: &str,
    port: u16,
) -> Result<
    impl Stream<Item = Result<Message, WebSocketError>> + Sink<Message, Error = WebSocketError> + use<>,
    TunnelError,
> {
    let pods = Request::new(Pod::url_path(&(), Some(namespace)));
    let request = pods.portforward(pod, &[port]).map_err(kube::Error::BuildRequest)?;
    Ok(client.connect(request).await?.into_stream())
}

/// Carries a connection through a tunnel until either side ends it. `answered` is called when the pod sends its first word.
pub(super) async fn carry<T>(
    socket: impl AsyncRead + AsyncWrite,
    tunnel: T,
    answered: impl FnOnce(),
) -> Result<(), TunnelError>
where
    T: Stream<Item = Result<Message, WebSocketError>> + Sink<Message, Error = WebSocketError>,
{
    let (from_client, to_client) = tokio::io::split(socket);
    let (to_pod, from_pod) = tunnel.split();
    both(up(from_client, to_pod), down(from_pod, to_client, answered)).await
}

/// Both directions at once, until the pod ends, or the client does and the pod has had its last words.
async fn both(
    up: impl Future<Output = Result<(), TunnelError>>,
    down: impl Future<Output = Result<(), TunnelError>>,
) -> Result<(), TunnelError> {
    let mut down = std::pin::pin!(down);
    tokio::select! {
        ended = &mut down => ended,
        ended = up => {
            ended?;
            tokio::time::timeout(LAST_WORDS, down).await.unwrap_or(Ok(()))
        }
    }
}

/// From the client to the pod, until the client ends.
async fn up(
    client: impl AsyncRead,
    pod: impl Sink<Message, Error = WebSocketError>,
) -> Result<(), TunnelError> {
    let (mut client, mut pod) = (std::pin::pin!(client), std::pin::pin!(pod));
    loop {
        let mut piece = Vec::with_capacity(1 + PIECE);
        piece.push(DATA);
        match tokio::time::timeout(KEEP_ALIVE, client.read_buf(&mut piece)).await {
            // A client that breaks its connection has ended it.
            Ok(Ok(0) | Err(_)) => return Ok(()),
            Ok(Ok(_)) => pod.send(Message::binary(piece)).await?,
            Err(_) => pod.send(Message::Ping(Vec::new().into())).await?,
        }
    }
}

/// From the pod to the client, until the pod ends.
async fn down(
    pod: impl Stream<Item = Result<Message, WebSocketError>>,
    client: impl AsyncWrite,
    answered: impl FnOnce(),
) -> Result<(), TunnelError> {
    let (mut pod, mut client) = (std::pin::pin!(pod), std::pin::pin!(client));
    let (mut opened, mut answered) = ([false; 2], Some(answered));
    while let Some(message) = pod.next().await {
        let message = match message? {
            Message::Binary(message) => message,
            Message::Close(_) => break,
            _ => continue,
        };
        let Some((&channel, words)) = message.split_first() else { continue };
        if let Some(opened) = opened.get_mut(usize::from(channel))
            && !std::mem::replace(opened, true)
        {
            continue;
        }
        match channel {
            DATA => {
                if let Some(answered) = answered.take() {
                    answered();
                }
                if client.write_all(words).await.is_err() {
                    return Ok(());
                }
            }
            ERRORS => return Err(TunnelError::Pod(plain(&String::from_utf8_lossy(words)))),
            _ => {}
        }
    }
    // Where the client has gone already, it has no use for the end.
    let _: io::Result<()> = client.shutdown().await;
    Ok(())
}

/// The kubelet's words without the names of sandboxes and of both address families.
///
/// They are `error forwarding port 9 to pod …, uid : failed to execute portforward in network namespace "…": failed to connect
/// to localhost:9 inside namespace "…", IPv4: dial tcp4 127.0.0.1:9: connect: connection refused IPv6 dial tcp6 …`.
fn plain(words: &str) -> String {
    if words.contains("connection refused") {
        return "nothing listens there yet".to_owned();
    }
    let words = words.trim();
    match words.split_once(", uid : ") {
        Some((_, cause)) => cause.to_owned(),
        None => words.to_owned(),
    }
}

#[cfg(test)]
mod tests;
