//! Whether two outputs hold the same.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::studio::Studio;

/// What is compared of an output, in lines.
pub(super) struct Content {
    /// The digests of the pictures.
    pub(super) pictures: Vec<String>,
    /// When the pictures are shown, in units of the film.
    pub(super) times: Vec<i64>,
    /// The packets of each track but the film, by its number.
    pub(super) others: BTreeMap<u64, Vec<Value>>,
    /// Tracks, chapters and tags.
    pub(super) described: String,
}

/// What follows from the bytes of the film, which differ where an encoder begins anew.
const OF_BYTES: [&str; 12] = [
    "bit_rate",
    "max_bit_rate",
    "extradata_size",
    "size",
    "filename",
    "probe_score",
    "has_b_frames",
    "refs",
    "initial_padding",
    // Recent versions of ffmpeg leave it out of what they encode.
    "VENDOR_ID",
    // That of the last packet, which is compared itself.
    "duration",
    "DURATION",
];

impl Content {
    pub(super) fn of(studio: &Studio, file: &Path) -> Self {
        let ask = |what: &str| -> Value {
            let mut ffprobe = studio.ffprobe();
            ffprobe.args(["-of", "json"]).args(what.split(' '));
            let answer = ffprobe.arg(file).output().expect("ffprobe runs");
            serde_json::from_slice(&answer.stdout).expect("JSON")
        };
        let mut whole = ask(
            "-show_streams -show_format -show_chapters -show_packets -show_data_hash md5 -show_entries packet",
        );
        let film = whole["streams"].as_array().and_then(|streams| {
            let is_film = |stream: &&Value| {
                stream["codec_type"] == "video" && stream["disposition"]["attached_pic"] == 0
            };
            streams.iter().find(is_film)?["index"].as_u64()
        });
        let film = film.expect("a film");
        let mut others = BTreeMap::<u64, Vec<Value>>::new();
        let mut times = Vec::new();
        for packet in whole["packets"].as_array_mut().expect("packets") {
            let track = packet["stream_index"].as_u64().expect("a number");
            if track == film {
                let time = packet["pts"].as_i64().expect("a time");
                times.push(time);
                continue;
            }
            packet.as_object_mut().expect("fields").remove("pos");
            others.entry(track).or_default().push(packet.take());
        }
        for packets in others.values_mut() {
            // A container may shorten the last packet of a track to where the track ends in another one.
            if let Some(last) = packets.last_mut().and_then(Value::as_object_mut) {
                last.retain(|key, _| !key.starts_with("duration"));
            }
        }
        let object = whole.as_object_mut().expect("fields");
        object.remove("packets");
        strip(&mut whole);
        times.sort_unstable();
        let mut ffmpeg = studio.ffmpeg();
        ffmpeg.args(["-copyts", "-i"]).arg(file).args([
            "-map",
            "0:V:0",
            "-fps_mode",
            "passthrough",
        ]);
        let made = ffmpeg
            .args(["-f", "framemd5", "-"])
            .output()
            .expect("ffmpeg runs");
        let pictures = String::from_utf8(made.stdout).expect("text");
        let told = String::from_utf8_lossy(&made.stderr);
        assert!(told.is_empty(), "{}: {told}", file.display());
        Self {
            pictures: pictures.lines().map(without_length).collect(),
            times,
            others,
            described: serde_json::to_string_pretty(&whole).expect("JSON"),
        }
    }

    /// Compares all but the film's pictures.
    pub(super) fn same_around(&self, other: &Self, what: &str) {
        same_lines(&self.described, &other.described, what);
        for (track, packets) in &self.others {
            let empty = Vec::new();
            let theirs = other.others.get(track).unwrap_or(&empty);
            for (number, (one, other)) in packets.iter().zip(theirs).enumerate() {
                assert_eq!(one, other, "packet {number} of track {track}: {what}");
            }
            assert_eq!(packets.len(), theirs.len(), "track {track}: {what}");
        }
        assert_eq!(self.others.len(), other.others.len(), "{what}");
    }

    /// Compares the pictures and their times.
    pub(super) fn same_pictures(&self, other: &Self, what: &str) {
        for (number, (one, other)) in self.pictures.iter().zip(&other.pictures).enumerate() {
            assert_eq!(one, other, "line {number}: {what}");
        }
        assert_eq!(self.pictures.len(), other.pictures.len(), "{what}");
        for (number, (one, other)) in self.times.iter().zip(&other.times).enumerate() {
            assert_eq!(one, other, "the time of picture {number}: {what}");
        }
    }
}

/// A line of `framemd5` without the length of the frame, which follows from the time of the next one.
fn without_length(line: &str) -> String {
    let fields = line.split(',').enumerate();
    let kept: Vec<&str> = fields
        .filter(|(number, _)| *number != 3)
        .map(|(_, field)| field)
        .collect();
    kept.join(",")
}

/// Compares the lines of two descriptions, so that the difference is short.
fn same_lines(one: &str, other: &str, what: &str) {
    let lines = |text: &str| -> Vec<String> { text.lines().map(str::to_owned).collect() };
    let (one, other) = (lines(one), lines(other));
    let only = |these: &[String], those: &[String]| -> Vec<String> {
        let lines = these.iter().filter(|line| !those.contains(line));
        lines.map(|line| line.trim().to_owned()).collect()
    };
    let (gone, new) = (only(&one, &other), only(&other, &one));
    assert!(
        gone.is_empty() && new.is_empty(),
        "{what}: unsplit {gone:?}, joined {new:?}"
    );
    assert_eq!(one.len(), other.len(), "{what}");
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|key, _| !OF_BYTES.contains(&key.as_str()));
            fields.values_mut().for_each(strip);
        }
        Value::Array(values) => values.iter_mut().for_each(strip),
        _ => {}
    }
}
