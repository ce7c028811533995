//! What a ladder keeps of a source that has more than films and sound, and what it loses.

use common::job::changes::{Fate, Kind};
use common::job::ladder::LadderStreamKind;

use super::{ladder, recipe};
use crate::studio::Studio;

#[tokio::test]
async fn subtitles_become_webvtt_and_chapters_are_told_as_lost() {
    for studio in Studio::each() {
        let text = studio.path("text.srt");
        std::fs::write(
            &text,
            "1\n00:00:00,600 --> 00:00:01,400\nGood <i>morning</i>.\n",
        )
        .expect("written");
        let chapters = studio.path("chapters.txt");
        std::fs::write(
            &chapters,
            ";FFMETADATA1\ntitle=A film\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=One\n",
        )
        .expect("written");
        let film = studio.path("film.mkv");
        let mixed = studio
            .ffmpeg()
            .args([
                "-f",
                "lavfi",
                "-i",
                "testsrc2=size=64x36:rate=25:duration=2",
                "-i",
            ])
            .arg(&text)
            .arg("-i")
            .arg(&chapters)
            .args(["-map", "0", "-map", "0", "-map", "1", "-map_metadata", "2"])
            .args(["-map_chapters", "2", "-c:v", "ffv1", "-c:s", "srt"])
            .args(["-metadata:s:s:0", "language=eng"])
            .arg(&film)
            .status();
        assert!(mixed.expect("ffmpeg runs").success());
        let foreseen = studio.foresee(&film, &recipe("libx264")).await;
        let foreseen = foreseen.expect("it works");
        let second = foreseen.iter().find(|change| change.kind == Kind::Track);
        let second = second.and_then(|change| change.why.clone());
        assert_eq!(second.as_deref(), Some("a ladder shows one film"));

        let made = ladder(&studio, &film, &recipe("libx264"), &["64x36"]).await;
        let changes = &made.verified[0].checked.changes;
        let lost = |kind| {
            let mut of_kind = changes.iter().filter(|change| change.kind == kind);
            of_kind.any(|change| change.fate == Fate::Lost && !change.is_wanted)
        };
        assert!(
            lost(Kind::Chapters) && lost(Kind::Track) && lost(Kind::Title),
            "{changes:?}"
        );
        let text = changes.iter().find(|change| change.track == Some(2));
        assert_eq!(text.and_then(|text| text.to.as_deref()), Some("webvtt"));
        let listed = &made.streams[1];
        assert!(
            matches!(&listed.kind, LadderStreamKind::Subtitles { language: Some(language), .. } if language == "en"),
            "{listed:?}"
        );
        let cues = std::fs::read_to_string(listed.file.path().expect("a file"));
        let cues = cues.expect("it is there");
        assert!(
            cues.contains("00:00.600 --> 00:01.400\nGood <i>morning</i>."),
            "{cues}"
        );
        for name in ["film.m3u8", "film.mpd"] {
            let list = std::fs::read_to_string(made.path(name)).expect("it is there");
            assert!(list.contains("subtitles"), "{list}");
        }
    }
}
