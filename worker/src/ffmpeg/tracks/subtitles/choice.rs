//! Which subtitle tracks a recipe keeps, and in which order.

use common::job::changes::{Change, Kind};
use common::recipe::{Flagged, Language, Recipe};

use crate::ffmpeg::findings::{Findings, ForeignTrack};
use crate::ffmpeg::probe::media::{Media, Stream, StreamKind};
use crate::ffmpeg::tracks::subtitles::purpose::{is_forced, is_sdh};
use crate::ffmpeg::tracks::{audio, language};

/// The subtitle tracks of an input, divided by a recipe.
#[derive(Debug, Default)]
pub(crate) struct Chosen {
    /// The tracks that the output gets, in its order, with the dispositions that they get.
    pub(crate) kept: Vec<Stream>,
    /// The tracks that the recipe leaves out, with the reason.
    pub(crate) dropped: Vec<(Stream, String)>,
    /// What people should know besides.
    pub(crate) told: Option<Change>,
}

/// Divides the subtitle tracks without the one that is `burnt` in, and adds those of files beside the input. If the
/// default track is left out, the first kept track of its kind (forced, or not) becomes the default, so that a player
/// shows as much text as before.
pub(crate) fn choose(
    recipe: &Recipe,
    media: &Media,
    findings: &Findings,
    burnt: Option<usize>,
) -> Chosen {
    let mut chosen = Chosen::default();
    let mut ranked: Vec<(usize, Stream)> = Vec::new();
    let external = findings.external.iter().map(|file| &file.stream);
    let all = tracks(media).chain(external);
    for subtitle in all.filter(|subtitle| Some(subtitle.index) != burnt) {
        match rank(recipe, subtitle, media) {
            Ok(rank) => ranked.push((rank, subtitle.clone())),
            Err(why) => chosen.dropped.push((subtitle.clone(), why)),
        }
    }
    // Tracks of one language keep their order.
    ranked.sort_by_key(|(rank, _)| *rank);
    chosen.kept = ranked.into_iter().map(|(_, subtitle)| subtitle).collect();
    pass_default_on(&mut chosen);
    if recipe.subtitle_tracks.mark_foreign {
        mark_foreign(&mut chosen, findings);
    }
    chosen
}

/// Makes the track for scenes in another language the default one, and forced.
fn mark_foreign(chosen: &mut Chosen, findings: &Findings) {
    let why = match findings.foreign {
        Some(ForeignTrack::Found(index)) => {
            if chosen.kept.iter().any(|subtitle| subtitle.index == index) {
                for subtitle in &mut chosen.kept {
                    let marks = &mut subtitle.dispositions;
                    if subtitle.index == index {
                        marks.extend(["default", "forced"].map(str::to_owned));
                    } else {
                        marks.remove("default");
                    }
                }
                return;
            }
            "the output does not have the track"
        }
        Some(ForeignTrack::Missing) => {
            "no track in the language of the sound is shown far less than another"
        }
        None => "there was no time to search for them",
    };
    let what = "foreign subtitles to be marked";
    chosen.told = Some(Change::converted(Kind::Track, None, what, "nothing", why));
}

/// The usable subtitle tracks of an input.
pub(crate) fn tracks(media: &Media) -> impl Iterator<Item = &Stream> {
    let is_usable =
        |stream: &&Stream| stream.kind == StreamKind::Subtitle && stream.absent.is_none();
    media.streams.iter().filter(is_usable)
}

/// The place of a track's language in the recipe's list. The error says why the recipe leaves the track out.
fn rank(recipe: &Recipe, subtitle: &Stream, media: &Media) -> Result<usize, String> {
    let wanted = &recipe.subtitle_tracks;
    let place = place(&wanted.languages, subtitle, media)
        .ok_or_else(|| "it is in none of the recipe's languages".to_owned())?;
    for (flag, is_flagged, what) in [
        (wanted.forced, is_forced(subtitle), "forced"),
        (wanted.sdh, is_sdh(subtitle), "SDH"),
    ] {
        match flag {
            Flagged::Drop if is_flagged => {
                return Err(format!("the recipe keeps no {what} tracks"));
            }
            Flagged::Only if !is_flagged => {
                return Err(format!("the recipe keeps only {what} tracks"));
            }
            _ => {}
        }
    }
    Ok(place)
}

/// The place of a track's language in a list; 0 in an empty list, which stands for every language.
pub(crate) fn place(languages: &[Language], subtitle: &Stream, media: &Media) -> Option<usize> {
    if languages.is_empty() {
        return Some(0);
    }
    let mut list = languages.iter();
    list.position(|wanted| is_in(wanted, subtitle, media))
}

/// Whether a subtitle track is in this language. `original` is the language of the film's original sound.
pub(crate) fn is_in(wanted: &Language, subtitle: &Stream, media: &Media) -> bool {
    let spoken = language::tag(subtitle);
    match wanted.as_str() {
        "any" => true,
        "und" => spoken.is_none(),
        "original" => {
            let is_spoken = |spoken| {
                let mut originals = audio::original_languages(media).into_iter();
                originals.any(|original| language::is_same(original, spoken))
            };
            subtitle.dispositions.contains("original") || spoken.is_some_and(is_spoken)
        }
        wanted => spoken.is_some_and(|spoken| language::matches(wanted, spoken)),
    }
}

fn pass_default_on(chosen: &mut Chosen) {
    let is_default = |subtitle: &Stream| subtitle.dispositions.contains("default");
    if chosen.kept.iter().any(is_default) {
        return;
    }
    let Some((dropped, _)) = chosen
        .dropped
        .iter()
        .find(|(dropped, _)| is_default(dropped))
    else {
        return;
    };
    let kind = is_forced(dropped);
    let mut kept = chosen.kept.iter_mut();
    if let Some(heir) = kept.find(|subtitle| is_forced(subtitle) == kind) {
        heir.dispositions.insert("default".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use common::recipe::Container;

    use super::*;
    use crate::ffmpeg::samples::{recipe, stream};

    fn subtitle(index: usize, language: &str, marks: &[&str]) -> Stream {
        let mut subtitle = stream(index, StreamKind::Subtitle, "subrip");
        if !language.is_empty() {
            subtitle
                .tags
                .insert("language".to_owned(), language.to_owned());
        }
        subtitle.dispositions = marks.iter().map(ToString::to_string).collect();
        subtitle
    }

    fn media() -> Media {
        let mut sound = stream(1, StreamKind::Audio, "aac");
        sound.tags.insert("language".to_owned(), "jpn".to_owned());
        Media {
            streams: vec![
                stream(0, StreamKind::Video, "h264"),
                sound,
                subtitle(2, "eng", &["default"]),
                subtitle(3, "ger", &[]),
                subtitle(4, "en", &["forced"]),
                subtitle(5, "pt-BR", &["hearing_impaired"]),
                subtitle(6, "", &[]),
                subtitle(7, "ja", &[]),
            ],
            ..Media::default()
        }
    }

    fn kept(change: impl FnOnce(&mut common::recipe::SubtitleTracks)) -> Vec<usize> {
        let recipe = recipe(Container::Mkv)
            .edit(|draft| change(&mut draft.subtitle_tracks))
            .expect("sound");
        let chosen = choose(&recipe, &media(), &Findings::default(), None);
        assert_eq!(chosen.kept.len() + chosen.dropped.len(), 6);
        chosen.kept.iter().map(|subtitle| subtitle.index).collect()
    }

    fn languages(list: &str) -> Vec<Language> {
        let names = list.split(',');
        names
            .map(|name| name.parse().expect("a language"))
            .collect()
    }

    #[test]
    fn tracks_are_kept_by_language_in_the_order_of_the_list() {
        assert_eq!(kept(|_| {}), [2, 3, 4, 5, 6, 7]);
        let of = |list| kept(|tracks| tracks.languages = languages(list));
        assert_eq!(of("deu,eng"), [3, 2, 4]);
        assert_eq!(of("por"), [5]);
        assert_eq!(of("pt-br"), [5]);
        assert_eq!(of("pt-PT"), [0_usize; 0]);
        assert_eq!(of("und,original"), [6, 7]);
        assert_eq!(of("de,any"), [3, 2, 4, 5, 6, 7]);
    }

    #[test]
    fn tracks_are_kept_by_flag() {
        assert_eq!(kept(|tracks| tracks.forced = Flagged::Only), [4]);
        assert_eq!(
            kept(|tracks| tracks.forced = Flagged::Drop),
            [2, 3, 5, 6, 7]
        );
        assert_eq!(kept(|tracks| tracks.sdh = Flagged::Drop), [2, 3, 4, 6, 7]);
        assert_eq!(kept(|tracks| tracks.sdh = Flagged::Only), [5]);
    }

    #[test]
    fn the_default_passes_to_a_kept_track_of_its_kind() {
        let default = |list: &str| {
            let recipe = recipe(Container::Mkv)
                .edit(|draft| draft.subtitle_tracks.languages = languages(list))
                .expect("sound");
            let kept = choose(&recipe, &media(), &Findings::default(), None).kept;
            let marked = kept
                .into_iter()
                .filter(|subtitle| subtitle.dispositions.contains("default"));
            marked.map(|subtitle| subtitle.index).collect::<Vec<_>>()
        };
        assert_eq!(default("eng"), [2]);
        assert_eq!(default("pt,deu"), [5]);
    }
}
