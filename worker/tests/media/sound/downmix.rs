//! Named downmixes: the gain of each channel in each speaker, tested with one tone for each channel.

use std::f64::consts::FRAC_1_SQRT_2;

use common::job::changes::{Fate, Kind};
use common::recipe::{Container, Downmix};

use crate::sound::keeping;
use crate::sound::listening::{Heard, LOUDNESS, clip, layouts, listen, tone};
use crate::studio::Studio;

/// How much two gains may differ: encoders and resamplers are not exact, and 16 bits are not, either.
const EXACT: f64 = 0.012;

/// The gain of a speaker in the left, the only, or the same speaker of a downmix, by the documents that define it. Gains
/// of one row may be scaled. `None` for speakers of which these documents know nothing.
fn defined(downmix: Downmix, layout: &str, speaker: &str) -> Option<f64> {
    let row: &[(&str, f64)] = match (downmix, layout) {
        (Downmix::Stereo, _) => &[
            ("FL", 1.0),
            ("FR", 0.0),
            ("FC", FRAC_1_SQRT_2),
            ("LFE", 0.0),
            ("BL SL", FRAC_1_SQRT_2),
            ("BR SR", 0.0),
        ],
        (Downmix::Mono, _) => &[
            ("FL FR", FRAC_1_SQRT_2),
            ("FC", 1.0),
            ("LFE", 0.0),
            ("BL BR SL SR", 0.5),
        ],
        (Downmix::Dialogue | Downmix::Night, _) => &[
            ("FL", 0.3),
            ("FR", 0.0),
            ("FC", 1.0),
            ("LFE", 0.0),
            ("BL SL", 0.3),
            ("BR SR", 0.0),
        ],
        (Downmix::Rfc7845, "7.1") => &[
            ("FL", 0.388631),
            ("FR", 0.0),
            ("FC LFE", 0.274804),
            ("BL SL", 0.336565),
            ("BR SR", 0.194316),
        ],
        (Downmix::Rfc7845, _) => &[
            ("FL", 0.529067),
            ("FR", 0.0),
            ("FC LFE", 0.374107),
            ("BL SL", 0.458186),
            ("BR SR", 0.264534),
        ],
        (Downmix::Surround, _) => &[("FL", 1.0), ("FR FC LFE BR SR", 0.0), ("BL SL", 0.0)],
    };
    let mut row = row.iter();
    row.find(|(speakers, _)| speakers.split(' ').any(|one| one == speaker))
        .map(|(_, gain)| *gain)
}

#[tokio::test]
async fn downmixes_have_the_gains_that_are_defined_for_them() {
    for studio in &Studio::each() {
        let all = layouts(studio);
        let small: Vec<_> = all
            .iter()
            .filter(|(_, speakers)| speakers.len() <= 8)
            .collect();
        assert!(small.len() >= 27, "{small:?}");
        let source = clip(studio, "tones.mov", &small);
        for downmix in Downmix::ALL {
            let recipe = keeping("flac", Container::Mkv)
                .edit(|draft| draft.audio_tracks.downmix = Some(*downmix))
                .expect("a sound recipe");
            let made = studio.encode(&source, &recipe).await;
            let made = made.unwrap_or_else(|failure| panic!("{downmix}: {failure}"));
            let heard = listen(studio, &studio.output());
            assert_eq!(heard.len(), small.len());
            for (number, ((layout, speakers), heard)) in small.iter().zip(&heard).enumerate() {
                let what = format!("{layout} by {downmix} as {}", heard.layout);
                let is_mixed = speakers.len() > downmix.channels() as usize;
                let expected = speakers.len().min(downmix.channels() as usize);
                assert_eq!(heard.speakers.len(), expected, "{what}");
                let told = made
                    .changes
                    .iter()
                    .find(|change| change.kind == Kind::Layout && change.track == Some(number + 1));
                let is_told = told.is_some_and(|change| {
                    change.fate == Fate::Converted && change.is_wanted && !change.is_loss()
                });
                assert_eq!(is_told, is_mixed, "{what}: {told:?}");
                judge(*downmix, layout, speakers, heard, is_mixed);
            }
        }
    }
}

fn judge(downmix: Downmix, layout: &str, speakers: &[String], heard: &Heard, is_mixed: bool) {
    let what = format!("{layout} by {downmix}");
    if !is_mixed {
        for speaker in speakers {
            let places = heard.places(tone(speaker));
            assert_eq!(places.len(), 1, "{what}: {speaker} from {places:?}");
            // The resampler that is listened with softens high tones, and the compressor those that are loud.
            let softest = if downmix == Downmix::Night { 0.6 } else { 0.94 };
            let range = softest..1.06;
            assert!(range.contains(&places[0].1), "{what}: {places:?}");
        }
        return;
    }
    let gains = |place: &str| -> Vec<f64> {
        let of = |speaker: &String| heard.from(place, tone(speaker));
        speakers.iter().map(of).collect()
    };
    let sums = heard
        .speakers
        .iter()
        .map(|(place, _)| gains(place).iter().sum::<f64>());
    let loudest = sums.fold(0.0, f64::max);
    // The compressor turns loud sound down.
    let is_whole = downmix == Downmix::Night || (loudest - 1.0).abs() < 0.03;
    assert!(is_whole && loudest < 1.03, "{what}: {loudest} of 1");
    if !matches!(
        layout,
        "3.0" | "5.0" | "5.0(side)" | "5.1" | "5.1(side)" | "7.1"
    ) {
        return;
    }
    let left = gains(&heard.speakers[0].0);
    let defined: Vec<f64> = speakers
        .iter()
        .map(|speaker| defined(downmix, layout, speaker).expect("a defined gain"))
        .collect();
    // Two pairs of surround speakers share the gain of one; the RFC has gains of its own for them.
    let pairs = if layout == "7.1" && downmix != Downmix::Rfc7845 {
        FRAC_1_SQRT_2
    } else {
        1.0
    };
    let scaled = |gain: f64, speaker: &str| match speaker {
        "BL" | "BR" | "SL" | "SR" => gain * pairs,
        _ => gain,
    };
    let defined: Vec<f64> = defined
        .iter()
        .zip(speakers)
        .map(|(gain, speaker)| scaled(*gain, speaker))
        .collect();
    let whole = left.iter().sum::<f64>() / defined.iter().sum::<f64>();
    for ((speaker, heard), defined) in speakers.iter().zip(&left).zip(&defined) {
        let defined = defined * whole;
        assert!(
            (heard - defined).abs() < EXACT,
            "{what}: {speaker} is heard left at {heard:.3} where {defined:.3} is defined"
        );
    }
}

#[tokio::test]
async fn night_turns_loud_sound_down_and_soft_sound_not() {
    for studio in &Studio::each() {
        let tone = "if(lt(t\\,1)\\,0.7\\,0.03)*sin(2*PI*600*t)";
        // Sound of one or two channels keeps them.
        for (layout, sound, kind) in [
            ("5.1", format!("0|0|{tone}|0|0|0"), Kind::Layout),
            ("stereo", format!("{tone}|{tone}"), Kind::Loudness),
            ("mono", tone.to_owned(), Kind::Loudness),
        ] {
            let source = studio.make(
                "loud-then-soft.mkv",
                &format!(
                    "-f lavfi -i testsrc2=size=160x90:rate=25:d=2 \
                     -f lavfi -i aevalsrc=exprs={sound}:c={layout}:d=2:s=8000 \
                     -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a flac"
                ),
            );
            let mut heard = Vec::new();
            for downmix in ["dialogue", "night"] {
                let recipe = keeping("flac", Container::Mkv)
                    .edit(|draft| {
                        draft.audio_tracks.downmix = Some(downmix.parse().expect("a name"));
                    })
                    .expect("a sound recipe");
                let made = studio.encode(&source, &recipe).await.expect(downmix);
                heard.push([peak(studio, 0.5), peak(studio, 1.6)]);
                let mut told = made.changes.iter();
                let told = told.find(|change| change.kind == kind && change.is_wanted);
                let is_changed = layout == "5.1" || downmix == "night";
                assert_eq!(told.is_some(), is_changed, "{layout} {downmix}: {told:?}");
            }
            let [dialogue, night] = [heard[0], heard[1]];
            assert!(
                (dialogue[0] / dialogue[1] - 0.7 / 0.03).abs() < 1.0,
                "{layout}: {dialogue:?}"
            );
            let soft = night[1] / dialogue[1];
            assert!((soft - 1.0).abs() < 0.05, "{layout}: {night:?}");
            assert!(night[0] / night[1] < 10.0, "{layout}: {night:?}");
        }
    }
}

/// The highest sample of the output in the third of a second after a time.
fn peak(studio: &Studio, at: f64) -> f64 {
    let made = studio
        .ffmpeg()
        .args(["-ss", &at.to_string(), "-t", "0.3", "-i"])
        .arg(studio.output())
        .args(["-map", "0:a", "-ac", "1", "-f", "f32le", "-"])
        .output()
        .expect("ffmpeg runs");
    let samples = made.stdout.chunks_exact(4);
    let samples = samples.map(|four| f32::from_le_bytes(four.try_into().expect("four bytes")));
    f64::from(samples.fold(0.0_f32, |most, sample| most.max(sample.abs())))
}

#[tokio::test]
async fn the_loudest_sound_does_not_clip() {
    for studio in &Studio::each() {
        let all = ["0.95*sin(2*PI*500*t)"; 6].join("|");
        let source = studio.make(
            "loud.mkv",
            &format!(
                "-f lavfi -i testsrc2=size=160x90:rate=25:d=0.4 \
                 -f lavfi -i aevalsrc=exprs={all}:c=5.1:d=0.4:s=48000 \
                 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a flac"
            ),
        );
        for downmix in Downmix::ALL.iter().filter(|one| **one != Downmix::Night) {
            let recipe = keeping("flac", Container::Mkv)
                .edit(|draft| draft.audio_tracks.downmix = Some(*downmix))
                .expect("a sound recipe");
            studio.encode(&source, &recipe).await.expect("an encode");
            for heard in listen(studio, &studio.output()) {
                let loudest = heard
                    .speakers
                    .iter()
                    .map(|(place, _)| heard.from(place, 500));
                let loudest = loudest.fold(0.0, f64::max) * LOUDNESS;
                assert!((loudest - 0.95).abs() < 0.01, "{downmix}: {loudest}");
            }
        }
    }
}
