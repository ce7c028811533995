//! A receiver of webhooks, which answers as it is told, and a mail server that takes every mail.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::poll;

/// How a receiver answers one request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// With a status, and these words.
    Status(u16, String),
    /// With a redirect.
    Redirect(String),
    /// Never: the connection stays open.
    Never,
    /// Not at all: the connection is closed.
    Close,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    pub method: String,
    pub path: String,
    /// Names in small letters.
    pub headers: BTreeMap<String, String>,
    pub body: String,
    /// The body as it arrived.
    pub bytes: Vec<u8>,
}

impl Received {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

#[derive(Default)]
struct Shared {
    received: Mutex<Vec<Received>>,
    /// Replies to the next requests; after them, each is taken.
    replies: Mutex<VecDeque<Reply>>,
}

/// A server that takes what it is sent, until it is dropped.
pub struct Receiver {
    pub port: u16,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Receiver {
    /// Takes webhooks at a free port.
    pub async fn start() -> Self {
        Self::start_at(0).await
    }

    /// Takes webhooks at this port.
    pub async fn start_at(port: u16) -> Self {
        Self::serve(port, |shared, stream| async move {
            let _ = answer(&shared, stream).await;
        })
        .await
    }

    /// Takes mails at a free port. What arrives is the text of each mail, as the body of a request.
    pub async fn start_mail() -> Self {
        Self::serve(0, |shared, stream| async move {
            let _ = take_mail(&shared, stream).await;
        })
        .await
    }

    async fn serve<F>(
        port: u16,
        serve: impl Fn(Arc<Shared>, TcpStream) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        // The port of a server that has just been dropped may still be in use.
        let listener = poll::until("a port for the receiver", async || {
            TcpListener::bind(("127.0.0.1", port)).await.ok()
        })
        .await;
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared::default());
        let own = shared.clone();
        let task = tokio::spawn(async move {
            let mut served = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                served.spawn(serve(own.clone(), stream));
            }
        });
        Self { port, shared, task }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Sets the replies to the next requests.
    pub fn reply(&self, replies: impl IntoIterator<Item = Reply>) {
        let mut own = self.shared.replies.lock().expect("no panic");
        own.extend(replies);
    }

    /// What has arrived so far.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().expect("no panic").clone()
    }

    /// Waits until so many requests have arrived; returns all.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        poll::until("messages to arrive", async || {
            let received = self.received();
            (received.len() >= count).then_some(received)
        })
        .await
    }
}

async fn answer(shared: &Shared, stream: TcpStream) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (Some(method), Some(path)) = (words.next(), words.next()) else {
        return Ok(());
    };
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers
        .get("content-length")
        .and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await?;
    let received = Received {
        method,
        path,
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
        bytes: body,
    };
    shared.received.lock().expect("no panic").push(received);
    let reply = shared.replies.lock().expect("no panic").pop_front();
    let (head, words) = match reply {
        None => ("200 OK".to_owned(), String::new()),
        Some(Reply::Status(status, words)) => (format!("{status} Told"), words),
        Some(Reply::Redirect(to)) => (format!("302 Found\r\nLocation: {to}"), String::new()),
        Some(Reply::Close) => return Ok(()),
        Some(Reply::Never) => std::future::pending().await,
    };
    let length = words.len();
    let text =
        format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{words}");
    stream.write_all(text.as_bytes()).await?;
    stream.flush().await
}

async fn take_mail(shared: &Shared, stream: TcpStream) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 mail.test ready\r\n").await?;
    let mut envelope = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let verb = line
            .split([' ', ':', '\r'])
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        let said = match verb.as_str() {
            "EHLO" => "250-mail.test\r\n250 AUTH PLAIN LOGIN\r\n",
            "AUTH" => {
                envelope.push(line.trim_end().to_owned());
                "235 known\r\n"
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let mut mail = String::new();
                loop {
                    let mut line = String::new();
                    stream.read_line(&mut line).await?;
                    if line == ".\r\n" {
                        break;
                    }
                    mail += &line;
                }
                shared.received.lock().expect("no panic").push(Received {
                    method: "MAIL".to_owned(),
                    path: envelope.join("\n"),
                    headers: BTreeMap::new(),
                    bytes: mail.clone().into_bytes(),
                    body: mail,
                });
                "250 taken\r\n"
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => {
                envelope.push(line.trim_end().to_owned());
                "250 ok\r\n"
            }
        };
        stream.write_all(said.as_bytes()).await?;
    }
}
