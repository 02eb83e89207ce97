//! What is in the way of a connection.

use runner::graph::{ConnectFault, GraphError};

use super::*;

async fn fault(connection: &Connection) -> ConnectFault {
    match Neo4j::connect(connection).await {
        Err(GraphError::Connect { fault, .. }) => fault,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was reached"),
    }
}

#[tokio::test]
async fn a_server_says_what_it_is() {
    let server = servers::Neo4j::shared();
    let store = connect(&server).await;
    assert!(store.engine().starts_with("Neo4j 5.26."), "{}", store.engine());
    assert_eq!(store.edition(), "community");
    let routed = connection(&server.uri().replace("bolt://", "neo4j://"));
    assert_eq!(Neo4j::connect(&routed).await.unwrap().version(), store.version());
}

#[tokio::test]
async fn each_fault_is_told_from_the_others() {
    let server = servers::Neo4j::shared();
    let good = connection(&server.uri());
    let with = |change: &dyn Fn(&mut Connection)| {
        let mut connection = good.clone();
        change(&mut connection);
        connection
    };
    let user = || "neo4j".to_owned();
    let unknown = with(&|c| "bolt://no-such-host.invalid:7687".clone_into(&mut c.uri));
    assert_eq!(fault(&unknown).await, ConnectFault::UnknownHost { host: "no-such-host.invalid".to_owned() });
    let refused = with(&|c| "bolt://127.0.0.1:1".clone_into(&mut c.uri));
    assert_eq!(fault(&refused).await, ConnectFault::Refused);
    let wrong = with(&|c| c.password = Some(Password::from("wrong".to_owned())));
    assert_eq!(fault(&wrong).await, ConnectFault::Credentials { user: user() });
    let database = with(&|c| "other".clone_into(&mut c.database));
    assert_eq!(fault(&database).await, ConnectFault::NoSuchDatabase { database: "other".to_owned() });
    let untrusted = with(&|c| c.uri = c.uri.replace("bolt:", "bolt+s:"));
    assert_eq!(fault(&untrusted).await, ConnectFault::UnknownAuthority);
}
