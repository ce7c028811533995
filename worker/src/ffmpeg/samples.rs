//! Streams and recipes that unit tests share.

use common::recipe::{Choice, Container, Recipe, VideoEncode};

use crate::ffmpeg::probe::media::{Stream, StreamKind};

pub(crate) fn stream(index: usize, kind: StreamKind, codec: &str) -> Stream {
    Stream {
        index,
        kind,
        codec: codec.to_owned(),
        ..Stream::default()
    }
}

pub(crate) fn recipe(container: Container) -> Recipe {
    let encoder = Choice::Encoder("libx265".parse().expect("a name"));
    Recipe::encode(VideoEncode::new(encoder))
        .expect("a sound recipe")
        .edit(|draft| draft.container = container)
        .expect("a sound recipe")
}
