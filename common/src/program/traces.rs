//! Traces by OpenTelemetry, set up by the standard variables of the environment alone: `OTEL_EXPORTER_OTLP_ENDPOINT` and
//! its kin say where they go, `OTEL_TRACES_SAMPLER` which, `OTEL_SERVICE_NAME` by what name. Without an endpoint, nothing
//! is recorded.
//!
//! Spans wait in a bounded queue for a thread of their own, which sends them by OTLP over HTTP. A receiver that is slow or
//! gone costs spans, and nothing else.

use std::env;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{KeyValue, global};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing::Subscriber;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::registry::LookupSpan;

/// How long a program that ends waits for its last spans to be sent.
const LAST: Duration = Duration::from_secs(2);
/// How long the receiver may take to answer, if the environment does not say.
const ANSWER: Duration = Duration::from_secs(10);

/// Where the spans of this program go.
#[derive(Default)]
#[must_use = "the last spans are sent at its end"]
pub struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// What the environment of this process asks for; nowhere, if it names no receiver.
    ///
    /// # Errors
    /// What it asks for cannot be done; the text says why.
    pub(crate) fn from_environment(program: &'static str) -> Result<Self, String> {
        if !is_wanted() {
            return Ok(Self(None));
        }
        let protocol = of_traces("PROTOCOL");
        if let Some(other) = protocol.filter(|protocol| protocol != "http/protobuf") {
            return Err(format!(
                "OTEL_EXPORTER_OTLP_PROTOCOL is {other}, and this program speaks http/protobuf only: \
                 unset it, and give the receiver's HTTP endpoint (port 4318)"
            ));
        }
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Sender::new()?)
            .build()
            .map_err(|error| error.to_string())?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource(program))
            .build();
        global::set_tracer_provider(provider.clone());
        Ok(Self(Some(provider)))
    }

    /// The part of the subscriber that records spans; `None` if they go nowhere.
    pub(crate) fn layer<S>(
        &self,
    ) -> Option<OpenTelemetryLayer<S, opentelemetry_sdk::trace::SdkTracer>>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let provider = self.0.as_ref()?;
        let layer = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("ffmpeg-easy"))
            .with_error_events_to_status(false)
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false);
        Some(layer)
    }

    /// Sends the last spans. Takes two seconds at the most, and needs the runtime in which the traces were set up.
    pub fn end(self) {
        if let Some(provider) = self.0
            && let Err(error) = provider.shutdown_with_timeout(LAST)
        {
            tracing::debug!(%error, "the last spans of traces were not sent");
        }
    }
}

/// Whether the environment names a receiver, or asks for the usual one.
fn is_wanted() -> bool {
    let is_off = set("OTEL_SDK_DISABLED").is_some_and(|off| off.eq_ignore_ascii_case("true"));
    match set("OTEL_TRACES_EXPORTER").as_deref() {
        _ if is_off => false,
        Some("otlp") => true,
        Some(_) => false,
        None => of_traces("ENDPOINT").is_some(),
    }
}

/// A variable of the environment; one that is empty counts as not set.
fn set(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// A variable of the exporter of traces, or of all exporters.
fn of_traces(name: &str) -> Option<String> {
    set(&format!("OTEL_EXPORTER_OTLP_TRACES_{name}"))
        .or_else(|| set(&format!("OTEL_EXPORTER_OTLP_{name}")))
}

/// What sends the spans: by the environment, or else this program.
fn resource(program: &'static str) -> Resource {
    let attributes = set("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
    let is_named = |key: &str| {
        let mut given = attributes.split(',');
        given.any(|pair| pair.trim().starts_with(&format!("{key}=")))
    };
    let mut resource = Resource::builder();
    if set("OTEL_SERVICE_NAME").is_none() && !is_named("service.name") {
        resource = resource.with_service_name(format!("ffmpeg-easy-{program}"));
    }
    if !is_named("service.version") {
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        resource = resource.with_attribute(version);
    }
    resource.build()
}

/// Posts spans to the receiver, within the runtime of the program.
#[derive(Debug)]
struct Sender {
    runtime: Handle,
    client: reqwest::Client,
    /// Whether the receiver did not take the last spans: this is logged once.
    is_failing: AtomicBool,
}

impl Sender {
    fn new() -> Result<Self, String> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // If another thread was quicker, its provider is as good.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let timeout = of_traces("TIMEOUT").and_then(|millis| millis.parse().ok());
        let client = reqwest::Client::builder()
            .timeout(timeout.map_or(ANSWER, Duration::from_millis))
            .build()
            .map_err(|error| format!("no HTTP client: {error}"))?;
        let runtime = Handle::try_current().map_err(|error| error.to_string())?;
        Ok(Self {
            runtime,
            client,
            is_failing: AtomicBool::new(false),
        })
    }

    fn told(&self, answer: Result<&Response<Bytes>, &reqwest::Error>) {
        let trouble = match answer {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("it answers {}", answer.status())),
            Err(error) => Some(error.to_string()),
        };
        match trouble {
            Some(why) if !self.is_failing.swap(true, Ordering::Relaxed) => {
                tracing::warn!(
                    why,
                    "the receiver of traces takes no spans: they are dropped"
                );
            }
            None if self.is_failing.swap(false, Ordering::Relaxed) => {
                tracing::info!("the receiver of traces takes spans again");
            }
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        // The exporter's thread has no runtime of its own.
        let sent = self.runtime.spawn(async move {
            let request = reqwest::Request::try_from(request)?;
            let answer = client.execute(request).await?;
            let status = answer.status();
            let headers = answer.headers().clone();
            let mut whole = Response::new(answer.bytes().await?);
            *whole.status_mut() = status;
            *whole.headers_mut() = headers;
            Ok(whole)
        });
        let answer = sent.await?;
        self.told(answer.as_ref());
        Ok(answer?)
    }
}
