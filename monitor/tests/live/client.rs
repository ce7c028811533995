//! A small client that follows the live state as a browser does.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// Longer than anything takes on a working machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// The answer to one request.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

async fn request(
    address: &str,
    method: &str,
    path: &str,
    more: &str,
    body: &str,
) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(address)
        .await
        .expect("the monitor listens");
    // By HTTP/1.0, the body comes unencoded, and ends with the connection.
    stream
        .write_all(format!("{method} {path} HTTP/1.0\r\n{more}\r\n{body}").as_bytes())
        .await
        .expect("a request");
    BufReader::new(stream)
}

async fn head(stream: &mut BufReader<TcpStream>) -> (u16, String) {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        let read = stream.read_line(&mut head).await.expect("an answer");
        assert!(read > 0, "the answer ends within its head: {head}");
    }
    let status = head.split(' ').nth(1).expect("a status");
    (status.parse().expect("a status"), head)
}

/// Sends a GET request.
pub(crate) async fn get(address: &str, path: &str, more: &str) -> Answer {
    answer(request(address, "GET", path, more, "").await).await
}

/// Sends JSON by this method.
pub(crate) async fn send(
    address: &str,
    method: &str,
    path: &str,
    more: &str,
    body: &Value,
) -> Answer {
    let body = body.to_string();
    let length = body.len();
    let more = format!("{more}Content-Type: application/json\r\nContent-Length: {length}\r\n");
    answer(request(address, method, path, &more, &body).await).await
}

async fn answer(mut stream: BufReader<TcpStream>) -> Answer {
    let (status, head) = head(&mut stream).await;
    let mut body = String::new();
    stream.read_to_string(&mut body).await.expect("a body");
    Answer { status, head, body }
}

/// An open page.
pub(crate) struct Page {
    stream: BufReader<TcpStream>,
    /// The live state, folded from all events so far.
    pub(crate) state: Value,
}

impl Page {
    pub(crate) async fn open(address: &str) -> Self {
        let mut stream = request(address, "GET", "/api/v1/live", "", "").await;
        let (status, head) = head(&mut stream).await;
        assert_eq!(status, 200);
        assert!(head.contains("text/event-stream"), "{head}");
        Self {
            stream,
            state: Value::Null,
        }
    }

    /// Follows the events until the state meets a condition. Returns how long that took.
    pub(crate) async fn until(&mut self, what: &str, is_so: impl Fn(&Value) -> bool) -> Duration {
        let start = Instant::now();
        while !is_so(&self.state) {
            let left = PATIENCE.saturating_sub(start.elapsed());
            if tokio::time::timeout(left, self.event()).await.is_err() {
                panic!("not in time: {what}; the state is {:#}", self.state);
            }
        }
        start.elapsed()
    }

    /// Applies one event. Returns false at the end of the stream.
    pub(crate) async fn event(&mut self) -> bool {
        let mut name = String::new();
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).await.expect("a line") == 0 {
                return false;
            }
            let line = line.trim_end();
            if let Some(event) = line.strip_prefix("event: ") {
                event.clone_into(&mut name);
            } else if let Some(data) = line.strip_prefix("data: ") {
                let data: Value = serde_json::from_str(data).expect("JSON");
                match name.as_str() {
                    "state" => self.state = data,
                    "change" => {
                        for (section, content) in data.as_object().expect("sections") {
                            self.state[section] = content.clone();
                        }
                    }
                    "clock" => assert!(data.is_string()),
                    other => panic!("unknown event {other}"),
                }
                return true;
            }
        }
    }
}
