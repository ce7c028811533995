//! Samples of forecasts.

use bytes::Bytes;

use crate::farm::preview::Forecast;
use crate::job::changes::{Change, Kind};
use crate::job::media_info::MediaInfo;
use crate::wire;

/// Forecasts, each with the name of its file.
pub(super) fn written(media: &MediaInfo) -> [(&'static str, Bytes); 3] {
    fn of(name: &'static str, body: &impl wire::Message) -> (&'static str, Bytes) {
        (name, wire::encode(body))
    }
    [
        of(
            "foreseen-media",
            &Forecast {
                media: Some(media.clone()),
                ..Forecast::default()
            },
        ),
        of(
            "foreseen-command",
            &Forecast {
                command: Some("ffmpeg -i a.mp4 a.mkv".to_owned()),
                ..Forecast::default()
            },
        ),
        of(
            "foreseen",
            &Forecast {
                changes: vec![Change::lost(
                    Kind::Captions,
                    0,
                    "closed captions",
                    "libx265 writes none",
                )],
                refused: Some("the input holds no video".to_owned()),
                ..Forecast::default()
            },
        ),
    ]
}
