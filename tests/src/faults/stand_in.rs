//! An ffmpeg that stands in for hardware which this machine lacks, and that
//! fails on demand.
//!
//! It really encodes: it passes everything on to the real ffmpeg, with a
//! software encoder in the place of the hardware's. The worker gives ffmpeg no
//! environment and lets it read little, so what the stand-in is to do lies in a
//! file next to it. Faults set_fault jobs only, never the worker's own tests of
//! what it can do.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::paths;

/// The file next to the program that says what it is to do.
pub const SIDECAR: &str = "stand-in.json";

/// What a stand-in is to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Orders {
    /// The ffmpeg that does the work.
    pub real: PathBuf,
    /// Hardware encoders that it pretends to have, and what really encodes.
    pub encoders: BTreeMap<String, String>,
    /// What happens to jobs.
    pub fault: Option<Fault>,
    /// Writes when it was started into the output's tag [`STARTED`].
    pub stamp: bool,
}

/// The tag of an output that says when its encode was started, in nanoseconds
/// since 1970.
pub const STARTED: &str = "stand_in_started";

/// What happens to a job.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// It starts and then never gets on.
    Hang,
    /// It writes this many frames and then crashes.
    Crash {
        /// How many.
        after_frames: u32,
    },
    /// It ends well, with an output that holds only this many frames.
    Short {
        /// How many.
        frames: u32,
    },
    /// It ends well, with an output that breaks off after half of its bytes.
    Torn,
    /// It prints rubbish in front of everything else.
    Garbage,
    /// No encode succeeds, not even those by which a worker proves itself.
    Sick,
    /// The same for an ffmpeg that is not whole any more: it says this, and ends badly.
    Broken(String),
    /// No encode ever ends, nor does one by which a worker proves itself.
    Stuck,
    /// It starts late.
    Late(Duration),
    /// It encodes no faster than this many times real time.
    Pace(f32),
    /// It gets on, but is not done before the file [`HOLD`] next to it is gone.
    Held,
    /// The check of its output is not done before the file [`HOLD`] next to it
    /// is gone.
    CheckHeld,
    /// It was taken over: it ends well, and does this about its output.
    Trick(Trick),
    /// Where its input has this in its name, it waits for a test to kill its
    /// worker: the sandbox does not let it do that itself.
    Poison(String),
}

/// What an ffmpeg that was taken over does.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trick {
    /// It leaves a link to this file in its output's place, and in that of a picture.
    Link(PathBuf),
    /// It leaves a pipe there.
    Pipe,
    /// It leaves a child in a session of its own, whose parent is gone, and which
    /// puts a link to this file in the output's place a while later.
    Survivor(PathBuf),
}

/// While this file lies next to the program, [`Fault::Held`] and
/// [`Fault::CheckHeld`] hold.
pub const HOLD: &str = "hold";

/// The stand-in of one worker: a program in a folder of its own.
pub struct StandIn {
    folder: PathBuf,
    orders: Orders,
}

impl StandIn {
    /// A sound ffmpeg without any hardware, in `folder`.
    pub fn new(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).expect("a test's folder can be written");
        let program = folder.join("ffmpeg");
        // A link and not a copy: what another thread's child still holds open
        // for writing cannot be run.
        std::fs::hard_link(paths::program("stand-in-ffmpeg"), &program)
            .expect("tests and their folders lie on one disk");
        let stand_in = Self {
            folder: folder.to_owned(),
            orders: Orders {
                real: paths::tool("ffmpeg"),
                encoders: BTreeMap::new(),
                fault: None,
                stamp: false,
            },
        };
        stand_in.write();
        stand_in
    }

    /// The program.
    pub fn program(&self) -> PathBuf {
        self.folder.join("ffmpeg")
    }

    /// Pretends to have a hardware encoder.
    #[must_use]
    pub fn with_encoder(mut self, hardware: &str, software: &str) -> Self {
        self.orders
            .encoders
            .insert(hardware.to_owned(), software.to_owned());
        self.write();
        self
    }

    /// Writes into each output when its encode was started.
    #[must_use]
    pub fn with_stamp(mut self) -> Self {
        self.orders.stamp = true;
        self.write();
        self
    }

    /// Decides what happens to the jobs that start from now on.
    pub fn set_fault(&mut self, fault: Fault) {
        if matches!(fault, Fault::Held | Fault::CheckHeld) {
            std::fs::write(self.folder.join(HOLD), "").expect("a test's folder can be written");
        }
        self.orders.fault = Some(fault);
        self.write();
    }

    /// The jobs that start from now on fare well, and those that are held go on.
    pub fn recover(&mut self) {
        self.orders.fault = None;
        self.write();
        self.release();
    }

    /// The jobs that are held go on.
    pub fn release(&self) {
        let _ = std::fs::remove_file(self.folder.join(HOLD));
    }

    fn write(&self) {
        // Never half a file: an ffmpeg may be reading it.
        let new = self.folder.join("stand-in.new");
        let json = serde_json::to_vec(&self.orders).expect("plain data");
        std::fs::write(&new, json).expect("a test's folder can be written");
        std::fs::rename(&new, self.folder.join(SIDECAR)).expect("a test's folder can be written");
    }
}

impl Orders {
    /// The orders of the stand-in that lies in `folder`.
    ///
    /// # Errors
    /// Where there are none.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(SIDECAR);
        let text =
            std::fs::read(&path).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
        Ok(serde_json::from_slice(&text)?)
    }
}
