//! What conditions can ask about a file, from its probe.

use std::collections::BTreeSet;

use common::names::printable::printable;
use common::rules::facts::{AudioFacts, Facts, HdrKind, StoredFile, SubtitleFacts, VideoFacts};

use crate::ffmpeg::probe::media::{Media, Ratio, Stream, StreamKind};
use crate::ffmpeg::tracks::language;

impl Media {
    /// The facts about the file that was probed; `file` is what its store says.
    pub fn facts(&self, file: StoredFile) -> Facts {
        let duration = self.likely_duration();
        let bits = |seconds: f64| (file.size as f64 * 8.0 / seconds).round() as u64;
        let bitrate = duration.filter(|seconds| *seconds > 0.0).map(bits);
        let of = |kind| {
            let streams = self.streams.iter();
            streams.filter(move |stream| stream.kind == kind)
        };
        Facts {
            container: self.format.clone(),
            duration,
            bitrate,
            video: self.films().next().map(|film| self.video(film, bitrate)),
            audio: of(StreamKind::Audio)
                .map(|track| AudioFacts {
                    codec: track.codec.clone(),
                    channels: track.channels,
                    language: spoken(track),
                })
                .collect(),
            subtitles: of(StreamKind::Subtitle)
                .map(|track| SubtitleFacts {
                    codec: track.codec.clone(),
                    language: spoken(track),
                })
                .collect(),
            location: file.location,
            size: file.size,
            modified: file.modified,
            hard_links: file.hard_links,
        }
    }

    fn video(&self, film: &Stream, whole: Option<u64>) -> VideoFacts {
        let others = self
            .streams
            .iter()
            .filter(|track| track.index != film.index);
        let stated: u64 = others
            .filter_map(|track| track.bitrate)
            .fold(0, u64::saturating_add);
        let (width, height) = film.shown();
        VideoFacts {
            codec: film.codec.clone(),
            width,
            height,
            fps: film.mean_rate.map(Ratio::value),
            depth: film.depth(),
            bitrate: film
                .bitrate
                .or(whole.map(|whole| whole.saturating_sub(stated))),
            hdr: kinds_of_hdr(film),
            interlaced: film.is_interlaced,
        }
    }
}

fn kinds_of_hdr(film: &Stream) -> BTreeSet<HdrKind> {
    let is_pq = film.colour.is_pq();
    let kinds = [
        (is_pq, HdrKind::Pq),
        (is_pq && !film.hdr10.is_empty(), HdrKind::Hdr10),
        (film.has_hdr10plus, HdrKind::Hdr10plus),
        (film.dolby_vision.is_some(), HdrKind::DolbyVision),
        (film.colour.is_hlg(), HdrKind::Hlg),
    ];
    let there = kinds.into_iter().filter(|(is_there, _)| *is_there);
    there.map(|(_, kind)| kind).collect()
}

fn spoken(track: &Stream) -> Option<String> {
    // A hostile file may have tags of any length.
    language::tag(track)
        .map(printable)
        .filter(|tag| tag.len() < 36)
}
