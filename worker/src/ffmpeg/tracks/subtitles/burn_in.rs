//! Which subtitle track is drawn into the picture, and the files that a drawing of text needs.

use std::ffi::OsString;
use std::path::Path;

use cap_std::fs::Dir;
use common::job::changes::{Change, Kind};
use common::job::failure::{Failure, Fault};
use common::recipe::{BurnIn, Recipe};
use common::store::marked::create_private;

use crate::ffmpeg::findings::{Findings, ForeignTrack};
use crate::ffmpeg::part::has_jumps;
use crate::ffmpeg::probe::media::{Media, Stream, StreamKind};
use crate::ffmpeg::run::fault::Origin;
use crate::ffmpeg::run::runner::Runner;
use crate::ffmpeg::tracks::subtitles::choice;
use crate::ffmpeg::tracks::subtitles::file;
use crate::ffmpeg::tracks::subtitles::form::Form;
use crate::ffmpeg::tracks::subtitles::purpose::is_forced;
use crate::ffmpeg::tracks::{Track, of_source};
use crate::ffmpeg::{Source, file as literal};

/// The text to be drawn, in the folder where ffmpeg works. Filters find it by its name alone.
pub(crate) const TEXT: &str = "burn-in.ass";
/// The pictures to be drawn, in the same folder, beside a film of small black pictures.
///
/// ffmpeg shows subtitles of pictures by the time of what it reads beside them. In the input itself, sound and
/// pictures that come earlier would delay them.
const PICTURES: &str = "burn-in.mkv";
/// That film: its pictures a second are the times at which subtitles can end.
const BLACK: &str = "color=c=black:s=16x16:r=25";
/// The longest such film, in seconds, and its length where the input states none that can be true: subtitles without
/// an end may make a file seem to last for weeks.
const LONGEST: f64 = 6.0 * 3600.0;
/// The folder of the input's fonts, in the same folder.
pub(crate) const FONTS: &str = "burn-in-fonts";
/// The most fonts that are brought. A hostile file may attach thousands.
const MOST_FONTS: usize = 256;

/// The track that is drawn into the picture.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Burnt {
    /// The stream, of the input or of a file beside it.
    pub(crate) stream: Stream,
    /// Whether it holds text, and not pictures.
    pub(crate) is_text: bool,
    /// The streams of the input that hold fonts.
    fonts: Vec<usize>,
    /// Seconds by which a film that is cut is shown earlier than the subtitles, which are brought whole; `None` for a
    /// whole film.
    pub(crate) shift: Option<f64>,
}

impl Burnt {
    pub(crate) fn has_fonts(&self) -> bool {
        !self.fonts.is_empty()
    }
}

/// The subtitle tracks of an input and of the files beside it, in this order.
pub(crate) fn candidates<'a>(
    media: &'a Media,
    findings: &'a Findings,
) -> impl Iterator<Item = &'a Stream> {
    let external = findings.external.iter().map(|file| &file.stream);
    choice::tracks(media).chain(external)
}

/// The track that the recipe draws. The change tells that there is none to draw.
///
/// # Errors
/// If there is no such track, or if ffmpeg cannot read it; the input is at fault.
pub(crate) fn find(
    recipe: &Recipe,
    media: &Media,
    findings: &Findings,
) -> Result<(Option<Burnt>, Option<Change>), Failure> {
    let burn_in = recipe
        .video_encode()
        .and_then(|video| video.burn_in.as_ref());
    let Some(which) = burn_in else {
        return Ok((None, None));
    };
    let mut tracks = candidates(media, findings);
    let found = match which {
        BurnIn::Forced => first_forced(recipe, media, findings),
        BurnIn::Foreign => match findings.foreign {
            Some(ForeignTrack::Found(index)) => tracks.find(|track| track.index == index),
            Some(ForeignTrack::Missing) | None => None,
        },
        BurnIn::Track(number) => tracks.nth(*number as usize - 1),
        BurnIn::Language(language) => tracks.find(|track| choice::is_in(language, track, media)),
    };
    let Some(stream) = found else {
        return missing(which, media, findings).map(|change| (None, Some(change)));
    };
    let is_text = match Form::of(&stream.codec) {
        Form::Text => true,
        Form::Bitmap => false,
        Form::Unknown => {
            return Err(Failure::input(format!(
                "subtitle track {} ({}) cannot be burnt in: ffmpeg cannot read it",
                stream.index, stream.codec
            )));
        }
    };
    let burnt = Burnt {
        stream: stream.clone(),
        is_text,
        fonts: if is_text { fonts(media) } else { Vec::new() },
        shift: None,
    };
    Ok((Some(burnt), None))
}

/// The first forced track, in the first of the recipe's languages that has one.
fn first_forced<'a>(
    recipe: &Recipe,
    media: &'a Media,
    findings: &'a Findings,
) -> Option<&'a Stream> {
    let languages = &recipe.subtitle_tracks.languages;
    candidates(media, findings)
        .filter(|track| is_forced(track))
        .filter_map(|track| Some((choice::place(languages, track, media)?, track)))
        .min_by_key(|(place, _)| *place)
        .map(|(_, track)| track)
}

fn missing(which: &BurnIn, media: &Media, findings: &Findings) -> Result<Change, Failure> {
    let nothing =
        |what: &str, why: String| Ok(Change::converted(Kind::Track, None, what, "nothing", why));
    let count = candidates(media, findings).count();
    match which {
        BurnIn::Forced => nothing(
            "forced subtitles to be burnt in",
            "no track is forced".to_owned(),
        ),
        BurnIn::Foreign if findings.foreign.is_none() => nothing(
            "foreign subtitles to be burnt in",
            "there was no time to search for them".to_owned(),
        ),
        BurnIn::Foreign => nothing(
            "foreign subtitles to be burnt in",
            "no track in the language of the sound is shown far less than another".to_owned(),
        ),
        BurnIn::Track(number) => Err(Failure::input(format!(
            "there is no subtitle track {number} to burn in, for the input has {count}: choose another, or leave out \
             --burn-in"
        ))),
        BurnIn::Language(language) => Err(Failure::input(format!(
            "none of the input's {count} subtitle tracks is in {language}, so none can be burnt in: choose another \
             language, or a number from 1, or leave out --burn-in"
        ))),
    }
}

/// The attachments that are fonts, by their form, type or name.
fn fonts(media: &Media) -> Vec<usize> {
    let is_font = |stream: &&Stream| {
        let says = |key: &str, words: &[&str]| {
            let tags = stream.tags.iter();
            let mut values = tags.filter(|(name, _)| name.eq_ignore_ascii_case(key));
            values.any(|(_, value)| {
                let value = value.to_lowercase();
                words.iter().any(|word| value.contains(word))
            })
        };
        stream.kind == StreamKind::Attachment
            && stream.absent.is_none()
            && (matches!(stream.codec.as_str(), "ttf" | "otf")
                || says("mimetype", &["font", "opentype", "truetype"])
                || says("filename", &[".ttf", ".otf", ".ttc"]))
    };
    let fonts = media.streams.iter().filter(is_font);
    fonts.map(|font| font.index).take(MOST_FONTS).collect()
}

/// The files that ffmpeg brings before it can draw subtitles.
#[derive(Clone, Debug, PartialEq)]
pub struct Extraction {
    arguments: Vec<OsString>,
    has_fonts: bool,
}

impl Extraction {
    pub(crate) fn arguments(&self) -> &[OsString] {
        &self.arguments
    }

    /// Whether the folder of fonts must be there.
    pub(crate) fn has_fonts(&self) -> bool {
        self.has_fonts
    }
}

/// The command line that brings the text with its fonts, or the pictures, into `folder`. `tracks` are those of the
/// output.
pub(crate) fn extraction(
    burnt: &Burnt,
    source: &Source,
    media: &Media,
    findings: &Findings,
    tracks: &[Track],
    folder: &Path,
) -> Extraction {
    let mut list: Vec<OsString> = ["-nostdin", "-hide_banner", "-v", "warning", "-y"]
        .map(OsString::from)
        .into();
    for font in &burnt.fonts {
        list.push(format!("-dump_attachment:{font}").into());
        list.push(literal(&folder.join(FONTS).join(font.to_string())));
    }
    let external = burnt
        .stream
        .external
        .and_then(|number| findings.external.get(number));
    let codec = burnt.stream.codec.as_str();
    let is_styled = matches!(codec, "ass" | "ssa");
    if let Some(reader) = burnt.stream.reader.as_deref() {
        list.push(format!("-c:{}", burnt.stream.index).into());
        list.push(reader.into());
    }
    if external.is_none() && burnt.is_text && !is_styled {
        list.push(format!("-sub_charenc_mode:{}", burnt.stream.index).into());
        list.push("ignore".into());
    }
    list.extend(source.arguments());
    let from = match external {
        Some(external) => {
            list.extend(file::arguments(external, 0.0));
            "1:0".to_owned()
        }
        None => format!("0:{}", burnt.stream.index),
    };
    let form = if burnt.is_text && !is_styled {
        "ass"
    } else {
        "copy"
    };
    if burnt.is_text {
        list.extend(["-map", &from, "-c:s", form, "-f", "ass"].map(OsString::from));
        list.push(literal(&folder.join(TEXT)));
    } else {
        let stated = media.likely_duration();
        let length = stated.map_or(LONGEST, |length| length.min(LONGEST));
        let length = length + burnt.shift.unwrap_or(0.0).max(0.0);
        list.extend(["-f", "lavfi", "-i"].map(OsString::from));
        list.push(format!("{BLACK}:d={length:.3}").into());
        let black = if external.is_some() { "2:0" } else { "1:0" };
        list.extend(["-map", &from, "-map", black, "-c:s", form].map(OsString::from));
        let coded = [
            "-c:v",
            "mpeg4",
            "-g",
            "1",
            "-bf",
            "0",
            "-max_interleave_delta",
            "0",
        ];
        list.extend(coded.map(OsString::from));
        list.extend(["-f", "matroska"].map(OsString::from));
        list.push(literal(&folder.join(PICTURES)));
    }
    if external.is_none() && has_jumps(media) {
        list.extend(beside(tracks));
    }
    Extraction {
        arguments: list,
        has_fonts: burnt.has_fonts(),
    }
}

/// A second output, which is nowhere: the tracks that are read when the subtitles are drawn. Where a clock may jump, the
/// first of the tracks that are used begins at 0. With the subtitles alone, that would be the first subtitle.
pub(crate) fn beside(tracks: &[Track]) -> Vec<OsString> {
    let mut list: Vec<OsString> = Vec::new();
    for track in of_source(tracks) {
        list.extend(["-map".into(), format!("0:{}", track.source.index).into()]);
    }
    list.extend(["-c", "copy", "-f", "null", "-"].map(OsString::from));
    list
}

/// The arguments that open the pictures in `folder` as an input. `canvas` is the size of the film, which the canvas has
/// if its stream does not say.
pub(crate) fn input(burnt: &Burnt, canvas: (u32, u32), folder: &Path) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = Vec::new();
    let is_known = burnt.stream.width > 0 && burnt.stream.height > 0;
    if !is_known && canvas.0 > 0 && canvas.1 > 0 {
        let (width, height) = canvas;
        arguments.extend(["-canvas_size".into(), format!("{width}x{height}").into()]);
    }
    if let Some(shift) = burnt.shift {
        arguments.extend(["-itsoffset".into(), format!("{:.6}", -shift).into()]);
    }
    let form = ["-f", "matroska", "-protocol_whitelist", "file", "-i"];
    arguments.extend(form.map(OsString::from));
    arguments.push(literal(&folder.join(PICTURES)));
    arguments
}

/// Brings what is to be drawn into `folder`, where the runner may write.
///
/// # Errors
/// If ffmpeg cannot read the subtitles, or if the disk refuses.
pub async fn bring(
    runner: &Runner,
    source: &Source,
    folder: &Dir,
    extraction: &Extraction,
) -> Result<(), Failure> {
    if extraction.has_fonts {
        match create_private(folder, FONTS) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(Failure::worker(format!(
                    "no folder for fonts can be made: {error}"
                )));
            }
            _ => {}
        }
    }
    let brought = runner
        .ffmpeg(&extraction.arguments, Origin::of(source), |_| {})
        .await;
    match brought {
        Err(mut failure) if failure.fault == Fault::Input => {
            failure.message = format!(
                "the subtitles to be burnt in cannot be read: {}",
                failure.message
            );
            Err(failure)
        }
        brought => brought.map(|_| ()),
    }
}
