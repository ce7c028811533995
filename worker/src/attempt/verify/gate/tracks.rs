//! Whether the output has the tracks that were asked for.

use common::job::failure::Failure;
use common::recipe::{Container, Hdr, VideoEncode};

use crate::attempt::verify::gate::Gate;
use crate::attempt::verify::output::mismatch;
use crate::ffmpeg::probe::media::{Media, Stream, StreamKind};
use crate::ffmpeg::sound::layout::Layout;
use crate::ffmpeg::tracks::{Track, TrackMethod};

/// Codecs with the number of channels in each frame. It may change within a track, so the result of a probe depends
/// on how much the probe reads.
const SAYS_CHANNELS: &[&str] = &["ac3", "eac3", "dts", "truehd", "mlp", "mp1", "mp2", "mp3"];

impl Gate<'_> {
    pub(super) fn compare_tracks(&self, made: &Media) -> Result<(), Failure> {
        // mp4 stores chapters and timecode as extra data tracks, after all other tracks.
        let mut data = self
            .input
            .tracks
            .iter()
            .filter(|track| track.source.kind == StreamKind::Data)
            .count();
        let is_asked_for = move |stream: &&Stream| {
            if stream.kind != StreamKind::Data {
                return true;
            }
            let is_left = data > 0;
            data = data.saturating_sub(1);
            is_left
        };
        let made: Vec<&Stream> = made.streams.iter().filter(is_asked_for).collect();
        if made.len() != self.input.tracks.len() {
            return Err(mismatch(format!(
                "output has {} tracks where {} were asked for",
                made.len(),
                self.input.tracks.len()
            )));
        }
        for (track, made) in self.input.tracks.iter().zip(made) {
            if let Some((what, is, wanted)) = self.difference(track, made) {
                return Err(mismatch(format!(
                    "{what} of the output's {} track {} is {is} where {wanted} was asked for",
                    made.kind, made.index
                )));
            }
        }
        Ok(())
    }

    /// A difference between a track as asked for and as made: the property, its value in the output, the expected
    /// value.
    fn difference(&self, track: &Track, made: &Stream) -> Option<(&'static str, String, String)> {
        let source = &track.source;
        if made.kind != source.kind {
            return Some(("kind", made.kind.to_string(), source.kind.to_string()));
        }
        let codec = match track.by {
            TrackMethod::Copy | TrackMethod::Attach => source.codec.as_str(),
            TrackMethod::Video => self.recipe.codec().map_or("", |codec| codec.name()),
            TrackMethod::Audio(encoder) => encoder.codec(),
            TrackMethod::Subtitles(form) | TrackMethod::Captions(form) => form,
        };
        // mp4 has one name for all layers of MPEG audio.
        let same = made.codec == codec
            || (self.recipe.container == Container::Mp4
                && (codec, made.codec.as_str()) == ("mp2", "mp3"));
        if !codec.is_empty() && !same {
            return Some(("codec", made.codec.clone(), codec.to_owned()));
        }
        let is_fixed = !SAYS_CHANNELS.contains(&source.codec.as_str());
        if track.by == TrackMethod::Copy && is_fixed && made.channels != source.channels {
            let channels = |stream: &Stream| format!("{} channels", stream.channels);
            return Some(("sound", channels(made), channels(source)));
        }
        if let Some(sound) = &track.sound
            && !Layout::parse(&made.layout).is_some_and(|made| made.sounds_like(sound.layout()))
        {
            let wanted = sound.layout().to_string();
            return Some(("layout", made.layout.clone(), wanted));
        }
        let is_sdr = |video: &VideoEncode| video.hdr == Hdr::Sdr;
        let transfer = &made.colour.transfer;
        if track.by == TrackMethod::Video
            && self.recipe.video_encode().is_some_and(is_sdr)
            && made.colour.is_hdr()
        {
            return Some(("transfer function", transfer.clone(), "SDR".to_owned()));
        }
        let size = match track.by {
            // Nobody has read how large the pictures in a subtitle file are.
            TrackMethod::Copy if source.external.is_some() => return None,
            TrackMethod::Copy => (source.width, source.height),
            TrackMethod::Video => track.size?,
            _ => return None,
        };
        if made.width.abs_diff(size.0) > 1 || made.height.abs_diff(size.1) > 1 {
            let text = |(width, height)| format!("{width}x{height}");
            return Some(("size", text((made.width, made.height)), text(size)));
        }
        None
    }
}
