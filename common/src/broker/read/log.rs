//! The live log of a job: the lines that ffmpeg writes, as they come. It is not stored.

use std::fmt;

use async_nats::HeaderMap;
use futures::{Stream, StreamExt};

use crate::broker::{Broker, BrokerError};
use crate::job::id::JobId;
use crate::job::part::Part;
use crate::names::subject;

/// The header that names the part of a split job whose ffmpeg wrote the line.
const PART: &str = "Farm-Part";

/// Bytes of the longest line that is read whole.
const LONGEST: usize = 4096;

/// A line of a job's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// The part of the job whose ffmpeg wrote it.
    pub part: Part,
    /// The line, as it was written, but for the end of a very long one: it may be hostile.
    pub text: String,
}

/// A line of a part begins with the name of the part.
impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part {
            Part::Whole => f.write_str(&self.text),
            part => write!(f, "[{part}] {}", self.text),
        }
    }
}

impl Broker {
    /// Publishes a line of the log of a job or part, without waiting for an answer: to the followers of the whole job.
    ///
    /// # Errors
    /// The connection is closed.
    pub async fn publish_log(&self, job: &JobId, line: String) -> Result<(), BrokerError> {
        let subject = subject::logs(&job.whole());
        let mut headers = HeaderMap::new();
        if !job.is_whole() {
            headers.insert(PART, job.part().to_string());
        }
        let client = self.client();
        let published = client.publish_with_headers(subject, headers, line.into());
        let what = format!("publishing a line of the log of job {job}");
        published.await.map_err(BrokerError::request(what))
    }

    /// The log of a whole job and its parts, from now on. It ends with the connection.
    ///
    /// # Errors
    /// The broker does not let this program listen, or the connection is closed.
    pub async fn log(
        &self,
        job: &JobId,
    ) -> Result<impl Stream<Item = LogLine> + Send + Unpin + 'static, BrokerError> {
        let what = format!("following the log of job {job}");
        let lines = self.client().subscribe(subject::logs(job)).await;
        let lines = lines.map_err(BrokerError::request(what))?;
        Ok(lines.map(|message| {
            let part = message.headers.as_ref().and_then(|headers| {
                let named = headers.get(PART)?;
                named.as_str().parse().ok()
            });
            LogLine {
                part: part.unwrap_or_default(),
                text: cut(&message.payload),
            }
        }))
    }
}

/// The text of a line, which is cut if it is very long: anybody who may speak to the broker may send one.
fn cut(line: &[u8]) -> String {
    let Some(kept) = line.get(..LONGEST) else {
        return String::from_utf8_lossy(line).into_owned();
    };
    // The cut may be within a character.
    let kept = String::from_utf8_lossy(kept);
    format!("{}…", kept.trim_end_matches(char::REPLACEMENT_CHARACTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_very_long_line_is_cut_between_characters() {
        let line = format!("x{}", "é".repeat(LONGEST));
        let cut = cut(line.as_bytes());
        assert!(
            cut.ends_with("éé…") && cut.len() < LONGEST + 4,
            "{}",
            cut.len()
        );
        assert_eq!(super::cut("short é".as_bytes()), "short é");
    }
}
