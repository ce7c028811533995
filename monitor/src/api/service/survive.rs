//! A panicking handler gives an error response.

use std::panic::AssertUnwindSafe;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;

use crate::web::refusal::Refusal;

/// Answers for a handler that panicked.
pub(crate) async fn survive(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    // Locks are read despite poison, and nothing else that is shared can be half-written.
    let handled = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    handled.unwrap_or_else(|_| {
        tracing::error!(
            path,
            "the monitor panicked at a request: please report this"
        );
        Refusal::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the monitor failed at this request: its log says where; everything else goes on",
        )
        .into_response()
    })
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use axum::{Router, middleware};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::survive;

    async fn broken() -> &'static str {
        panic!("on purpose")
    }

    #[tokio::test]
    async fn a_panic_is_an_answer() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        let routes = Router::new()
            .route("/", get(broken))
            .layer(middleware::from_fn(survive));
        let serving = tokio::spawn(async move { axum::serve(listener, routes).await });
        let mut stream = tokio::net::TcpStream::connect(address)
            .await
            .expect("it listens");
        stream
            .write_all(b"GET / HTTP/1.0\r\n\r\n")
            .await
            .expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.0 500"), "{answer}");
        assert!(answer.contains("its log says where"), "{answer}");
        serving.abort();
    }
}
