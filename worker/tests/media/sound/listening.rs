//! Listening to outputs: clips with one tone for each channel, and how loud each tone is heard from each speaker.

use std::collections::BTreeMap;
use std::path::Path;

use crate::studio::Studio;

/// The sample rate, in Hz.
const RATE: usize = 8000;

/// The samples that are listened to: in so many samples, tones of multiples of 5 Hz do not disturb each other.
const HEARD: std::ops::Range<usize> = 1000..2600;

/// The amplitude of each tone.
pub(super) const LOUDNESS: f64 = 0.1;

/// The tone of a speaker, Hz.
pub(super) fn tone(speaker: &str) -> usize {
    const SPEAKERS: &str = "FL FR FC BL BR FLC FRC BC SL SR TC TFL TFC TFR TBL TBC TBR DL DR WL WR SDL SDR TSL TSR \
                            BFC BFL BFR SSL SSR TTL TTR BIL BIR";
    match speaker {
        "LFE" => 60,
        "LFE2" => 90,
        _ => {
            let place = SPEAKERS.split_whitespace().position(|one| one == speaker);
            200 + 100 * place.expect("a speaker that ffmpeg knows")
        }
    }
}

/// The loudness of a tone, by Goertzel's algorithm: 1 is the loudness with which it was made.
fn loudness(samples: &[f32], hertz: usize) -> f64 {
    let turn = 2.0 * std::f64::consts::PI * hertz as f64 / RATE as f64;
    let (mut now, mut before) = (0.0, 0.0);
    for &sample in samples {
        (now, before) = (f64::from(sample) + 2.0 * turn.cos() * now - before, now);
    }
    let power = now * now + before * before - 2.0 * turn.cos() * now * before;
    2.0 * power.max(0.0).sqrt() / samples.len() as f64 / LOUDNESS
}

/// The layouts that an ffmpeg lists: the name and the speakers of each.
pub(super) fn layouts(studio: &Studio) -> BTreeMap<String, Vec<String>> {
    let list = studio.ffmpeg().arg("-layouts").output().expect("a list");
    let list = String::from_utf8(list.stdout).expect("text");
    let (_, layouts) = list.split_once("DECOMPOSITION").expect("layouts");
    let words = layouts.lines().filter_map(|line| {
        let (name, speakers) = line.trim().split_once(' ')?;
        let speakers = speakers.trim().split('+').map(str::to_owned).collect();
        Some((name.to_owned(), speakers))
    });
    words.collect()
}

/// A clip with a track of sound for each layout, and one tone for each channel.
pub(super) fn clip(
    studio: &Studio,
    name: &str,
    layouts: &[(&String, &Vec<String>)],
) -> std::path::PathBuf {
    let mut line = "-f lavfi -i testsrc2=size=160x90:rate=25:d=0.4".to_owned();
    let mut maps = "-map 0".to_owned();
    for (number, (layout, speakers)) in layouts.iter().enumerate() {
        let tones: Vec<String> = speakers
            .iter()
            .map(|speaker| format!("sin(2*PI*{}*t)*{LOUDNESS}", tone(speaker)))
            .collect();
        let tones = tones.join("|");
        line.push_str(&format!(
            " -f lavfi -i aevalsrc=exprs={tones}:c={layout}:d=0.4:s=48000"
        ));
        maps.push_str(&format!(" -map {}", number + 1));
    }
    let codecs = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a pcm_s16le";
    studio.make(name, &format!("{line} {maps} {codecs}"))
}

/// The sound of one track: its layout, and for each speaker the loudness of each tone.
pub(super) struct Heard {
    pub(super) layout: String,
    pub(super) speakers: Vec<(String, Vec<f32>)>,
}

impl Heard {
    pub(super) fn from(&self, speaker: &str, hertz: usize) -> f64 {
        let of = self.speakers.iter().find(|(name, _)| name == speaker);
        of.map_or(0.0, |(_, samples)| loudness(samples, hertz))
    }

    /// The speakers from which a tone is heard, with its loudness.
    pub(super) fn places(&self, hertz: usize) -> Vec<(&str, f64)> {
        let places = self
            .speakers
            .iter()
            .map(|(name, _)| (name.as_str(), self.from(name, hertz)));
        places.filter(|(_, loud)| *loud > 0.04).collect()
    }
}

/// Decodes all tracks of sound.
pub(super) fn listen(studio: &Studio, file: &Path) -> Vec<Heard> {
    let names = layouts(studio);
    let answer = studio
        .ffprobe()
        .args([
            "-select_streams",
            "a",
            "-show_entries",
            "stream=channels,channel_layout",
        ])
        .arg(file)
        .output()
        .expect("ffprobe runs");
    let answer = String::from_utf8(answer.stdout).expect("text");
    let tracks: Vec<(usize, &str)> = answer
        .lines()
        .filter_map(|line| line.split_once(','))
        .map(|(channels, layout)| {
            (
                channels.parse().expect("a number"),
                layout.trim_matches(['"', ',']),
            )
        })
        .collect();
    let folder = tempfile::tempdir().expect("a folder");
    let raw = |number: usize| folder.path().join(format!("{number}.raw"));
    let mut ffmpeg = studio.ffmpeg();
    ffmpeg.arg("-i").arg(file);
    for number in 0..tracks.len() {
        ffmpeg.args([
            "-map",
            &format!("0:a:{number}"),
            "-ar",
            &RATE.to_string(),
            "-f",
            "f32le",
        ]);
        ffmpeg.arg(raw(number));
    }
    let decoded = ffmpeg.output().expect("ffmpeg runs");
    assert!(
        decoded.status.success(),
        "{}",
        String::from_utf8_lossy(&decoded.stderr)
    );
    let heard = tracks
        .iter()
        .enumerate()
        .map(|(number, &(channels, layout))| {
            let bytes = std::fs::read(raw(number)).expect("samples");
            let samples: Vec<f32> = bytes
                .chunks_exact(4)
                .map(|four| f32::from_le_bytes(four.try_into().expect("four bytes")))
                .collect();
            let speakers = match (names.get(layout), layout.split_once(" channels (")) {
                (Some(speakers), _) => speakers.clone(),
                (None, Some((_, speakers))) => speakers
                    .trim_end_matches(')')
                    .split('+')
                    .map(str::to_owned)
                    .collect(),
                (None, None) => panic!("track {number} says no layout but {layout:?}"),
            };
            let of = |channel: usize| {
                let all = samples.iter().skip(channel).step_by(channels).copied();
                all.collect::<Vec<f32>>()[HEARD].to_vec()
            };
            let of_each = speakers
                .into_iter()
                .enumerate()
                .map(|(channel, name)| (name, of(channel)));
            Heard {
                layout: layout.to_owned(),
                speakers: of_each.collect(),
            }
        });
    heard.collect()
}
