//! Everything that recipes may name.

use common::job::changes::Kind;
use common::recipe::encoder::{Codec, Encoder};
use common::recipe::{Argument, AudioEncoder, Container, Filters};
use serde::Serialize;
use utoipa::ToSchema;

/// Everything that recipes may name.
#[derive(Serialize, ToSchema)]
pub(crate) struct Vocabulary {
    /// Video codecs.
    codecs: Vec<&'static str>,
    /// The usual video encoders; workers may prove others.
    encoders: Vec<EncoderWord>,
    /// Audio encoders.
    audio: Vec<&'static str>,
    /// File formats.
    containers: Vec<&'static str>,
    /// Video filters.
    filters: Vec<&'static str>,
    /// Options that further arguments may set.
    arguments: Vec<&'static str>,
    /// Kinds of changes that `refuse_loss` may name.
    losses: Vec<&'static str>,
}

/// A video encoder.
#[derive(Serialize, ToSchema)]
pub(crate) struct EncoderWord {
    name: String,
    /// The codec that the encoder makes.
    codec: &'static str,
}

/// Everything that recipes may name.
#[utoipa::path(
    get, path = "/vocabulary", tag = "new", responses((status = OK, body = Vocabulary))
)]
pub(crate) async fn vocabulary() -> axum::Json<Vocabulary> {
    axum::Json(Vocabulary {
        codecs: Codec::ALL.map(Codec::name).to_vec(),
        encoders: Encoder::catalogue()
            .map(|(encoder, codec)| EncoderWord {
                name: encoder.to_string(),
                codec: codec.name(),
            })
            .collect(),
        audio: AudioEncoder::ALL.map(AudioEncoder::name).to_vec(),
        containers: Container::ALL.map(Container::name).to_vec(),
        filters: Filters::allowed().collect(),
        arguments: Argument::allowed().collect(),
        losses: Kind::ALL.iter().map(|kind| kind.name()).collect(),
    })
}
