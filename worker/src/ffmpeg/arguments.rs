//! ffmpeg's command line for a recipe. Pure: what comes out depends on nothing
//! but what goes in.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use common::farm::card::Proof;
use common::job::changes::Change;
use common::job::failure::Failure;
use common::recipe::encoder::{Codec, Encoder};
use common::recipe::{Audio, Container, Recipe, Video, VideoEncode};

use super::build::Build;
use super::picture::{Clock, Picture, Task};
use super::sound::Sound;
use super::tracks::{Means, Track, Tracks};
use super::{Source, file, picture, rate, sound};
use crate::ffmpeg::containers::finish::Finish;
use crate::ffmpeg::probe::media::{Media, StreamKind};
use crate::ffmpeg::probe::times;
use crate::ffmpeg::tracks::{captions, dispositions, extras, tags};

/// A command line, and what it will make.
#[derive(Clone, Debug, PartialEq)]
pub struct Arguments {
    /// What ffmpeg is given.
    pub list: Vec<OsString>,
    /// The streams of the output, in order.
    pub tracks: Vec<Track>,
    /// What becomes of what the input holds, as far as it is known before the encode.
    pub changes: Vec<Change>,
    /// What ffmpeg is given before, in the same folder: it brings what is to be attached.
    pub before: Option<Vec<OsString>>,
    /// What is to be written to the output afterwards.
    pub finish: Finish,
}

/// The command line that makes the output with this `build` of ffmpeg. `encoder` is what encodes video and what was
/// seen of it; `None` for recipes that copy video.
///
/// # Errors
/// The input's fault where this recipe cannot work on it.
pub fn encode(
    recipe: &Recipe,
    media: &Media,
    encoder: Option<(&Encoder, &Proof)>,
    build: &Build,
    source: &Source,
    output: &Path,
) -> Result<Arguments, Failure> {
    let mut tracks = Tracks::choose(recipe, media)?;
    let films: Vec<_> = tracks.films().map(|track| track.source.clone()).collect();
    let mut pictures = Vec::new();
    if let Some(video) = recipe.video_encode() {
        let (encoder, proof) = encoder
            .ok_or_else(|| Failure::worker(format!("no encoder was chosen for {}", video.with)))?;
        for film in &films {
            let task = Task {
                film,
                video,
                encoder,
                proof,
                captions: recipe.captions,
                container: recipe.container,
                build,
            };
            let mut picture = Picture::of(&task)?;
            tracks.changes.append(&mut picture.changes);
            pictures.push((task, picture));
        }
    }
    let mut line = Line::default();
    line.push("-nostdin -hide_banner -v warning -y");
    if let Some((_, proof)) = encoder {
        line.add(&proof.device_arguments);
    }
    line.readers(&tracks);
    for (task, picture) in &pictures {
        if let Some(decoder) = picture.decoder {
            line.push(format!("-c:{} {decoder}", task.film.index));
        }
    }
    if let Some(reading) = times::reading(media).filter(|_| recipe.video == Video::Copy) {
        line.push(reading);
    }
    line.add(source.arguments());
    if let Some(film) = captions::source(recipe, media) {
        line.add(captions::input(film, media, source));
    }
    for (number, track) in tracks.list.iter().enumerate() {
        if track.by == Means::Attach {
            continue;
        }
        let codec = match (track.by, encoder) {
            (Means::Video, Some((encoder, _))) => encoder.as_str(),
            (Means::Audio(encoder), _) => encoder.name(),
            (Means::Subtitles(form) | Means::Captions(form), _) => form,
            (Means::Copy | Means::Video | Means::Attach, _) => "copy",
        };
        let from = match track.by {
            Means::Captions(_) => captions::STREAM.to_owned(),
            _ => format!("0:{}", track.source.index),
        };
        line.push(format!("-map {from} -c:{number} {codec}"));
    }
    let folder = output.parent().unwrap_or(Path::new(""));
    line.add(extras::arguments(&tracks.list, folder));
    line.push("-map_metadata 0 -map_chapters 0");
    line.add(tags::arguments(recipe.container, media, &tracks.list));
    line.add(dispositions::arguments(recipe.container, &tracks.list));
    if let (Some(video), Some((encoder, proof))) = (recipe.video_encode(), encoder) {
        line.add(&proof.encoder_arguments);
        line.add(rate::rate(encoder, video.rate));
        if let Some(preset) = &video.preset {
            line.add(rate::preset(encoder, preset.as_str()));
        }
        let depth = films.first().map_or(8, |film| film.depth());
        line.add(rate::default_options(
            encoder,
            video.bit_depth.map_or(depth, u8::from),
        ));
        line.further(video, encoder);
        for (number, (task, picture)) in pictures.iter().enumerate() {
            line.film(number, task, picture);
        }
    } else {
        for (number, film) in films.iter().enumerate() {
            let copied = picture::copied(film, number, recipe.container, build)?;
            line.add(copied.arguments);
            tracks.changes.extend(copied.changes);
        }
    }
    if pictures.iter().any(|(_, picture)| picture.has_dolby_vision) {
        line.push(picture::UNOFFICIAL);
    }
    if recipe.video == Video::Copy {
        for (number, film) in tracks.films().enumerate() {
            if let Some(filter) = times::film_filter(&film.source, media) {
                line.push(format!("-bsf:v:{number} {filter}"));
            }
        }
    }
    line.sound(recipe, media, &tracks)?;
    line.container(
        recipe.container,
        encoder.map(|(encoder, _)| encoder),
        &tracks,
        tags::has_keys(media),
    );
    line.list.push(file(output));
    Ok(Arguments {
        list: line.list,
        before: extras::bring_covers(source, &tracks.list, folder),
        finish: Finish::new(recipe.container, media, &tracks.list),
        tracks: tracks.list,
        changes: tracks.changes,
    })
}

/// A command line in the making.
#[derive(Default)]
struct Line {
    list: Vec<OsString>,
}

impl Line {
    /// Adds arguments that hold no spaces themselves.
    fn push(&mut self, arguments: impl AsRef<str>) {
        self.add(arguments.as_ref().split(' '));
    }

    fn add(&mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) {
        self.list.extend(
            arguments
                .into_iter()
                .map(|argument| argument.as_ref().to_owned()),
        );
    }

    /// What the recipe says in ffmpeg's own words; later ones win over ours.
    fn further(&mut self, video: &VideoEncode, encoder: &Encoder) {
        let arguments = video.arguments.iter();
        for argument in arguments.filter(|argument| !picture::holds_params(encoder, argument)) {
            self.add([
                format!("-{}:v", argument.option()),
                argument.value().to_owned(),
            ]);
        }
    }

    /// How one film is encoded, by its place among the output's video streams.
    fn film(&mut self, number: usize, task: &Task<'_>, picture: &Picture) {
        if task.video.keeps_frames() {
            self.push(format!("-fps_mode:v:{number} passthrough"));
            let takes_any = rate::takes_any_time_base(task.encoder);
            let clock = Clock::of(task.film, task.container).filter(|_| takes_any);
            // In the source's own unit of time no two frames fall on one timestamp, at whatever rate they come.
            let unit = clock.map(Clock::unit).or(task.film.time_base);
            if let Some(unit) = unit.filter(|_| takes_any) {
                self.push(format!("-enc_time_base:v:{number} {unit}"));
            }
            if let Some(clock) = clock {
                self.add([format!("-bsf:v:{number}"), clock.filter()]);
            }
        }
        self.add(picture.arguments(task, number));
    }

    fn sound(&mut self, recipe: &Recipe, media: &Media, tracks: &Tracks) -> Result<(), Failure> {
        let bitrate = match &recipe.audio {
            Audio::Encode { bitrate, .. } | Audio::CopyElse { bitrate, .. } => bitrate,
            Audio::Copy | Audio::None => &None,
        };
        let sounds = tracks
            .list
            .iter()
            .filter(|track| track.source.kind == StreamKind::Audio);
        for (number, track) in sounds.enumerate() {
            let Means::Audio(encoder) = track.by else {
                if track.by == Means::Copy
                    && let Some(filter) = sound::filter_of_copy(&track.source, media)
                {
                    self.push(format!("-bsf:a:{number} {filter}"));
                }
                continue;
            };
            let sound = Sound::plan(&track.source, encoder, recipe.container)?;
            if let Some(bitrate) = bitrate {
                self.push(format!("-b:a:{number} {}", sound.bitrate(*bitrate)));
            }
            self.push(format!("-filter:a:{number} {}", sound.filter()));
        }
        Ok(())
    }

    /// How subtitles are read, where ffmpeg does not read them well by itself.
    fn readers(&mut self, tracks: &Tracks) {
        for track in &tracks.list {
            let index = track.source.index;
            if let Some(reader) = track.source.reader {
                self.push(format!("-c:{index} {reader}"));
            }
            // Text in an old encoding is kept byte by byte instead of being refused.
            if matches!(track.by, Means::Subtitles(_)) {
                self.push(format!("-sub_charenc_mode:{index} ignore"));
            }
        }
    }

    fn container(
        &mut self,
        container: Container,
        encoder: Option<&Encoder>,
        tracks: &Tracks,
        has_keys: bool,
    ) {
        if matches!(container, Container::Mp4 | Container::Mov) {
            for (number, film) in tracks.films().enumerate() {
                let hevc = match encoder {
                    Some(encoder) => encoder.codec() == Some(Codec::Hevc),
                    None => film.source.codec == "hevc",
                };
                // Apple's players know HEVC by this name only.
                if hevc {
                    self.push(format!("-tag:v:{number} hvc1"));
                }
            }
            self.push(if has_keys {
                "-movflags +faststart+use_metadata_tags"
            } else {
                "-movflags +faststart"
            });
            let codec = |track: &Track| match track.by {
                Means::Audio(encoder) => encoder.codec().to_owned(),
                _ => track.source.codec.clone(),
            };
            // What ffmpeg took for an experiment when these were new to MP4. Only the muxer is told: encoders, too, have experiments.
            if tracks
                .list
                .iter()
                .any(|track| matches!(codec(track).as_str(), "flac" | "opus" | "truehd"))
            {
                self.push("-f_strict experimental");
            }
        }
        // Sparse subtitles must not starve the others out.
        self.push("-max_muxing_queue_size 4096");
        self.push(format!("-f {}", container.muxer()));
    }
}

#[cfg(test)]
mod tests {
    use common::recipe::Choice;
    use common::recipe::encoder::EncoderKind;

    use super::*;
    use crate::ffmpeg::probe::media::Stream;

    fn film(width: u32, height: u32, pixel_format: &str) -> Stream {
        Stream {
            kind: StreamKind::Video,
            codec: "h264".to_owned(),
            width,
            height,
            pixel_format: pixel_format.to_owned(),
            time_base: Some(crate::ffmpeg::probe::media::Ratio {
                numerator: 1,
                denominator: 12800,
            }),
            ..Stream::default()
        }
    }

    fn media(film: Stream) -> Media {
        let sound = Stream {
            index: 1,
            kind: StreamKind::Audio,
            codec: "aac".to_owned(),
            channels: 6,
            ..Stream::default()
        };
        Media {
            streams: vec![film, sound],
            ..Media::default()
        }
    }

    fn recipe(encoder: &str, change: impl FnOnce(&mut VideoEncode)) -> Recipe {
        let mut video = VideoEncode::new(Choice::Encoder(encoder.parse().expect("a name")));
        change(&mut video);
        Recipe::encode(video)
    }

    fn proof(formats: &[&str], device: &[&str]) -> Proof {
        Proof {
            kind: EncoderKind::Software,
            pixel_formats: formats.iter().map(ToString::to_string).collect(),
            largest: (1920, 1080),
            fps: 1.0,
            sessions: None,
            device_arguments: device.iter().map(ToString::to_string).collect(),
            encoder_arguments: Vec::new(),
        }
    }

    /// The command line but for what all have: its beginning, and the reading of the input.
    fn line(recipe: &Recipe, media: &Media, proof: &Proof) -> Result<String, Failure> {
        let encoder = recipe.video_encode().map(|video| match &video.with {
            Choice::Encoder(encoder) => encoder,
            _ => panic!("these tests name encoders"),
        });
        let encoder = encoder.map(|encoder| (encoder, proof));
        let source = Source::File("/in.mp4".into());
        let build = Build::new("5.1.9", [], []);
        let output = Path::new("/scratch/out");
        let made = encode(recipe, media, encoder, &build, &source, output)?;
        let mut line = made.list.join(OsStr::new(" ")).into_string().expect("text");
        let reading = source
            .arguments()
            .join(OsStr::new(" "))
            .into_string()
            .expect("text");
        line = line.replace("-nostdin -hide_banner -v warning -y ", "");
        line = line.replace(&reading, "INPUT");
        line = line.replace("-map_metadata 0 -map_chapters 0 ", "");
        Ok(line.replace("-disposition:0 0 -disposition:1 0 ", ""))
    }

    const END: &str = "-max_muxing_queue_size 4096 -f matroska file:/scratch/out";

    #[test]
    fn software_keeps_depth_time_and_frames() {
        let recipe = recipe("libx265", |video| {
            video.rate = common::recipe::Rate::Crf(28.0);
            video.preset = Some("slow".parse().expect("a token"));
            video.arguments = vec!["x265-params=aq-mode=3".parse().expect("an argument")];
        });
        let media = media(film(1920, 1080, "yuv420p10le"));
        assert_eq!(
            line(&recipe, &media, &proof(&["yuv420p", "yuv420p10le"], &[])).expect("a line"),
            format!(
                "INPUT -map 0:0 -c:0 libx265 -map 0:1 -c:1 copy -crf 28 -preset slow \
                 -fps_mode:v:0 passthrough -enc_time_base:v:0 1/12800 -x265-params:v:0 aq-mode=3:log-level=error {END}"
            )
        );
    }

    #[test]
    fn pictures_are_filtered_scaled_made_even_and_uploaded_in_this_order() {
        let recipe = recipe("hevc_vaapi", |video| {
            video.filters = Some("hqdn3d".parse().expect("filters"));
        });
        let media = media(film(1921, 1081, "yuv420p10le"));
        let mut proof = proof(
            &["nv12", "p010le"],
            &["-vaapi_device", "/dev/dri/renderD128"],
        );
        proof.encoder_arguments = vec!["-low_power".to_owned(), "1".to_owned()];
        assert_eq!(
            line(&recipe, &media, &proof).expect("a line"),
            format!(
                "-vaapi_device /dev/dri/renderD128 INPUT -map 0:0 -c:0 hevc_vaapi -map 0:1 -c:1 copy -low_power 1 \
                 -fps_mode:v:0 passthrough -enc_time_base:v:0 1/12800 \
                 -filter:v:0 hqdn3d,crop=trunc(iw/2)*2:trunc(ih/2)*2:0:0,format=p010le,hwupload {END}"
            )
        );
    }

    #[test]
    fn a_changed_frame_rate_leaves_the_times_to_ffmpeg() {
        let mut recipe = recipe("h264_nvenc", |video| {
            video.filters = Some("fps=30".parse().expect("filters"));
            video.scale = Some("1280x720".parse().expect("a size"));
            video.rate = common::recipe::Rate::Bitrate("4M".parse().expect("a bitrate"));
        });
        recipe.audio = "libopus:96k".parse().expect("audio");
        let line = line(
            &recipe,
            &media(film(1920, 1080, "yuv444p")),
            &proof(&["yuv420p"], &[]),
        );
        assert_eq!(
            line.expect("a line"),
            format!(
                "INPUT -map 0:0 -c:0 h264_nvenc -map 0:1 -c:1 libopus -b:v 4000000 -filter:v:0 fps=30,scale=1280:720 \
                 -pix_fmt:v:0 yuv420p -b:a:0 96000 \
                 -filter:a:0 channelmap=map=0-FL|1-FR|2-FC|3-LFE|4-BL|5-BR:channel_layout=FL+FR+FC+LFE+BL+BR,\
                 aformat=channel_layouts=FL+FR+FC+LFE+BL+BR {END}"
            )
        );
    }

    #[test]
    fn hevc_in_mp4_is_called_as_apple_calls_it_even_when_copied() {
        let mut source = film(640, 360, "yuv420p");
        source.codec = "hevc".to_owned();
        let recipe = Recipe {
            video: Video::Copy,
            container: Container::Mp4,
            ..recipe("libx264", |_| {})
        };
        assert_eq!(
            line(&recipe, &media(source), &proof(&[], &[])).expect("a line"),
            "INPUT -map 0:0 -c:0 copy -map 0:1 -c:1 copy -tag:v:0 hvc1 -movflags +faststart -max_muxing_queue_size 4096 -f mp4 \
             file:/scratch/out"
        );
    }

    #[test]
    fn a_depth_that_was_not_proved_is_refused_and_a_greater_one_is_not() {
        let ten = media(film(640, 360, "yuv420p10le"));
        let failure = line(
            &recipe("h264_nvenc", |_| {}),
            &ten,
            &proof(&["yuv420p"], &[]),
        );
        let failure = failure.expect_err("8 bit only");
        assert!(failure.message.contains("--bit-depth 8"), "{failure}");
        let eight = media(film(640, 360, "yuv420p"));
        let prores = recipe("prores_ks", |_| {});
        assert!(line(&prores, &eight, &proof(&["yuv422p10le"], &[])).is_ok());
    }
}
