#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use tokio::io::DuplexStream;

use super::*;

const SUCCESS: &[u8] = &[0, 3, 0xb1, 0x70, 0xa0, 0, 0];
const IGNORED: &[u8] = &[0, 2, 0xb0, 0x7e, 0, 0];
/// `{code: "c", message: "m"}`, in two chunks, behind an empty one.
const FAILURE: &[u8] = b"\x00\x00\x00\x08\xb1\x7f\xa2\x84code\x00\x0c\x81c\x87message\x81m\x00\x00";

/// A session, and the server's end of its socket.
fn session() -> (Session, DuplexStream) {
    let (here, there) = tokio::io::duplex(1 << 20);
    (Session::over(Box::new(here)), there)
}

async fn message(server: &mut DuplexStream) -> Vec<u8> {
    let mut message = Vec::new();
    loop {
        let chunk = usize::from(server.read_u16().await.unwrap());
        if chunk == 0 {
            return message;
        }
        let from = message.len();
        message.resize(from + chunk, 0);
        server.read_exact(&mut message[from..]).await.unwrap();
    }
}

#[tokio::test]
async fn a_long_request_goes_in_chunks_and_arrives_whole() {
    for length in [1, CHUNK - 10, CHUNK, 2 * CHUNK, 200_000] {
        let (mut session, mut server) = session();
        let mut parameters = Pack::default();
        parameters.map(1);
        parameters.text("text");
        parameters.text(&"x".repeat(length));
        session.run("RETURN 1", &parameters);
        session.flush().await.unwrap();
        let run = message(&mut server).await;
        assert_eq!(run[..2], [0xb3, tag::RUN]);
        let mut fields = &run[2..];
        assert_eq!(unpack(&mut fields), Some("RETURN 1".into()));
        assert_eq!(unpack(&mut fields).unwrap()["text"], "x".repeat(length));
        assert_eq!(unpack(&mut fields), Some(Value::Object(Map::new())));
        assert!(fields.is_empty());
    }
}

#[tokio::test]
async fn a_failure_is_told_with_its_code_and_a_reset_makes_the_session_ready_again() {
    let (mut session, mut server) = session();
    session.begin("neo4j");
    session.run("RETRUN 1", &texts(&[]));
    session.pull();
    session.flush().await.unwrap();
    server.write_all(&[SUCCESS, FAILURE, IGNORED, SUCCESS].concat()).await.unwrap();
    session.answer().await.unwrap();
    let failure = session.answer().await.unwrap_err();
    assert!(
        matches!(&failure, BoltError::Server { code, message } if code == "c" && message == "m"),
        "{failure}"
    );
    assert!(!session.is_ready());
    session.reset().await.unwrap();
    assert!(session.is_ready());
}

#[tokio::test]
async fn what_comes_behind_a_commit_is_a_transaction_of_its_own() {
    let (mut session, mut server) = session();
    session.begin("neo4j");
    session.flush().await.unwrap();
    server.write_all(&[SUCCESS, SUCCESS, SUCCESS].concat()).await.unwrap();
    session.answer().await.unwrap();
    session.commit();
    session.begin("neo4j");
    session.flush().await.unwrap();
    session.committed().await.unwrap();
    session.answer().await.unwrap();
    assert!(!session.is_ready(), "the second one is open");
    for tag in [tag::BEGIN, tag::COMMIT, tag::BEGIN] {
        assert_eq!(message(&mut server).await[1], tag);
    }
}

#[tokio::test]
async fn a_session_that_was_given_up_within_an_answer_is_not_used_again() {
    let (mut session, mut server) = session();
    session.begin("neo4j");
    session.flush().await.unwrap();
    server.write_all(&SUCCESS[..4]).await.unwrap();
    let answer = tokio::time::timeout(Duration::from_millis(50), session.answer()).await;
    assert!(answer.is_err(), "the rest of it is missing");
    server.write_all(&SUCCESS[4..]).await.unwrap();
    assert!(matches!(session.reset().await, Err(BoltError::Torn)));
    assert!(!session.is_ready());
}

#[tokio::test]
async fn what_is_no_answer_is_told_and_never_a_panic() {
    for answer in [&[0, 1, 0xb1, 0, 0][..], &[0, 3, 0xb1, 0x55, 0xa0, 0, 0], &[0, 2, 0xb1, 0x70, 0, 0]] {
        let (mut session, mut server) = session();
        session.begin("neo4j");
        session.flush().await.unwrap();
        server.write_all(answer).await.unwrap();
        assert!(matches!(session.answer().await, Err(BoltError::Torn)), "{answer:?}");
        assert!(!session.is_ready());
    }
}
