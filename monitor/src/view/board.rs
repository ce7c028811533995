//! The live state as JSON text, serialised once for all viewers.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use common::job::id::JobId;
use common::matching::parts::PartRow;
use serde::Serialize;
use tokio::sync::watch;

use crate::snapshot::Snapshot;
use crate::view::View;

/// One section of the state.
#[derive(Clone)]
struct Section {
    name: &'static str,
    json: Arc<str>,
}

/// The state at one moment, ready to send.
pub struct Frame {
    /// Rises by one with every frame.
    pub version: u64,
    /// The sections that differ from the previous frame, as one event.
    pub change: Bytes,
    /// The state itself.
    pub snapshot: Arc<Snapshot>,
    /// The parts of every split job. They are in no section: a page asks for those of the jobs that it shows.
    pub parts: HashMap<JobId, Vec<PartRow>>,
    sections: Vec<Section>,
    whole: OnceLock<Bytes>,
}

impl Frame {
    /// All sections as one JSON object.
    pub fn json(&self) -> Bytes {
        object(&self.sections).into()
    }

    /// All sections as one event.
    pub fn whole(&self) -> Bytes {
        self.whole
            .get_or_init(|| event("state", &object(&self.sections)))
            .clone()
    }
}

/// One server-sent event; the data must hold no line break, as JSON does not.
pub fn event(name: &str, data: &str) -> Bytes {
    format!("event: {name}\ndata: {data}\n\n").into()
}

fn object(sections: &[Section]) -> String {
    let mut text = String::with_capacity(
        2 + sections
            .iter()
            .map(|section| section.name.len() + section.json.len() + 4)
            .sum::<usize>(),
    );
    for section in sections {
        text.push(if text.is_empty() { '{' } else { ',' });
        text.push('"');
        text.push_str(section.name);
        text.push_str("\":");
        text.push_str(&section.json);
    }
    text.push('}');
    text
}

/// Holds the latest frame. Empty until the first one is published.
pub struct Board {
    frame: watch::Sender<Option<Arc<Frame>>>,
}

/// Publishes frames. There is one publisher.
pub struct Publisher {
    board: Arc<Board>,
    version: u64,
    sections: Vec<Section>,
    cards_revision: Option<u64>,
}

impl Board {
    /// An empty board.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            frame: watch::Sender::new(None),
        })
    }

    /// Follows the frames.
    pub fn subscribe(&self) -> watch::Receiver<Option<Arc<Frame>>> {
        self.frame.subscribe()
    }

    /// The latest frame. Waits up to `patience` for the first one.
    pub async fn frame(&self, patience: Duration) -> Option<Arc<Frame>> {
        let mut frames = self.subscribe();
        let frame = tokio::time::timeout(patience, frames.wait_for(Option::is_some)).await;
        frame.ok()?.ok()?.clone()
    }
}

impl Publisher {
    /// The writer of a board.
    pub fn new(board: Arc<Board>) -> Self {
        Self {
            board,
            version: 0,
            sections: Vec::new(),
            cards_revision: None,
        }
    }

    /// Removes the frame, for nothing keeps it up to date.
    pub fn clear(&mut self) {
        self.sections.clear();
        self.cards_revision = None;
        self.board.frame.send_replace(None);
    }

    /// Publishes the state as it is now, if any section changed.
    pub fn publish(&mut self, view: &View, now: jiff::Timestamp) {
        let snapshot = Arc::new(view.snapshot(now));
        let mut sections = sections(&snapshot);
        let revision = view.cards_revision();
        let cards = match self.sections.iter().find(|section| section.name == "cards") {
            Some(cards) if self.cards_revision == Some(revision) => cards.clone(),
            _ => section("cards", &view.cards()),
        };
        self.cards_revision = Some(revision);
        sections.push(cards);

        let changed: Vec<Section> = sections
            .iter()
            .filter(|new| {
                !self
                    .sections
                    .iter()
                    .any(|old| old.name == new.name && old.json == new.json)
            })
            .cloned()
            .collect();
        if changed.is_empty() {
            return;
        }
        self.version += 1;
        self.sections.clone_from(&sections);
        self.board.frame.send_replace(Some(Arc::new(Frame {
            version: self.version,
            change: event("change", &object(&changed)),
            snapshot,
            parts: view.parts(),
            sections,
            whole: OnceLock::new(),
        })));
    }
}

fn sections(snapshot: &Snapshot) -> Vec<Section> {
    // The pattern names every field, so that a new field cannot be forgotten.
    let Snapshot {
        broker,
        totals,
        attention,
        queues,
        workers,
        running,
        retrying,
        next,
        recent,
        controls,
        listing,
    } = snapshot;
    vec![
        section("broker", broker),
        section("totals", totals),
        section("attention", attention),
        section("queues", queues),
        section("workers", workers),
        section("running", running),
        section("retrying", retrying),
        section("next", next),
        section("recent", recent),
        section("controls", controls),
        section("listing", listing),
    ]
}

fn section(name: &'static str, content: &impl Serialize) -> Section {
    Section {
        name,
        json: serde_json::to_string(content)
            .expect("rows are plain data with string keys")
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Input;

    #[test]
    fn only_what_changed_is_sent() {
        let now = jiff::Timestamp::UNIX_EPOCH;
        let board = Board::new();
        let frames = board.subscribe();
        let mut publisher = Publisher::new(board);
        let mut view = View::new(now);

        publisher.publish(&view, now);
        let first = frames.borrow().clone().expect("a frame");
        let whole: serde_json::Value = serde_json::from_slice(&first.json()).expect("JSON");
        assert_eq!(whole.as_object().map(serde_json::Map::len), Some(12));
        assert!(first.whole().starts_with(b"event: state\ndata: {"));

        publisher.publish(&view, now);
        assert_eq!(frames.borrow().as_ref().map(|frame| frame.version), Some(1));

        view.apply(Input::Away("gone\naway".to_owned()), now);
        publisher.publish(&view, now);
        let second = frames.borrow().clone().expect("a frame");
        assert_eq!(second.version, 2);
        let text = String::from_utf8(second.change.to_vec()).expect("text");
        assert!(
            text.starts_with("event: change\ndata: {\"broker\":{"),
            "{text}"
        );
        assert!(!text.contains("totals"), "{text}");
        assert_eq!(text.lines().filter(|line| !line.is_empty()).count(), 2);
    }
}
