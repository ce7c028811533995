//! Sending one message to one hook.

mod mail;
mod sign;
mod web;

use std::sync::Once;
use std::time::Duration;

use jiff::Timestamp;

use crate::names::printable::printable;
use crate::notify::delivery::Answer;
use crate::notify::hook::Prepared;
use crate::notify::occurrence::Occurrence;
use crate::notify::target::Target;

/// How long one attempt may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Most characters of the other side's words that are told.
const LONGEST_WORDS: usize = 200;

/// Sends messages. Clones share their connections.
#[derive(Clone)]
pub struct Sender {
    client: reqwest::Client,
}

/// The client for web addresses cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("the client for web addresses cannot be made: {0}")]
pub struct SenderError(String);

impl Sender {
    /// A sender.
    ///
    /// # Errors
    /// The system's certificates cannot be read.
    pub fn new() -> Result<Self, SenderError> {
        static TLS: Once = Once::new();
        TLS.call_once(|| {
            // An error means that a provider is set up already.
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let client = reqwest::Client::builder()
            // A redirect would turn a POST into a GET, or lead the message to somebody else.
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .user_agent(concat!("ffmpeg-easy/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| SenderError(error.to_string()))?;
        Ok(Self { client })
    }

    /// Sends one message; `now` is the time of its signature.
    pub async fn send(&self, hook: &Prepared, of: &Occurrence, now: Timestamp) -> Answer {
        let sending = async {
            match &hook.target {
                Target::Web(target) => web::send(&self.client, target, hook, of, now).await,
                Target::Mail(target) => mail::send(target, of).await,
            }
        };
        match tokio::time::timeout(TIMEOUT, sending).await {
            Ok(answer) => answer,
            Err(_) => Answer::Later {
                error: format!(
                    "{} did not answer within {} s",
                    hook.target,
                    TIMEOUT.as_secs()
                ),
                after: None,
            },
        }
    }
}

/// The other side's words, short and safe to show.
fn quoted(words: &str) -> String {
    let words = printable(words.trim());
    match words.char_indices().nth(LONGEST_WORDS) {
        Some((at, _)) => format!("{}…", &words[..at]),
        None => words,
    }
}
