//! Dispositions of tracks, such as `default` or `forced`, and the containers that can hold them.

use common::job::changes::{Change, Kind};
use common::recipe::Container;

use crate::ffmpeg::probe::media::{Stream, StreamKind};
use crate::ffmpeg::tracks::{Track, TrackMethod};

/// For each disposition: the containers to which ffmpeg writes it and from which it reads it back, and the containers
/// for which that is true of subtitles only.
const HELD: &[(&str, &[Container], &[Container])] = {
    use Container::{M4a, Mka, Mkv, Mov, Mp4, Webm};
    &[
        ("default", &[Mkv, Mka, Mp4, M4a, Mov, Webm], &[]),
        ("forced", &[Mkv, Mka, Mp4, M4a, Webm], &[]),
        ("comment", &[Mkv, Mka, Mp4, M4a], &[]),
        ("hearing_impaired", &[Mkv, Mka, Mp4, M4a], &[]),
        ("visual_impaired", &[Mkv, Mka, Mp4, M4a], &[]),
        ("dub", &[Mkv, Mka, Mp4, M4a], &[]),
        ("original", &[Mkv, Mka], &[]),
        ("captions", &[Mp4], &[Webm]),
        ("descriptions", &[Mp4], &[Mkv, Webm]),
        ("metadata", &[], &[Webm]),
    ]
};

/// Whether the container holds a disposition of tracks of this kind.
pub(crate) fn holds(container: Container, kind: StreamKind, mark: &str) -> bool {
    HELD.iter().any(|(held, all, subtitles)| {
        let of_subtitles = kind == StreamKind::Subtitle && subtitles.contains(&container);
        *held == mark && (all.contains(&container) || of_subtitles)
    })
}

/// The dispositions of each track as arguments: `-disposition:N A+B`. Without them, ffmpeg sets dispositions by its
/// own rules.
pub(crate) fn arguments(container: Container, tracks: &[Track]) -> Vec<String> {
    let mut arguments = Vec::new();
    for (number, track) in tracks.iter().enumerate() {
        if matches!(track.source.kind, StreamKind::Attachment) || track.by == TrackMethod::Attach {
            continue;
        }
        // These containers hold a single picture only as a cover.
        let is_cover = matches!(
            container,
            Container::Mp4 | Container::M4a | Container::Mp3 | Container::Flac
        );
        let marks: Vec<&str> = if track.source.is_picture && is_cover {
            vec!["attached_pic"]
        } else {
            let marks = track.dispositions.iter().map(String::as_str);
            marks
                .filter(|mark| holds(container, track.source.kind, mark))
                .collect()
        };
        let marks = if marks.is_empty() {
            "0".to_owned()
        } else {
            marks.join("+")
        };
        arguments.extend([format!("-disposition:{number}"), marks]);
    }
    arguments
}

/// The dispositions that the container cannot hold, and those that it requires.
pub(crate) fn changes(container: Container, tracks: &[Track]) -> Vec<Change> {
    let mut changes = Vec::new();
    for track in tracks.iter().filter(|track| is_marked(&track.source)) {
        let marks = track.dispositions.iter().map(String::as_str);
        let lost: Vec<&str> = marks
            .filter(|mark| !holds(container, track.source.kind, mark))
            .collect();
        if !lost.is_empty() {
            changes.push(Change::lost(
                Kind::Disposition,
                track.source.index,
                lost.join(", "),
                format!("{container} holds no such mark"),
            ));
        }
    }
    if container.is_mp4() {
        for kind in [StreamKind::Video, StreamKind::Audio] {
            // Players play a single track in any case.
            let several = tracks
                .iter()
                .filter(|track| is_of_kind(track, kind))
                .count()
                > 1;
            if let Some(first) = first_without_default(tracks, kind).filter(|_| several) {
                changes.push(Change::converted(
                    Kind::Disposition,
                    tracks[first].source.index,
                    "not default",
                    "default",
                    format!(
                        "players of {container} play no {kind} where no track of it is default"
                    ),
                ));
            }
        }
    }
    changes
}

/// The number, among the output's tracks, of the subtitle track that ffmpeg makes default in `container` although
/// none is.
pub(crate) fn wrongly_default(container: Container, tracks: &[Track]) -> Option<usize> {
    container
        .is_mp4()
        .then(|| first_without_default(tracks, StreamKind::Subtitle))?
}

/// The first track of a kind, if no track of the kind is default. ffmpeg makes that track default in mp4 and mov.
fn first_without_default(tracks: &[Track], kind: StreamKind) -> Option<usize> {
    let mut of_kind = tracks
        .iter()
        .enumerate()
        .filter(|(_, track)| is_of_kind(track, kind));
    let is_default = |track: &Track| track.dispositions.contains("default");
    let (first, track) = of_kind.next()?;
    let decided = is_default(track) || of_kind.any(|(_, track)| is_default(track));
    (!decided).then_some(first)
}

fn is_of_kind(track: &Track, kind: StreamKind) -> bool {
    track.source.kind == kind && is_marked(&track.source)
}

/// Whether dispositions apply to this stream.
fn is_marked(stream: &Stream) -> bool {
    !stream.is_picture && !matches!(stream.kind, StreamKind::Attachment | StreamKind::Data)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(kind: StreamKind, marks: &[&str]) -> Track {
        let source = Stream {
            kind,
            dispositions: marks.iter().map(ToString::to_string).collect(),
            ..Stream::default()
        };
        Track::new(&source, TrackMethod::Copy)
    }

    #[test]
    fn each_disposition_is_kept_or_reported() {
        let tracks = [
            track(StreamKind::Video, &[]),
            track(StreamKind::Video, &[]),
            track(StreamKind::Audio, &["default", "original"]),
            track(StreamKind::Subtitle, &["forced"]),
        ];
        let mkv = arguments(Container::Mkv, &tracks).join(" ");
        assert_eq!(
            mkv,
            "-disposition:0 0 -disposition:1 0 -disposition:2 default+original -disposition:3 forced"
        );
        assert!(changes(Container::Mkv, &tracks).is_empty());
        let reported = changes(Container::Mov, &tracks);
        let reported: Vec<String> = reported.iter().map(ToString::to_string).collect();
        assert_eq!(reported.len(), 3, "{reported:?}");
        assert!(reported[0].contains("original") && reported[1].contains("forced"));
        assert!(reported[2].contains("not default"), "{reported:?}");
        assert_eq!(wrongly_default(Container::Mov, &tracks), Some(3));
        assert_eq!(wrongly_default(Container::Mkv, &tracks), None);
    }
}
