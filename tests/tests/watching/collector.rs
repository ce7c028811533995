//! A receiver of traces, which keeps what it is sent.

use std::collections::{BTreeMap, BTreeSet};

use harness::poll;
use harness::servers::receiver::Receiver;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use prost::Message;

/// A receiver of traces by OTLP over HTTP.
pub(crate) struct Collector(Receiver);

/// A span as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) name: String,
    pub(crate) trace: Vec<u8>,
    pub(crate) id: Vec<u8>,
    /// Empty for the first span of a trace.
    pub(crate) parent: Vec<u8>,
    /// As the specification numbers them: 4 is a producer, 5 a consumer.
    pub(crate) kind: i32,
    /// In nanoseconds since 1970.
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) attributes: BTreeMap<String, String>,
    /// The messages of the log while the span was under way.
    pub(crate) events: Vec<String>,
    /// The words of its failure, if it failed.
    pub(crate) failure: Option<String>,
    /// The `service.name` of the program.
    pub(crate) service: String,
}

impl Span {
    /// An attribute; empty if the span has none of this name.
    pub(crate) fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

impl Collector {
    pub(crate) async fn start() -> Self {
        Self(Receiver::start().await)
    }

    /// The variables by which a program sends its spans here, soon.
    pub(crate) fn environment(&self) -> [(&'static str, String); 2] {
        environment(&self.0.url())
    }

    /// All spans that have arrived.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let mut spans = Vec::new();
        for sent in self.0.received() {
            assert_eq!(
                (sent.method.as_str(), sent.path.as_str()),
                ("POST", "/v1/traces")
            );
            let sent = ExportTraceServiceRequest::decode(sent.bytes.as_slice()).expect("OTLP");
            for of_program in sent.resource_spans {
                let resource = of_program.resource.expect("a resource");
                let service = texts(&resource.attributes)["service.name"].clone();
                let all = of_program.scope_spans.into_iter();
                spans.extend(all.flat_map(|scope| scope.spans).map(|span| {
                    Span {
                        name: span.name,
                        trace: span.trace_id,
                        id: span.span_id,
                        parent: span.parent_span_id,
                        kind: span.kind,
                        from: span.start_time_unix_nano,
                        to: span.end_time_unix_nano,
                        attributes: texts(&span.attributes),
                        events: span.events.into_iter().map(|event| event.name).collect(),
                        failure: span
                            .status
                            .filter(|status| status.code == StatusCode::Error as i32)
                            .map(|status| status.message),
                        service: service.clone(),
                    }
                }));
            }
        }
        spans
    }

    /// Waits until a span of this name that meets a condition has arrived.
    pub(crate) async fn span(&self, name: &str, is_it: impl Fn(&Span) -> bool) -> Span {
        poll::until(&format!("a span '{name}'"), async || {
            let mut spans = self.spans().into_iter();
            spans.find(|span| span.name == name && is_it(span))
        })
        .await
    }

    /// The traces of all spans that have arrived.
    pub(crate) fn traces(&self) -> BTreeSet<Vec<u8>> {
        self.spans().into_iter().map(|span| span.trace).collect()
    }
}

/// The variables by which a program sends its spans to this address, soon.
pub(crate) fn environment(url: &str) -> [(&'static str, String); 2] {
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url.to_owned()),
        ("OTEL_BSP_SCHEDULE_DELAY", "100".to_owned()),
    ]
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Option<AnyValue>| match value.as_ref().and_then(|any| any.value.clone()) {
        Some(any_value::Value::StringValue(text)) => text,
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        Some(any_value::Value::BoolValue(truth)) => truth.to_string(),
        other => format!("{other:?}"),
    };
    attributes
        .iter()
        .map(|pair| (pair.key.clone(), text(&pair.value)))
        .collect()
}
