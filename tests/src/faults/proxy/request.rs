//! The data of a client, cut into requests.

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// Longer than any head of an HTTP request and any line of NATS.
const LONGEST_LINE: u64 = 64 * 1024;

/// The rules by which data is cut into requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Messages to a NATS server.
    Nats,
    /// HTTP/1.1 requests, each on a connection of its own.
    Http,
}

/// One request of a client.
#[derive(Clone, Debug)]
pub struct Request {
    /// The subject of a message, or the method and target of an HTTP request; empty for other lines of a NATS client.
    pub subject: String,
    /// The payload, with the headers of a message.
    pub body: Vec<u8>,
    /// The whole request, to be passed on.
    pub(super) raw: Vec<u8>,
}

impl Request {
    /// Whether the body contains this text.
    pub fn says(&self, text: &str) -> bool {
        let text = text.as_bytes();
        self.body.windows(text.len()).any(|part| part == text)
    }

    /// The same message on another subject.
    pub(super) fn rerouted(&self, subject: &str) -> Vec<u8> {
        let verb = self.raw.iter().take_while(|byte| **byte != b' ').count();
        let (verb, rest) = self.raw.split_at(verb + 1);
        [verb, subject.as_bytes(), &rest[self.subject.len()..]].concat()
    }
}

impl Protocol {
    /// Reads the next request; `None` at the end.
    pub(super) async fn read(
        self,
        from: &mut (impl AsyncBufRead + Unpin),
    ) -> std::io::Result<Option<Request>> {
        match self {
            Self::Nats => message(from).await,
            Self::Http => http(from).await,
        }
    }
}

async fn line(
    from: &mut (impl AsyncBufRead + Unpin),
    raw: &mut Vec<u8>,
) -> std::io::Result<String> {
    let start = raw.len();
    from.take(LONGEST_LINE).read_until(b'\n', raw).await?;
    Ok(String::from_utf8_lossy(&raw[start..]).trim_end().to_owned())
}

async fn exactly(from: &mut (impl AsyncBufRead + Unpin), size: usize) -> std::io::Result<Vec<u8>> {
    let mut body = vec![0; size];
    from.read_exact(&mut body).await?;
    Ok(body)
}

/// `PUB <subject> [reply] <size>` or `HPUB …` with its payload, or another line.
async fn message(from: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<Option<Request>> {
    let mut raw = Vec::new();
    let line = line(from, &mut raw).await?;
    if raw.is_empty() {
        return Ok(None);
    }
    let mut words = line.split(' ');
    let is_publish = matches!(words.next(), Some("PUB" | "HPUB"));
    let subject = words.next().filter(|_| is_publish).unwrap_or_default();
    let size: Option<usize> = words.next_back().and_then(|size| size.parse().ok());
    let mut body = Vec::new();
    if let (true, Some(size)) = (is_publish, size) {
        body = exactly(from, size + "\r\n".len()).await?;
        raw.extend_from_slice(&body);
        body.truncate(size);
    }
    Ok(Some(Request {
        subject: subject.to_owned(),
        body,
        raw,
    }))
}

/// Reads an HTTP request, and has the server close the connection after its answer. So an answer ends with its
/// connection, and the proxy need not parse it.
async fn http(from: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<Option<Request>> {
    let mut raw = Vec::new();
    let first = line(from, &mut raw).await?;
    let mut size = 0;
    let mut head = raw.clone();
    loop {
        let mut bytes = Vec::new();
        let header = line(from, &mut bytes).await?;
        if bytes.is_empty() {
            return Ok(None);
        }
        if header.is_empty() {
            break;
        }
        let (name, value) = header.split_once(':').unwrap_or_default();
        if name.eq_ignore_ascii_case("content-length") {
            size = value.trim().parse().unwrap_or(0);
        }
        if !name.eq_ignore_ascii_case("connection") {
            head.extend_from_slice(&bytes);
        }
    }
    head.extend_from_slice(b"connection: close\r\n\r\n");
    let body = exactly(from, size).await?;
    head.extend_from_slice(&body);
    let (subject, _version) = first.rsplit_once(' ').unwrap_or_default();
    Ok(Some(Request {
        subject: subject.to_owned(),
        body,
        raw: head,
    }))
}
