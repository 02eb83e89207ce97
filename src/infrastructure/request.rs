//! Asking the API server: every request with a time limit, repeated while an outage may pass, and its refusal told apart.

use std::error::Error as _;
use std::time::Duration;

use kube::core::Status;
use tokio::time::{Instant, sleep, timeout};

use super::Cluster;

/// An API server that does not answer one request within this time is not there.
pub(super) const ANSWERS_WITHIN: Duration = Duration::from_secs(10);
/// An API server that was there is given this time to come back.
const PATIENCE: Duration = Duration::from_secs(45);
/// Between two attempts at most.
const PAUSE_AT_MOST: Duration = Duration::from_secs(2);
/// How many requests are under way at the same time.
pub(super) const AT_ONCE: usize = 8;

/// Why the API server did not do what it was asked to.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RequestError {
    /// Nothing listens there, or the way is cut.
    #[error("the API server {server} cannot be reached: {reason}")]
    Unreachable {
        /// Its address.
        server: String,
        /// What the connection says.
        reason: String,
    },
    /// It takes connections, or packets, and says nothing.
    #[error("the API server {server} does not answer within {} s", within.as_secs())]
    Silent {
        /// Its address.
        server: String,
        /// How long it was waited for.
        within: Duration,
    },
    /// The TLS handshake failed.
    #[error("the certificate of the API server {server} is not accepted: {reason}")]
    Certificate {
        /// Its address.
        server: String,
        /// What is wrong with the certificate.
        reason: String,
    },
    /// It does not know who asks: a token or a client certificate that is wrong or has expired.
    #[error("the API server {server} does not accept the credentials of the kubeconfig")]
    Credentials {
        /// Its address.
        server: String,
    },
    /// The kubeconfig's own way to log in failed.
    #[error("the kubeconfig's way to log in failed: {reason}")]
    Login {
        /// What failed; never what a login program printed.
        reason: String,
    },
    /// It knows who asks, and does not let them.
    #[error("{message}")]
    Forbidden {
        /// Its words.
        message: String,
    },
    /// It refused for another reason.
    #[error("{}", .0.message)]
    Refused(Box<Status>),
    /// The answer makes no sense.
    #[error("the API server {server} gave an answer that makes no sense: {reason}")]
    Unexpected {
        /// Its address.
        server: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl RequestError {
    /// The server's own status, where it gave one that is told apart no further.
    #[must_use]
    pub fn status(&self) -> Option<&Status> {
        match self {
            Self::Refused(status) => Some(status),
            _ => None,
        }
    }

    /// Whether nobody answers, or not to us: any other request would meet the same.
    pub(super) const fn is_lost(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Silent { .. }
            | Self::Certificate { .. }
            | Self::Credentials { .. }
            | Self::Login { .. } => true,
            Self::Forbidden { .. } | Self::Refused(_) | Self::Unexpected { .. } => false,
        }
    }

    /// Whether the same request may go well a little later.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Silent { .. } => true,
            // Too many requests, or a server that starts, stops, or has lost its own store for a moment.
            Self::Refused(status) => matches!(status.code, 429 | 500 | 502 | 503 | 504),
            _ => false,
        }
    }

    fn of(server: &str, error: kube::Error) -> Self {
        let server = server.to_owned();
        match error {
            kube::Error::Api(status) if status.code == 401 => Self::Credentials { server },
            kube::Error::Api(status) if is_rbac(&status) => Self::Forbidden { message: status.message },
            kube::Error::Api(status) => Self::Refused(status),
            kube::Error::Auth(error) => Self::Login { reason: login(&error) },
            kube::Error::SerdeError(error) => Self::Unexpected { server, reason: error.to_string() },
            kube::Error::Discovery(error) => Self::Unexpected { server, reason: error.to_string() },
            error => connection(server, &error),
        }
    }
}

/// Whether a refusal is one of authorization. Admission (Pod Security, quota) answers 403, too, but says "is forbidden: …" of what was
/// asked for, where authorization says that a user "cannot" do it.
fn is_rbac(status: &Status) -> bool {
    status.code == 403 && status.message.contains(" cannot ")
}

/// What failed in logging in. The output of a login program may hold a token, so that it is left out.
fn login(error: &kube::client::AuthError) -> String {
    match error {
        kube::client::AuthError::AuthExecRun { cmd, out } => format!("`{cmd}` ended with {}", out.status),
        error => error.to_string(),
    }
}

/// What is wrong with a connection: the certificate, or the way.
fn connection(server: String, error: &kube::Error) -> RequestError {
    let mut cause = error.source();
    let mut last = error.to_string();
    while let Some(inner) = cause {
        if let Some(rustls::Error::InvalidCertificate(fault)) = tls(inner) {
            return RequestError::Certificate { server, reason: fault.to_string() };
        }
        last = inner.to_string();
        cause = inner.source();
    }
    RequestError::Unreachable { server, reason: last }
}

/// The error of TLS, which hides inside of one of the socket.
fn tls<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e rustls::Error> {
    let io = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    io.and_then(|inner| inner.downcast_ref()).or_else(|| error.downcast_ref())
}

impl Cluster {
    /// Asks once: for the first request, where waiting would only hide a wrong address.
    pub(super) async fn ask_once<T>(
        &self,
        request: impl Future<Output = kube::Result<T>>,
        within: Duration,
    ) -> Result<T, RequestError> {
        match timeout(within, request).await {
            Ok(answer) => answer.map_err(|error| RequestError::of(self.address(), error)),
            Err(_) => Err(RequestError::Silent { server: self.address().to_owned(), within }),
        }
    }

    /// Asks, and asks again while an outage may pass. The request is one that may be done twice: a read, or a write of what is to be.
    ///
    /// # Errors
    /// What the last answer was, or that there was none.
    pub async fn ask<T, F>(&self, request: impl Fn() -> F) -> Result<T, RequestError>
    where
        F: Future<Output = kube::Result<T>>,
    {
        let began = Instant::now();
        let mut pause = Duration::from_millis(100);
        loop {
            match self.ask_once(request(), ANSWERS_WITHIN).await {
                Err(error) if error.may_pass() && began.elapsed() + pause < PATIENCE => {
                    sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_AT_MOST);
                }
                answer => return answer,
            }
        }
    }
}
