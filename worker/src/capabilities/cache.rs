//! Cards that were found before, kept in one file for each machine.
//!
//! A card holds for one build of ffmpeg on one set of devices. The file is a
//! convenience: where it is missing, broken or of another version, the card
//! is found anew.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use common::farm::card::{Capabilities, Ffmpeg, Host};
use common::recipe::encoder::Encoder;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::capabilities::devices;

/// Raised whenever the same ffmpeg on the same machine would get another card.
const FORMAT: u32 = 1;

/// Cards kept: a machine may have a few builds of ffmpeg.
const KEPT: usize = 8;

/// The name of the file in a folder.
const FILE: &str = "capabilities.json";

/// Where cards are kept, and under which name this one is.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    file: PathBuf,
    key: String,
}

/// A card, and what was looked into for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    key: String,
    /// The encoders that were asked for; `None` where it was the whole catalogue.
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

    /// The card, where it is known for all the encoders asked for.
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

    /// Keeps a card. What is known of encoders that were not asked for stays.
    ///
    /// # Errors
    /// Where the file cannot be written.
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
    /// Where the file cannot be written.
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

    /// Writes the whole file or leaves it as it was.
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
