//! What a run counts, for Prometheus: `GET /metrics` in its text format, version 0.0.4.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::stream::Counters;
use super::{Fault, fault};

/// The media type of the text format.
const TEXT_FORMAT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// Serves metrics as long as it lives.
#[derive(Debug)]
pub(super) struct Server(JoinHandle<()>);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Serves what a pipeline's run counts.
///
/// # Errors
/// Where the address cannot be had.
pub(super) async fn serve(
    address: SocketAddr,
    pipeline: &str,
    counters: &Arc<Counters>,
) -> Result<Server, Fault> {
    let listener =
        TcpListener::bind(address).await.map_err(|error| fault::metrics_address(address, &error))?;
    let (pipeline, counters) = (Arc::<str>::from(pipeline), Arc::clone(counters));
    Ok(Server(tokio::spawn(async move {
        loop {
            // A connection that fails is the asker's loss; the next one may hold.
            if let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer_all(stream, Arc::clone(&pipeline), Arc::clone(&counters)));
            }
        }
    })))
}

/// Answers the requests of one connection.
async fn answer_all(stream: TcpStream, pipeline: Arc<str>, counters: Arc<Counters>) {
    let service = service_fn(|request: Request<Incoming>| {
        let response = answer(&request, &pipeline, &counters);
        async { Ok::<_, Infallible>(response) }
    });
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // As above.
    let _ = connection.await;
}

fn answer(request: &Request<Incoming>, pipeline: &str, counters: &Counters) -> Response<Full<Bytes>> {
    let is_metrics = request.method() == Method::GET && request.uri().path() == "/metrics";
    let body = if is_metrics { text(pipeline, counters) } else { "metrics are at /metrics\n".to_owned() };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    response.headers_mut().insert(CONTENT_TYPE, TEXT_FORMAT);
    if !is_metrics {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}

/// The metrics as text.
fn text(pipeline: &str, counters: &Counters) -> String {
    let rows = counters.rows(0);
    let totals = [
        ("rows_read", "rows of the source that were passed", rows.read),
        ("rows_filtered_out", "rows that the filter dropped", rows.filtered_out),
        ("messages_produced", "messages that were put into the topic", rows.produced),
        ("records_consumed", "records that were taken from the topic", rows.consumed),
        ("rows_written", "rows that were written to the graph", rows.written),
        ("dead_letters", "records that could not be written", rows.dead_letters),
        ("duplicates", "records of rows that were in the graph already", rows.duplicates),
        ("retries", "batches and requests that were tried again after a passing fault", rows.retries),
    ];
    let pipeline = escaped(pipeline);
    let mut text = String::new();
    for (name, help, total) in totals {
        let _ = writeln!(text, "# HELP runner_{name}_total {help}");
        let _ = writeln!(text, "# TYPE runner_{name}_total counter");
        let _ = writeln!(text, "runner_{name}_total{{pipeline=\"{pipeline}\"}} {total}");
    }
    text.push_str("# HELP runner_partition_lag records of a partition that are still to be loaded\n");
    text.push_str("# TYPE runner_partition_lag gauge\n");
    for (partition, lag) in counters.lag() {
        let _ =
            writeln!(text, "runner_partition_lag{{pipeline=\"{pipeline}\",partition=\"{partition}\"}} {lag}");
    }
    text
}

/// A label's value, as the format wants it.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_written_as_prometheus_reads_them() {
        let counters = Counters::default();
        counters.read.add(9);
        counters.passed.add(7);
        counters.loaded_to(2, 40);
        counters.ends_at([(2, 100), (3, 5)]);
        insta::assert_snapshot!(text("a \"b\"", &counters));
    }
}
