//! Each channel is heard from its own speaker, tested with one tone for each channel.

use common::recipe::{Container, Video};

use crate::sound::listening::{Heard, LOUDNESS, clip, layouts, listen, tone};
use crate::studio;
use crate::studio::Studio;

/// The speaker of another pair that stands for this speaker in layouts with one pair only.
fn alias(speaker: &str) -> &str {
    match speaker {
        "SL" => "BL",
        "SR" => "BR",
        "BL" => "SL",
        "BR" => "SR",
        "DL" | "BIL" => "FL",
        "DR" | "BIR" => "FR",
        other => other,
    }
}

#[tokio::test]
async fn each_channel_is_heard_where_it_was() {
    let [old, recent] = &Studio::each();
    for (studio, other) in [(old, recent), (recent, old)] {
        let all = layouts(studio);
        let small: Vec<_> = all
            .iter()
            .filter(|(_, speakers)| speakers.len() <= 8)
            .collect();
        assert!(small.len() >= 27, "{small:?}");
        let source = clip(studio, "tones.mov", &small);
        for (encoder, container) in [
            ("aac", Container::Mp4),
            ("libmp3lame", Container::Mkv),
            ("libopus", Container::Mp4),
            ("libvorbis", Container::Mkv),
            ("flac", Container::Mkv),
            ("flac", Container::Mp4),
            ("ac3", Container::Mov),
            ("eac3", Container::Mkv),
        ] {
            let recipe = studio::copy()
                .edit(|draft| {
                    draft.video = Video::Copy;
                    draft.container = container;
                    draft.audio = encoder.parse().expect("audio");
                })
                .expect("a sound recipe");
            studio.encode(&source, &recipe).await.expect(encoder);
            // The gate decodes the output with the same ffmpeg. Another ffmpeg must hear the same layout.
            let heard = listen(other, &studio.output());
            assert_eq!(heard.len(), small.len());
            for ((layout, speakers), heard) in small.iter().zip(heard) {
                let what = format!("{layout} by {encoder} in {container} as {}", heard.layout);
                judge(&what, speakers, &heard);
            }
        }
    }
}

fn judge(what: &str, speakers: &[String], heard: &Heard) {
    let has = |speaker: &str| heard.speakers.iter().any(|(name, _)| name == speaker);
    let there = |speaker: &str| match alias(speaker) {
        _ if has(speaker) => Some(speaker.to_owned()),
        alias if has(alias) && !speakers.iter().any(|of| of == alias) => Some(alias.to_owned()),
        _ => None,
    };
    let all_there = speakers.iter().all(|speaker| there(speaker).is_some());
    for speaker in speakers {
        let places = heard.places(tone(speaker));
        let what = format!("{what}: {speaker} is heard from {places:?}");
        assert!(!places.is_empty(), "{what}");
        if let Some(place) = there(speaker) {
            assert_eq!(places.len(), 1, "{what}");
            assert_eq!(places[0].0, place, "{what}");
            assert!(!all_there || (0.75..1.35).contains(&places[0].1), "{what}");
        }
    }
    for (speaker, samples) in &heard.speakers {
        let peak = samples
            .iter()
            .fold(0.0_f32, |most, sample| most.max(sample.abs()));
        assert!(
            f64::from(peak) < LOUDNESS * 1.5 * speakers.len() as f64,
            "{what}: {speaker}"
        );
    }
}
