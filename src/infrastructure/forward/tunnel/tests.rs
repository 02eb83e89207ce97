#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicBool, Ordering};

use futures::channel::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::task::JoinHandle;

use super::*;

/// The other end of a tunnel: what the kubelet would do.
struct Kubelet {
    sends: UnboundedSender<Result<Message, WebSocketError>>,
    hears: UnboundedReceiver<Message>,
    answered: std::sync::Arc<AtomicBool>,
}

impl Kubelet {
    fn says(&self, channel: u8, words: &[u8]) {
        let message = [&[channel], words].concat();
        self.sends.unbounded_send(Ok(Message::binary(message))).unwrap();
    }
}

/// A connection that is carried: the client's end, the kubelet's end, and what came of it.
fn carried() -> (DuplexStream, Kubelet, JoinHandle<Result<(), TunnelError>>) {
    let (client, socket) = tokio::io::duplex(1 << 20);
    let (sends, from_pod) = mpsc::unbounded();
    let (to_pod, hears) = mpsc::unbounded();
    let answered = std::sync::Arc::new(AtomicBool::new(false));
    let told = std::sync::Arc::clone(&answered);
    let to_pod = to_pod.sink_map_err(|_| WebSocketError::ConnectionClosed);
    let carrying = tokio::spawn(async move {
        let (up, down) = tokio::io::split(socket);
        let answered = || told.store(true, Ordering::Relaxed);
        both(super::up(up, to_pod), super::down(from_pod, down, answered)).await
    });
    (client, Kubelet { sends, hears, answered }, carrying)
}

#[tokio::test]
async fn bytes_go_both_ways_behind_the_number_of_their_channel() {
    let (mut client, mut kubelet, carrying) = carried();
    kubelet.says(DATA, &9094_u16.to_le_bytes());
    kubelet.says(ERRORS, &9094_u16.to_le_bytes());
    client.write_all(b"question").await.unwrap();
    assert_eq!(kubelet.hears.next().await.unwrap(), Message::binary(b"\0question".to_vec()));
    assert!(!kubelet.answered.load(Ordering::Relaxed));
    kubelet.says(DATA, b"ans");
    kubelet.says(DATA, b"wer");
    kubelet.sends.unbounded_send(Ok(Message::Close(None))).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "answer");
    assert!(kubelet.answered.load(Ordering::Relaxed));
    carrying.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_the_pod_still_sends_after_the_client_has_ended_its_side_arrives() {
    let (mut client, kubelet, carrying) = carried();
    kubelet.says(DATA, &[0, 0]);
    client.shutdown().await.unwrap();
    tokio::task::yield_now().await;
    kubelet.says(DATA, b"late");
    let mut answer = [0; 4];
    client.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"late");
    drop(kubelet.sends);
    carrying.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_comes_on_the_channel_of_errors_ends_the_connection() {
    let (mut client, kubelet, carrying) = carried();
    kubelet.says(ERRORS, &9_u16.to_le_bytes());
    kubelet.says(ERRORS, b"lost connection to pod");
    assert_eq!(carrying.await.unwrap().unwrap_err().to_string(), "lost connection to pod");
    assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0);
}

#[test]
fn the_kubelets_words_are_made_plain() {
    let refused = "error forwarding port 9 to pod 7b0c, uid : failed to execute portforward in network namespace \
                   \"/var/run/netns/cni-1\": failed to connect to localhost:9 inside namespace \"7b0c\", IPv4: dial tcp4 \
                   127.0.0.1:9: connect: connection refused IPv6 dial tcp6: address localhost: no suitable address found";
    assert_eq!(plain(refused), "nothing listens there yet");
    let gone = "error forwarding port 9 to pod 7b0c, uid : network namespace for sandbox \"7b0c\" is closed";
    assert_eq!(plain(gone), "network namespace for sandbox \"7b0c\" is closed");
}
