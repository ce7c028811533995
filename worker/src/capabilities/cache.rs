//! Keeps capability cards in one file for each machine.
//!
//! A card holds for one build of ffmpeg on one set of devices. The cache only saves time: if the file is missing,
//! broken or of another version, the encoders are tested again.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use common::farm::card::{Capabilities, Ffmpeg, Host};
use common::recipe::encoder::Encoder;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::capabilities::devices;

/// Must be raised whenever the same ffmpeg on the same machine would get another card.
const FORMAT: u32 = 3;

/// How many cards are kept: a machine may have several builds of ffmpeg.
const KEPT: usize = 8;

/// The name of the file in a folder.
const FILE: &str = "capabilities.json";

/// The file of cards, and the key of this ffmpeg and machine in it.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    file: PathBuf,
    key: String,
}

/// A card, and the encoders that were tested for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    key: String,
    /// The encoders that were tested; `None` for the whole catalogue.
    asked: Option<BTreeSet<Encoder>>,
    card: Capabilities,
}

impl Cache {
    /// The cache at a path, which is a file or a folder.
    pub(crate) fn at(path: &Path, ffmpeg: &Ffmpeg, host: &Host) -> Self {
        let file = if path.is_dir() {
            path.join(FILE)
        } else {
            path.to_owned()
        };
        Self {
            file,
            key: key(ffmpeg, host),
        }
    }

    /// Returns the card if it covers all encoders in `only`.
    pub(crate) fn find(&self, only: Option<&[Encoder]>) -> Option<Capabilities> {
        let entry = self.own(self.read())?;
        let known = match (&entry.asked, only) {
            (None, _) => true,
            (Some(asked), Some(only)) => only.iter().all(|encoder| asked.contains(encoder)),
            (Some(_), None) => false,
        };
        known.then(|| {
            let mut card = entry.card;
            if let Some(only) = only {
                card.encoders.retain(|encoder, _| only.contains(encoder));
            }
            card
        })
    }

    /// Keeps a card. Merges it with the results for other encoders that an earlier card has.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(crate) fn keep(
        &self,
        only: Option<&[Encoder]>,
        card: &Capabilities,
    ) -> std::io::Result<()> {
        let mut entries = self.read();
        let mut entry = Entry {
            key: self.key.clone(),
            asked: only.map(|only| only.iter().cloned().collect()),
            card: card.clone(),
        };
        if let Some(older) = self.own(entries.clone())
            && let Some(asked) = entry.asked.take()
        {
            entry.asked = older.asked.map(|before| &before | &asked);
            for (encoder, verdict) in older.card.encoders {
                entry.card.encoders.entry(encoder).or_insert(verdict);
            }
        }
        entries.retain(|other| other.key != self.key);
        entries.insert(0, entry);
        entries.truncate(KEPT);
        self.write(&entries)
    }

    /// Removes the card.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(crate) fn forget(&self) -> std::io::Result<()> {
        let mut entries = self.read();
        let before = entries.len();
        entries.retain(|entry| entry.key != self.key);
        if entries.len() == before {
            return Ok(());
        }
        self.write(&entries)
    }

    fn own(&self, entries: Vec<Entry>) -> Option<Entry> {
        entries.into_iter().find(|entry| entry.key == self.key)
    }

    fn read(&self) -> Vec<Entry> {
        std::fs::read(&self.file)
            .ok()
            .and_then(|json| serde_json::from_slice(&json).ok())
            .unwrap_or_default()
    }

    /// Replaces the file as a whole, or leaves it unchanged.
    fn write(&self, entries: &[Entry]) -> std::io::Result<()> {
        if let Some(folder) = self.file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut temporary = self.file.clone().into_os_string();
        temporary.push(format!(".{}", std::process::id()));
        std::fs::write(&temporary, serde_json::to_vec_pretty(entries)?)?;
        std::fs::rename(&temporary, &self.file)
            .inspect_err(|_| drop(std::fs::remove_file(&temporary)))
    }
}

fn key(ffmpeg: &Ffmpeg, host: &Host) -> String {
    let catalogue: Vec<String> = Encoder::catalogue()
        .map(|(encoder, _)| encoder.to_string())
        .collect();
    let identity = [
        FORMAT.to_string(),
        ffmpeg.build.clone(),
        devices::identity(host),
        catalogue.join(" "),
    ];
    Uuid::new_v5(&Uuid::NAMESPACE_OID, identity.join("\n").as_bytes())
        .simple()
        .to_string()
}
