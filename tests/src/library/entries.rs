//! Made-up records of the files of a library, as a scan notes them. Which file has which codec, size and state follows
//! from its number, so that a test knows what a filter must find.

use std::time::SystemTime;

use common::broker::Broker;
use common::job::id::JobId;
use common::job::input::Input;
use common::library::file::{Done, FileRecord, FileState};
use common::names::location::Location;
use common::names::token::Token;
use common::rules::condition::Condition;
use common::rules::facts::{AudioFacts, Facts, VideoFacts};
use common::store::modified_input;
use uuid::Uuid;

/// Records that are stored together.
const TOGETHER: usize = 10_000;

/// The path of the file of this number below its library; the order of the paths is that of the numbers.
pub fn path(number: usize) -> String {
    format!("Show {:03}/Season 1/Episode {number:06}.mkv", number / 1000)
}

/// The size of the file of this number: all sizes differ, and their order is not that of the numbers.
pub fn size(number: usize) -> u64 {
    1_000_000 + (number as u64 * 7919) % 1_000_003
}

/// The codec of the film of this number: every third is HEVC.
pub fn codec(number: usize) -> &'static str {
    match number % 3 {
        0 => "hevc",
        _ => "h264",
    }
}

/// The state of the file of this number: every tenth failed, the other HEVC films are left as they are, and the rest is
/// done.
pub fn state(number: usize) -> FileState {
    let job: JobId = Uuid::from_u128(number as u128 + 1)
        .simple()
        .to_string()
        .parse()
        .expect("an id");
    match (number % 10, codec(number)) {
        (0, _) => FileState::Failed {
            job,
            why: "Invalid data found when processing input".to_owned(),
        },
        (_, "hevc") => FileState::Skipped { rule: rule() },
        _ => FileState::Done(Done {
            job,
            before: size(number),
            after: size(number) / 2,
            codec: Some(codec(number).to_owned()),
            encoder: Some("libx265".parse().expect("an encoder")),
        }),
    }
}

/// The rule of a library that leaves HEVC as it is.
pub fn rule() -> String {
    let condition: Condition = "video.codec = hevc".parse().expect("a condition");
    condition.to_string()
}

/// A record that no scan changes: the broker does not know the jobs of files that failed, so they are HEVC here.
pub fn settled(number: usize, input: Input) -> FileRecord {
    match number % 10 {
        0 => record(3, input),
        _ => record(number, input),
    }
}

/// The record of the file of this number, in this version.
pub fn record(number: usize, input: Input) -> FileRecord {
    let facts = Facts {
        location: input.location.clone(),
        size: input.size,
        modified: None,
        hard_links: Some(1),
        container: "matroska,webm".to_owned(),
        duration: Some(2640.0),
        bitrate: Some(4_000_000),
        video: Some(VideoFacts {
            codec: codec(number).to_owned(),
            width: 1920,
            height: 1080,
            fps: Some(25.0),
            depth: 8,
            ..VideoFacts::default()
        }),
        audio: vec![AudioFacts {
            codec: "aac".to_owned(),
            channels: if number.is_multiple_of(2) { 6 } else { 2 },
            language: Some("eng".to_owned()),
        }],
        subtitles: Vec::new(),
    };
    FileRecord::new(input, Some(facts), state(number))
}

/// A version of the file of this number that is on no disk.
pub fn input(folder: &Location, number: usize) -> Input {
    let location = folder.join(&path(number));
    modified_input(location, size(number), Some(SystemTime::UNIX_EPOCH))
}

/// Notes so many files, of which `record` makes the records.
pub async fn note(
    broker: &Broker,
    library: &Token,
    count: usize,
    record: impl Fn(usize) -> FileRecord,
) {
    for first in (0..count).step_by(TOGETHER) {
        let numbers = first..count.min(first + TOGETHER);
        let records: Vec<FileRecord> = numbers.map(&record).collect();
        let noted = broker.note_files(library, &records).await;
        noted.expect("the broker stores them");
    }
}
