//! Spans: what happens to a job, as parts of one trace across programs. [`crate::program::traces`] says where they go;
//! without a receiver, a span costs nothing.
//!
//! The context of a trace travels in the header `traceparent` of a job's message (W3C Trace Context). A message without it
//! begins a trace of its own.

use std::fmt::Display;

use async_nats::HeaderMap;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{Status, TraceContextExt};
use opentelemetry::{Context, Value};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The target of all spans of traces: they go to the receiver, and not to the log.
pub const TARGET: &str = "otel";

/// A span of a part of what is under way. Disabled if nothing is: such a span would be a trace of one span.
pub fn step(name: &'static str) -> Span {
    if !Context::current().span().span_context().is_valid() {
        return Span::none();
    }
    tracing::info_span!(target: TARGET, "step", otel.name = name)
}

/// Adds a value to a span that is under way. `key` is one of OpenTelemetry's semantic conventions, or begins with
/// `ffmpeg_easy.`.
pub fn note(span: &Span, key: &'static str, value: impl Into<Value>) {
    span.set_attribute(key, value);
}

/// Marks what a span is about as failed, for this reason.
pub fn fail(span: &Span, why: impl Display) {
    if !span.is_disabled() {
        span.set_status(Status::error(why.to_string()));
    }
}

/// Waits for a step within its [`step`], which has failed if the result is an error.
///
/// # Errors
/// The error of the step.
pub async fn trace<T, E: Display>(
    name: &'static str,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    use tracing::Instrument;
    let span = step(name);
    let done = work.instrument(span.clone()).await;
    if let Err(error) = &done {
        fail(&span, error);
    }
    done
}

/// Puts a context into the headers of a message. A context without a span leaves them as they are.
pub(crate) fn inject(context: &Context, headers: &mut HeaderMap) {
    TraceContextPropagator::new().inject_context(context, &mut Headers(headers));
}

/// The context in the headers of a message; without a span if they hold none, or one that cannot be read.
pub(crate) fn extract(headers: Option<&HeaderMap>) -> Context {
    match headers {
        Some(headers) => {
            TraceContextPropagator::new().extract_with_context(&Context::new(), &Sent(headers))
        }
        None => Context::new(),
    }
}

struct Headers<'a>(&'a mut HeaderMap);

impl Injector for Headers<'_> {
    fn set(&mut self, key: &str, value: String) {
        // A trace without a state of its vendor has an empty one.
        if !value.is_empty() {
            self.0.insert(key, value);
        }
    }
}

struct Sent<'a>(&'a HeaderMap);

impl Extractor for Sent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(async_nats::HeaderValue::as_str)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_ref()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_goes_through_headers_and_nothing_else_does() {
        let known = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let mut headers = HeaderMap::new();
        headers.insert("traceparent", known);
        let context = extract(Some(&headers));
        assert!(context.span().span_context().is_remote());
        let mut sent = HeaderMap::new();
        inject(&context, &mut sent);
        assert_eq!(
            sent.get("traceparent").map(|value| value.as_str()),
            Some(known)
        );
        assert_eq!(sent.iter().count(), 1, "{sent:?}");
        for hostile in ["", "00-0-0-01", "00-zz-zz-01", &"a".repeat(9000)] {
            headers.insert("traceparent", hostile);
            let context = extract(Some(&headers));
            assert!(!context.span().span_context().is_valid(), "{hostile}");
            let mut sent = HeaderMap::new();
            inject(&context, &mut sent);
            assert!(sent.is_empty());
        }
    }
}
