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
    /// The client for web addresses, or why there is none: a machine may have no certificates of authorities.
    client: Result<reqwest::Client, String>,
}

impl Default for Sender {
    fn default() -> Self {
        Self::new()
    }
}

impl Sender {
    /// A sender.
    pub fn new() -> Self {
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
            .build();
        Self {
            client: client.map_err(|error| web::innermost(&error)),
        }
    }

    /// Sends one message; `now` is the time of its signature.
    pub async fn send(&self, hook: &Prepared, of: &Occurrence, now: Timestamp) -> Answer {
        let later = |error| Answer::Later { error, after: None };
        let sending = async {
            match (&hook.target, &self.client) {
                (Target::Web(target), Ok(client)) => web::send(client, target, hook, of, now).await,
                (Target::Web(_), Err(error)) => {
                    later(format!("this machine cannot speak HTTPS: {error}"))
                }
                (Target::Mail(target), _) => mail::send(target, of).await,
            }
        };
        let answer = tokio::time::timeout(TIMEOUT, sending).await;
        answer.unwrap_or_else(|_| {
            let seconds = TIMEOUT.as_secs();
            later(format!("{} did not answer within {seconds} s", hook.target))
        })
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
