//! Compares the properties of one track: its codec, language, title, dispositions and tags, and the layout of audio.

use common::job::changes::{Change, Kind};
use common::recipe::{Audio, Recipe};

use crate::attempt::changes::whole::{find, tags};
use crate::attempt::changes::{Pair, short, wanted};
use crate::ffmpeg::probe::media::{Stream, StreamKind};
use crate::ffmpeg::sound;
use crate::ffmpeg::sound::layout::Layout;
use crate::ffmpeg::tracks::{TrackMethod, language};

/// Dispositions that describe what a stream is, and not its purpose.
const NATURE: &[&str] = &["attached_pic", "still_image", "timed_thumbnails"];

/// A track that the output does not have.
pub(crate) fn lost(recipe: &Recipe, stream: &Stream, why: &str) -> Change {
    let change = Change::lost(kind(stream), stream.index, name(stream), why);
    if wanted::leaves_out(recipe, stream) {
        Change {
            why: Some("as asked for".to_owned()),
            ..change.wanted()
        }
    } else {
        change
    }
}

/// Compares the properties that every track has.
pub(crate) fn compare(list: &mut Vec<Change>, pair: &Pair<'_>) {
    let Pair { source, made, .. } = *pair;
    let index = source.index;
    list.push(identity(pair));
    if let Some(from) = language(source) {
        list.push(match language(made) {
            Some(to) if language::is_same(&from, &to) => Change::kept(Kind::Language, index, from),
            Some(to) => {
                let why = format!("as {} holds it", pair.recipe.container);
                Change::converted(Kind::Language, index, from, to, why)
            }
            None => Change::lost(Kind::Language, index, from, pair.wrote_none()),
        });
    }
    if let Some(title) = find(&source.tags, "title") {
        let asked = pair.title.unwrap_or(title);
        // mp4 has no other field for a track's title.
        let handler = find(&made.tags, "handler_name").filter(|handler| *handler == asked);
        list.push(match find(&made.tags, "title").or(handler) {
            Some(_) if asked != title => {
                let why = "so that it is true of the track";
                Change::converted(Kind::Title, index, short(title), short(asked), why).wanted()
            }
            Some(_) => Change::kept(Kind::Title, index, short(title)),
            None => Change::lost(Kind::Title, index, short(title), pair.wrote_none()),
        });
    }
    dispositions(list, pair);
    let why = format!("ffmpeg wrote none to {}", pair.recipe.container);
    tags(list, Some(index), &source.tags, &made.tags, &why);
    if source.kind == StreamKind::Audio {
        list.extend(layout(pair));
    }
}

fn kind(stream: &Stream) -> Kind {
    match stream.kind {
        StreamKind::Attachment => Kind::Attachment,
        StreamKind::Video if stream.is_picture => Kind::Cover,
        _ => Kind::Track,
    }
}

/// A short name of a stream: `audio aac`, `font.ttf`.
fn name(stream: &Stream) -> String {
    let file = find(&stream.tags, "filename").filter(|_| stream.kind == StreamKind::Attachment);
    match file {
        Some(file) => short(file),
        None if stream.codec.is_empty() => format!("{} of unknown form", stream.kind),
        None => format!("{} {}", stream.kind, stream.codec),
    }
}

fn identity(pair: &Pair<'_>) -> Change {
    let Pair { source, made, .. } = *pair;
    let kind = kind(source);
    let is_asked = matches!(pair.recipe.audio, Audio::Encode { .. });
    let is_encoded = matches!(pair.by, TrackMethod::Video | TrackMethod::Audio(_));
    // A copied codec may have another name in the output: MP2 is called MP3 in mp4.
    let is_same = made.codec == source.codec && !is_encoded;
    if is_same || matches!(pair.by, TrackMethod::Copy | TrackMethod::Attach) {
        return Change::kept(kind, source.index, name(source));
    }
    let (why, is_wanted) = match pair.by {
        TrackMethod::Video => ("as asked for".to_owned(), true),
        TrackMethod::Audio(_) if is_asked => ("as asked for".to_owned(), true),
        _ => {
            let why = format!("{} does not hold {}", pair.recipe.container, source.codec);
            (why, false)
        }
    };
    let change = Change::converted(kind, source.index, name(source), made.codec.clone(), why);
    if is_wanted { change.wanted() } else { change }
}

/// The language, unless it is undetermined.
fn language(stream: &Stream) -> Option<String> {
    let tag = find(&stream.tags, "language")?.trim();
    (!tag.is_empty() && !tag.eq_ignore_ascii_case("und")).then(|| short(tag))
}

fn dispositions(list: &mut Vec<Change>, pair: &Pair<'_>) {
    let Pair { source, made, .. } = *pair;
    // The dispositions of a single picture do not matter.
    let marks = source
        .dispositions
        .iter()
        .filter(|_| !source.is_picture)
        .filter(|mark| !NATURE.contains(&mark.as_str()));
    let (kept, lost): (Vec<_>, Vec<_>) = marks
        .map(String::as_str)
        .partition(|mark| made.dispositions.contains(*mark));
    if !kept.is_empty() {
        list.push(Change::kept(
            Kind::Disposition,
            source.index,
            kept.join(", "),
        ));
    }
    // Only one track can be the default one, so that mark goes for reasons of its own.
    let (default, others): (Vec<_>, Vec<_>) = lost.into_iter().partition(|mark| *mark == "default");
    for lost in [default, others].iter().filter(|lost| !lost.is_empty()) {
        let why = format!("ffmpeg wrote none to {}", pair.recipe.container);
        list.push(Change::lost(
            Kind::Disposition,
            source.index,
            lost.join(", "),
            why,
        ));
    }
}

/// What becomes of the channel layout; `None` if neither stream states one.
fn layout(pair: &Pair<'_>) -> Option<Change> {
    let Pair { source, made, .. } = *pair;
    let index = source.index;
    let to = stated_layout(made);
    let placed = to.as_deref().and_then(Layout::parse);
    let Some(from) = stated_layout(source) else {
        return sound::guessed(source.channels, &placed?, index);
    };
    // Each packet of such audio has its layout. A probe of audio whose layout changes shows only one of its layouts.
    let is_in_packets = pair.by == TrackMethod::Copy && !source.codec.starts_with("pcm_");
    // Players assume the usual layout for channels without a stated one.
    let is_implied = to.is_none()
        && made.channels == source.channels
        && Layout::parse(&from)
            .zip(Layout::usual(source.channels))
            .is_some_and(|(from, usual)| usual.sounds_like(&from));
    let held = Layout::parse(&from)
        .zip(placed)
        .filter(|(from, to)| to.holds(from));
    Some(
        if is_in_packets || is_implied || to.as_ref() == Some(&from) {
            Change::kept(Kind::Layout, index, from)
        } else if let Some((from, to)) = held {
            sound::held(&from, &to, index)
        } else if made.channels == source.channels && to.is_none() {
            let why = "the output does not say where its channels are";
            Change::lost(Kind::Layout, index, from, why)
        } else {
            let to = to.unwrap_or_else(|| format!("{} channels", made.channels));
            let why = format!("as {} holds it", made.codec);
            Change::converted(Kind::Layout, index, from, to, why)
        },
    )
}

/// The layout that a stream states. One or two channels without a layout are mono or stereo.
fn stated_layout(sound: &Stream) -> Option<String> {
    match (sound.layout.as_str(), sound.channels) {
        ("", 1) => Some("mono".to_owned()),
        ("" | "downmix", 2) => Some("stereo".to_owned()),
        ("", _) => None,
        (layout, channels) if layout == format!("{channels} channels") => None,
        (layout, _) => Some(layout.to_owned()),
    }
}
