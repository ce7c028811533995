//! Packages a verified output: its film becomes the job's output, its other tracks become companions.

use std::ffi::OsString;
use std::fs::File;
use std::sync::Arc;

use cap_std::fs::OpenOptions;
use common::job::failure::{Doubt, Failure};
use common::job::ladder::{Fraction, LadderStream, LadderStreamKind, SegmentIndex, VideoRange};
use common::names::location::Location;
use common::names::printable::printable;
use common::recipe::Segment;
use tokio_util::sync::CancellationToken;

use crate::attempt::companions::Made;
use crate::attempt::ladder::rates::rates;
use crate::attempt::ladder::{Packaged, VIDEO_PLAYLIST, media_playlist, suffix};
use crate::attempt::scratch::AttemptFolder;
use crate::attempt::steps::Verified;
use crate::attempt::tool_output::ToolOutput;
use crate::ffmpeg::containers::cmaf;
use crate::ffmpeg::probe::count::{Count, count};
use crate::ffmpeg::probe::media::{Ratio, Stream, StreamKind};
use crate::ffmpeg::probe::probe;
use crate::ffmpeg::run::fault::Origin;
use crate::ffmpeg::tracks::{Track, language, tags};
use crate::ffmpeg::{Source, file};

/// The name of the packaged film while it is made.
const FILM: &str = "film.mp4";

/// Packages the output of a rendition, which will lie at `output`, in segments of this length.
///
/// # Errors
/// The worker's fault if the encoder has not set the keyframes that a ladder needs, or if the disk refuses.
pub async fn package(
    verified: &Verified,
    output: &Location,
    segment: Segment,
) -> Result<Packaged, Failure> {
    let packager = Packager {
        verified,
        output,
        segment,
        folder: &verified.encoded.probed.prepared.folder,
    };
    let media = &verified.checked.media;
    let tracks = &verified.encoded.probed.arguments.tracks;
    let (mut film, mut companions, mut streams) = (None, Vec::new(), Vec::new());
    let (mut sounds, mut texts) = (0, 0);
    for (number, (made, track)) in media.streams.iter().zip(tracks).enumerate() {
        match made.kind {
            StreamKind::Video if film.is_none() => {
                let (file, stream, playlist) = packager.film(number, made).await?;
                film = Some(file);
                streams.push(stream);
                companions.push(playlist);
            }
            StreamKind::Audio => {
                sounds += 1;
                let (made, stream) = packager.sound(number, sounds, made, track).await?;
                streams.push(stream);
                companions.extend(made);
            }
            StreamKind::Subtitle => {
                texts += 1;
                let (made, stream) = packager.subtitles(number, texts, track).await?;
                streams.push(stream);
                companions.extend(made);
            }
            _ => {}
        }
    }
    Ok(Packaged {
        output: film.ok_or_else(|| Failure::worker("a rendition of a ladder has no film"))?,
        companions,
        streams,
    })
}

struct Packager<'a> {
    verified: &'a Verified,
    output: &'a Location,
    segment: Segment,
    folder: &'a Arc<AttemptFolder>,
}

impl Packager<'_> {
    /// The film: the job's output, and its playlist.
    async fn film(
        &self,
        number: usize,
        made: &Stream,
    ) -> Result<(ToolOutput, LadderStream, Made), Failure> {
        let (file, packaged) = self.track(number, FILM).await?;
        let (width, height) = made.shown();
        let kind = LadderStreamKind::Video {
            width: (f64::from(width) * made.shown_aspect()).round() as u32,
            height,
            frame_rate: made.mean_rate.or(made.base_rate).and_then(fraction),
            range: range(made),
        };
        let playlist = suffix(VIDEO_PLAYLIST)?.beside(self.output);
        let text = media_playlist::of_track(&packaged, &self.output.linked_from(&playlist));
        let companion = self.text(VIDEO_PLAYLIST, text).await?;
        let stream = stream(&packaged, self.output.clone(), playlist, kind);
        Ok((file, stream, companion))
    }

    /// A track of sound: a file and its playlist.
    async fn sound(
        &self,
        number: usize,
        nth: usize,
        made: &Stream,
        track: &Track,
    ) -> Result<([Made; 2], LadderStream), Failure> {
        let (name, listed) = (format!("audio-{nth}.mp4"), format!("audio-{nth}.m3u8"));
        let (file, packaged) = self.track(number, &name).await?;
        let kind = LadderStreamKind::Sound {
            language: spoken(track),
            title: title(track),
            channels: made.channels,
            sample_rate: made.sample_rate,
            default: track.dispositions.contains("default"),
        };
        let (at, playlist) = self.places(&name, &listed)?;
        let text = media_playlist::of_track(&packaged, &at.linked_from(&playlist));
        let file = Made {
            suffix: suffix(&name)?,
            file,
        };
        let companions = [file, self.text(&listed, text).await?];
        Ok((companions, stream(&packaged, at, playlist, kind)))
    }

    /// A track of subtitles: a WebVTT file and its playlist.
    async fn subtitles(
        &self,
        number: usize,
        nth: usize,
        track: &Track,
    ) -> Result<([Made; 2], LadderStream), Failure> {
        let name = format!("subtitles-{nth}.vtt");
        let listed = format!("subtitles-{nth}.m3u8");
        let prepared = &self.verified.encoded.probed.prepared;
        let source = Source::File(self.verified.output.path().to_owned());
        let mut arguments: Vec<OsString> =
            ["-nostdin", "-hide_banner", "-v", "error", "-y", "-copyts"]
                .map(OsString::from)
                .into();
        arguments.extend(source.arguments());
        let map = format!("0:{number}");
        arguments.extend(["-map", &map, "-c:s", "webvtt", "-f", "webvtt"].map(OsString::from));
        arguments.push(file(&self.folder.work_path().join(&name)));
        let runner = prepared
            .runner
            .reading(self.verified.output.path())
            .writing(self.folder.work_path());
        runner.ffmpeg(&arguments, Origin::Local, |_| {}).await?;
        let text = self.take(&name)?;
        let (at, playlist) = self.places(&name, &listed)?;
        let seconds = self.verified.checked.duration.max(1.0);
        let bits = text.file.size() * 8;
        let stream = LadderStream {
            kind: LadderStreamKind::Subtitles {
                language: spoken(track),
                title: title(track),
                forced: track.dispositions.contains("forced"),
                default: track.dispositions.contains("default"),
            },
            codecs: "wvtt".to_owned(),
            peak: bits,
            average: (bits as f64 / seconds).ceil() as u64,
            duration: self.verified.checked.duration,
            segments: None,
            file: at.clone(),
            playlist: playlist.clone(),
        };
        let listing = media_playlist::of_whole(seconds, &at.linked_from(&playlist));
        Ok(([text, self.text(&listed, listing).await?], stream))
    }

    /// Where a file and its playlist will lie.
    fn places(&self, name: &str, playlist: &str) -> Result<(Location, Location), Failure> {
        let beside = |name: &str| Ok::<_, Failure>(suffix(name)?.beside(self.output));
        Ok((beside(name)?, beside(playlist)?))
    }

    /// Packages the track of this number into a file of this name, and checks that ffmpeg finds in it what was put in.
    async fn track(
        &self,
        number: usize,
        name: &str,
    ) -> Result<(ToolOutput, cmaf::Packaged), Failure> {
        let failed = |error: std::io::Error| Failure::worker(format!("{name}: {error}"));
        let options = OpenOptions::new().write(true).create_new(true).clone();
        let into = self
            .folder
            .work()
            .open_with(name, &options)
            .map_err(failed)?;
        let into = into.into_std();
        let from = self.verified.output.reopen().map_err(failed)?;
        let stop = self.verified.encoded.probed.prepared.runner.stop.clone();
        let packaged = blocking(from, into, number, self.segment, stop).await;
        let packaged = packaged.map_err(failed)?;
        let file = ToolOutput::take(self.folder, name)?;
        self.check(&file, &packaged).await?;
        Ok((file, packaged))
    }

    async fn check(&self, file: &ToolOutput, packaged: &cmaf::Packaged) -> Result<(), Failure> {
        let runner = self
            .verified
            .encoded
            .probed
            .prepared
            .runner
            .reading(file.path());
        let source = Source::File(file.path().to_owned());
        let media = probe(&runner, &source).await?;
        let counted = count(&runner, &source, 0, Count::Packets).await?;
        let is_whole = media.streams.len() == 1
            && counted.complaints.is_empty()
            // ffmpeg counts packets of video only.
            && (counted.frames == packaged.samples || media.films().next().is_none());
        match is_whole {
            true => Ok(()),
            false => Err(Failure::in_doubt(
                Doubt::Repetition,
                format!(
                    "a packaged file holds {} tracks and {} frames where one of {} was put in",
                    media.streams.len(),
                    counted.frames,
                    packaged.samples
                ),
            )),
        }
    }

    /// A companion of this text.
    async fn text(&self, name: &str, text: String) -> Result<Made, Failure> {
        self.folder.put(name, text).await?;
        self.take(name)
    }

    /// A companion that lies in the working folder. Its name is its suffix.
    fn take(&self, name: &str) -> Result<Made, Failure> {
        Ok(Made {
            suffix: suffix(name)?,
            file: ToolOutput::take(self.folder, name)?,
        })
    }
}

async fn blocking(
    from: File,
    into: File,
    number: usize,
    segment: Segment,
    stop: CancellationToken,
) -> std::io::Result<cmaf::Packaged> {
    let package = move || cmaf::package(&from, number, segment, &into, &|| stop.is_cancelled());
    tokio::task::spawn_blocking(package)
        .await
        .map_err(std::io::Error::other)?
}

fn stream(
    packaged: &cmaf::Packaged,
    file: Location,
    playlist: Location,
    kind: LadderStreamKind,
) -> LadderStream {
    let (average, peak) = rates(&packaged.segments);
    let longest = packaged.segments.iter().map(|part| part.seconds);
    LadderStream {
        file,
        playlist,
        kind,
        codecs: packaged.codec.clone(),
        peak,
        average,
        duration: packaged.start + packaged.duration,
        segments: Some(SegmentIndex {
            initialization: packaged.initialization,
            index: packaged.index,
            longest: longest.fold(0.0, f64::max),
        }),
    }
}

fn fraction(rate: Ratio) -> Option<Fraction> {
    let Ratio {
        numerator,
        denominator,
    } = rate;
    (numerator > 0 && denominator > 0).then_some(Fraction {
        numerator,
        denominator,
    })
}

fn range(film: &Stream) -> VideoRange {
    if film.colour.is_pq() {
        VideoRange::Pq
    } else if film.colour.is_hlg() {
        VideoRange::Hlg
    } else {
        VideoRange::Sdr
    }
}

fn spoken(track: &Track) -> Option<String> {
    language::tag(&track.source).map(|tag| printable(&language::bcp47(tag)))
}

fn title(track: &Track) -> Option<String> {
    let title = track
        .title
        .as_deref()
        .or_else(|| tags::title(&track.source));
    title.map(printable)
}
