//! Serves the bytes of remote inputs to ffmpeg, on the loopback interface of this machine.
//!
//! ffmpeg gets no address of a store, no signature that opens an object, and no network. It asks this server, at an
//! address that nobody can guess, and that ends with the attempt. The server passes each request on to the store,
//! with the range that ffmpeg asked for, and passes the answer back as fast as ffmpeg reads it. If ffmpeg breaks a
//! request off, as it does when it seeks, the server breaks off its own.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use common::names::location::Location;
use common::store::Stores;
use futures::{Stream, TryStreamExt};
use http_body_util::StreamBody;
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{
    ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderName,
    HeaderValue, RANGE,
};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use crate::attempt::input::peer;
use crate::sandbox::address::{Address, Serving};

/// How long the signature of one request to a store is valid. The store checks it once, when the request begins.
const SIGNED_FOR: Duration = Duration::from_secs(15 * 60);
/// How long a store may take to accept a connection, and to send the next bytes.
const CONNECT: Duration = Duration::from_secs(10);
const SILENCE: Duration = Duration::from_secs(30);
/// How long a client may take to send its request.
const REQUEST: Duration = Duration::from_secs(10);
/// Most connections at once. A tool needs one or two.
const CONNECTIONS: usize = 512;
/// Bytes that wait in the socket of a tool that reads slowly. What it leaves unread was read from the store for nothing.
#[cfg(unix)]
const SEND_BUFFER: usize = 256 << 10;
/// Bytes of a request's head.
const REQUEST_BUFFER: usize = 16 << 10;

/// The headers of a store's answer that matter to ffmpeg.
const PASSED_ON: [HeaderName; 5] = [
    ACCEPT_RANGES,
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    CONTENT_RANGE,
    CONTENT_TYPE,
];

/// The server of one worker. It ends when this is dropped.
pub struct InputServer {
    port: u16,
    shared: Arc<Shared>,
    _stop: DropGuard,
}

struct Shared {
    stores: Stores,
    client: OnceLock<reqwest::Client>,
    /// The served objects, by the paths of their addresses.
    objects: Mutex<HashMap<String, Location>>,
    connections: Arc<Semaphore>,
}

impl InputServer {
    /// Starts serving on a free port.
    ///
    /// # Errors
    /// If no port can be opened.
    pub async fn start(stores: Stores) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            stores,
            client: OnceLock::new(),
            objects: Mutex::default(),
            connections: Arc::new(Semaphore::new(CONNECTIONS)),
        });
        let stop = CancellationToken::new();
        let accepting = accept(listener, Reach::Machine, Arc::clone(&shared));
        tokio::spawn(stop.clone().run_until_cancelled_owned(accepting));
        Ok(Self {
            port,
            shared,
            _stop: stop.drop_guard(),
        })
    }

    /// Serves an object until the address and all its copies are dropped.
    pub fn serve(&self, location: &Location) -> Address {
        let path = format!("/{}", Uuid::new_v4().simple());
        let url = format!("http://{}:{}{path}", Ipv4Addr::LOCALHOST, self.port);
        self.shared.objects().insert(path.clone(), location.clone());
        let served = Served {
            path,
            shared: Arc::clone(&self.shared),
        };
        Address::new(url, self.port, served)
    }
}

/// Ends the serving of an object when it is dropped.
struct Served {
    path: String,
    shared: Arc<Shared>,
}

impl Serving for Served {
    fn listen(&self, socket: std::net::TcpListener, until: CancellationToken) {
        let listener = socket
            .set_nonblocking(true)
            .and_then(|()| TcpListener::from_std(socket));
        match listener {
            Ok(listener) => {
                let accepting = accept(listener, Reach::Tool, Arc::clone(&self.shared));
                tokio::spawn(until.run_until_cancelled_owned(accepting));
            }
            Err(error) => tracing::warn!(%error, "the socket of a tool cannot be served"),
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.shared.objects().remove(&self.path);
    }
}

/// Who can connect.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Every process of this machine, of any user.
    Machine,
    /// One tool, in a network of its own.
    Tool,
}

async fn accept(listener: TcpListener, reach: Reach, shared: Arc<Shared>) {
    loop {
        let Ok(permit) = Arc::clone(&shared.connections).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, peer)) => {
                let own = stream.local_addr();
                let is_own = reach == Reach::Tool || own.is_ok_and(|own| peer::is_own(own, peer));
                if !is_own {
                    continue;
                }
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    converse(stream, shared).await;
                    drop(permit);
                });
            }
            // No descriptors are left, or the client is gone already.
            Err(error) => {
                tracing::debug!(%error, "a tool could not connect");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn converse(stream: TcpStream, shared: Arc<Shared>) {
    #[cfg(unix)]
    let _ = rustix::net::sockopt::set_socket_send_buffer_size(&stream, SEND_BUFFER);
    let answer = service_fn(|request: Request<Incoming>| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(shared.answer(&request).await) }
    });
    let serving = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST)
        .max_buf_size(REQUEST_BUFFER)
        .serve_connection(TokioIo::new(stream), answer);
    // A tool that seeks breaks its requests off.
    if let Err(error) = serving.await {
        tracing::trace!(%error, "a request of a tool ended early");
    }
}

/// The bytes of an answer, as they come from the store.
type Pieces = Pin<Box<dyn Stream<Item = Result<Frame<Bytes>, reqwest::Error>> + Send>>;
type Body = StreamBody<Pieces>;

impl Shared {
    fn objects(&self) -> std::sync::MutexGuard<'_, HashMap<String, Location>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self, request: &Request<Incoming>) -> Response<Body> {
        if request.method() != Method::GET {
            return nothing(StatusCode::METHOD_NOT_ALLOWED);
        }
        let location = self.objects().get(request.uri().path()).cloned();
        let Some(location) = location else {
            return nothing(StatusCode::NOT_FOUND);
        };
        match self.ask(&location, request).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::debug!(%location, "the store gives no answer: {error:#}");
                nothing(StatusCode::BAD_GATEWAY)
            }
        }
    }

    /// Passes a request on to the store.
    async fn ask(
        &self,
        location: &Location,
        request: &Request<Incoming>,
    ) -> anyhow::Result<Response<Body>> {
        let url = self.stores.presign(location, SIGNED_FOR).await?;
        let mut asked = self.client()?.get(url);
        if let Some(range) = request.headers().get(RANGE) {
            asked = asked.header(RANGE, range);
        }
        // Whoever reads this error must not get the signature.
        let answer = asked.send().await.map_err(reqwest::Error::without_url)?;
        let status = answer.status();
        if status.is_redirection() {
            anyhow::bail!(
                "it answers {status}, a redirection, which is not followed: is AWS_ENDPOINT its own address?"
            );
        }
        if !status.is_success() {
            return Ok(nothing(status));
        }
        let mut passed = Response::builder().status(status);
        for name in PASSED_ON {
            if let Some(value) = answer.headers().get(&name) {
                passed = passed.header(name, value);
            }
        }
        let pieces: Pieces = Box::pin(answer.bytes_stream().map_ok(Frame::data));
        Ok(passed.body(StreamBody::new(pieces))?)
    }

    /// The client of all stores. It is made after the first signature, for which the store's client sets TLS up.
    fn client(&self) -> reqwest::Result<&reqwest::Client> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            // A broken-off request then costs what is on its way, and no window of a shared connection.
            .http1_only()
            .build()?;
        Ok(self.client.get_or_init(|| client))
    }
}

/// An answer without bytes.
fn nothing(status: StatusCode) -> Response<Body> {
    let none: Pieces = Box::pin(futures::stream::empty());
    let mut response = Response::new(StreamBody::new(none));
    *response.status_mut() = status;
    let length = HeaderValue::from_static("0");
    response.headers_mut().insert(CONTENT_LENGTH, length);
    response
}
