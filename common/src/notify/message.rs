//! An occurrence in words, and as the JSON that webhooks get.

use serde_json::{Value, json};

use crate::names::location::Location;
use crate::names::printable::printable;
use crate::notify::occurrence::{BatchDone, Fact, Occurrence};

/// Most characters of a title.
const LONGEST_TITLE: usize = 200;
/// Most characters of the text.
const LONGEST_TEXT: usize = 1500;

/// How urgent a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Everything is fine.
    Good,
    /// Something went wrong.
    Bad,
}

/// An occurrence in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The title, one line.
    pub title: String,
    /// The text, one paragraph.
    pub text: String,
    /// How urgent it is.
    pub level: Level,
}

impl Message {
    /// The occurrence in words.
    pub fn of(occurrence: &Occurrence) -> Self {
        let (title, text, level) = match &occurrence.fact {
            Fact::BatchDone(done) => of_batch(done),
            Fact::JobFailed(failed) => {
                let name = failed.input.name();
                let by = failed.worker.as_ref();
                let by = by.map_or_else(String::new, |worker| format!(" on {worker}"));
                let text = format!(
                    "{} failed{by} after {}: {}",
                    failed.input,
                    count(u64::from(failed.attempts), "attempt"),
                    failed.message
                );
                (format!("Failed: {name}"), text, Level::Bad)
            }
            Fact::JobCompleted(done) => {
                let text = format!(
                    "{} is complete: {} became {} on {}.",
                    done.output,
                    bytes(done.input_size),
                    bytes(done.output_size),
                    done.worker
                );
                (
                    format!("Complete: {}", done.output.name()),
                    text,
                    Level::Good,
                )
            }
            Fact::WorkerLost(lost) => {
                let jobs = match lost.jobs {
                    0 => "It ran no job.".to_owned(),
                    jobs => format!(
                        "It ran {}, which other workers take over.",
                        count(jobs, "job")
                    ),
                };
                let text = format!(
                    "The worker {} was last heard at {:.0} and had not signed off. {jobs}",
                    lost.worker, lost.heard
                );
                (format!("Worker lost: {}", lost.worker), text, Level::Bad)
            }
            Fact::LibraryFinished(finished) => {
                let refused = match finished.refused {
                    0 => String::new(),
                    refused => format!(
                        " {} can have no job for now: `producer library files {} --state refused` tells why.",
                        count(refused, "file"),
                        finished.library
                    ),
                };
                let text = format!(
                    "Nothing is left to do in the library {} ({}).{refused}",
                    finished.library,
                    count(finished.files, "file")
                );
                let level = match finished.refused {
                    0 => Level::Good,
                    _ => Level::Bad,
                };
                (
                    format!("Library finished: {}", finished.library),
                    text,
                    level,
                )
            }
            Fact::Test => (
                "Test".to_owned(),
                "This is a test of a hook of ffmpeg-easy. Nothing happened.".to_owned(),
                Level::Good,
            ),
        };
        Self {
            title: cut(&printable(&title), LONGEST_TITLE),
            text: cut(&printable(&text), LONGEST_TEXT),
            level,
        }
    }
}

fn of_batch(done: &BatchDone) -> (String, String, Level) {
    let parts: Vec<String> = [
        (done.completed, "completed"),
        (done.kept, "kept"),
        (done.failed, "failed"),
        (done.cancelled, "cancelled"),
        (done.damaged, "found damaged"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} {what}"))
    .collect();
    let outcome = match parts.is_empty() {
        true => "nothing was to be done".to_owned(),
        false => parts.join(", "),
    };
    let level = match done.failed + done.damaged {
        0 => Level::Good,
        _ => Level::Bad,
    };
    let jobs = count(done.jobs, "job");
    let text = format!("{} is done: {outcome} ({jobs}).", done.label);
    // A label is often a path.
    let short = done.label.trim_end_matches('/').rsplit('/').next();
    let short = short
        .filter(|short| !short.is_empty())
        .unwrap_or(&done.label);
    (format!("Done: {short}"), text, level)
}

fn count(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// `1.4 GB`, with units of 1000.
fn bytes(size: u64) -> String {
    let mut value = size as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 999.5 {
            return match unit {
                "B" => format!("{value} B"),
                _ => format!("{value:.1} {unit}"),
            };
        }
        value /= 1000.0;
    }
    format!("{value:.1} TB")
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most - 1) {
        Some((at, _)) if text.chars().count() > most => format!("{}…", &text[..at]),
        _ => text.to_owned(),
    }
}

/// What webhooks get, documented for people: `type`, `id`, `timestamp`, `title`, `text` and `data`.
pub fn payload(occurrence: &Occurrence) -> Value {
    let Message { title, text, .. } = Message::of(occurrence);
    json!({
        "type": occurrence.fact.kind().as_str(),
        "id": occurrence.id,
        "timestamp": occurrence.at,
        "title": title,
        "text": text,
        "data": data(&occurrence.fact),
    })
}

/// A location as people and other programs know it: the path of a local file, `s3://…` of an object.
pub(crate) fn place(location: &Location) -> String {
    match location.path() {
        Some(path) => path.to_string_lossy().into_owned(),
        None => String::from(location.clone()),
    }
}

fn data(fact: &Fact) -> Value {
    match fact {
        Fact::BatchDone(done) => json!({
            "batch": done.batch,
            "label": done.label,
            "folder": done.folder.as_ref().map(place),
            "jobs": done.jobs,
            "completed": done.completed,
            "kept": done.kept,
            "failed": done.failed,
            "cancelled": done.cancelled,
            "damaged": done.damaged,
            "written": done.written,
        }),
        Fact::JobFailed(failed) => json!({
            "job": failed.job,
            "batch": failed.batch,
            "label": failed.label,
            "input": place(&failed.input),
            "output": place(&failed.output),
            "worker": failed.worker,
            "attempts": failed.attempts,
            "message": failed.message,
        }),
        Fact::JobCompleted(done) => json!({
            "job": done.job,
            "batch": done.batch,
            "label": done.label,
            "input": place(&done.input),
            "output": place(&done.output),
            "worker": done.worker,
            "input_size": done.input_size,
            "output_size": done.output_size,
        }),
        Fact::WorkerLost(lost) => json!({
            "worker": lost.worker,
            "heard": lost.heard,
            "jobs": lost.jobs,
        }),
        Fact::LibraryFinished(finished) => json!({
            "library": finished.library,
            "files": finished.files,
            "refused": finished.refused,
        }),
        Fact::Test => json!({}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::id::BatchId;
    use crate::notify::occurrence::{JobFailed, LibraryFinished, WorkerLost};

    #[test]
    fn occurrences_are_told_in_plain_words() {
        let batch = |failed, kept, damaged| {
            Fact::BatchDone(BatchDone {
                batch: None,
                label: "/srv/films".to_owned(),
                library: None,
                folder: None,
                jobs: 3,
                completed: 3 - failed - kept,
                kept,
                failed,
                cancelled: 0,
                damaged,
                written: None,
            })
        };
        let at = |text: &str| Location::from_argument(text).expect("a location");
        let failed = Fact::JobFailed(JobFailed {
            job: "9c1f3a52-8a0f-5f6e-9a55-2d2b8a6cf9ab"
                .parse()
                .expect("an id"),
            batch: BatchId::new(),
            label: "films".to_owned(),
            library: None,
            input: at("s3://media/in/a\u{1b}b.mkv"),
            output: at("s3://media/out/a.mkv"),
            worker: Some("w1".parse().expect("a name")),
            attempts: 1,
            message: "no video".to_owned(),
        });
        let lost = Fact::WorkerLost(WorkerLost {
            worker: "w1".parse().expect("a name"),
            heard: jiff::Timestamp::UNIX_EPOCH,
            jobs: 2,
        });
        let library = Fact::LibraryFinished(LibraryFinished {
            library: "films".parse().expect("a name"),
            files: 3,
            refused: 1,
        });
        for (fact, title, text, level) in [
            (
                batch(0, 0, 0),
                "Done: films",
                "/srv/films is done: 3 completed (3 jobs).",
                Level::Good,
            ),
            (
                batch(0, 0, 2),
                "Done: films",
                "/srv/films is done: 3 completed, 2 found damaged (3 jobs).",
                Level::Bad,
            ),
            (
                batch(1, 1, 0),
                "Done: films",
                "/srv/films is done: 1 completed, 1 kept, 1 failed (3 jobs).",
                Level::Bad,
            ),
            (
                failed,
                "Failed: a\\u{1b}b.mkv",
                "w1 after 1 attempt: no video",
                Level::Bad,
            ),
            (
                lost,
                "Worker lost: w1",
                "was last heard at 1970-01-01T00:00:00Z and had not signed off. It ran 2 jobs, which other workers take over.",
                Level::Bad,
            ),
            (
                library,
                "Library finished: films",
                "Nothing is left to do in the library films (3 files). 1 file can have no job for now",
                Level::Bad,
            ),
            (Fact::Test, "Test", "Nothing happened.", Level::Good),
        ] {
            let occurrence = Occurrence {
                fact,
                ..Occurrence::test(jiff::Timestamp::UNIX_EPOCH)
            };
            let message = Message::of(&occurrence);
            assert_eq!(message.title, title);
            assert!(message.text.contains(text), "{}", message.text);
            assert_eq!(message.level, level, "{title}");
            let payload = payload(&occurrence);
            assert_eq!(payload["type"], occurrence.fact.kind().as_str());
            assert!(payload["data"].is_object(), "{title}");
        }
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        assert_eq!(cut("éèê", 3), "éèê");
        assert_eq!(cut("éèêë", 3), "éè…");
    }

    #[test]
    fn sizes_have_the_unit_that_people_read() {
        for (size, words) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (1_400_000_000, "1.4 GB"),
            (2_000_000_000_000, "2.0 TB"),
        ] {
            assert_eq!(bytes(size), words);
        }
    }
}
