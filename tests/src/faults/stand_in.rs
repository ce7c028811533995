//! An ffmpeg that stands in for hardware which this machine lacks, and that fails on demand.
//!
//! The stand-in really encodes: it runs the real ffmpeg, with a software encoder in the place of the hardware encoder.
//! The worker gives ffmpeg no environment and lets it read little, so the orders for the stand-in lie in a file next to
//! it. Faults befall jobs only, and not the worker's own test encodes, unless the fault says otherwise.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::faults::attacks::Targets;
use crate::paths;

/// The file next to the program that holds its orders.
pub const SIDECAR: &str = "stand-in.json";

/// The orders for a stand-in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Orders {
    /// The real ffmpeg.
    pub real: PathBuf,
    /// The hardware encoders that it pretends to have, each with the software encoder that takes its place.
    pub encoders: BTreeMap<String, String>,
    /// The fault that befalls jobs.
    pub fault: Option<Fault>,
    /// Whether it writes the time of its start into the output's tag [`STARTED`], and as `STARTED=TIME` to its log.
    pub stamp: bool,
    /// Options that it adds to each encode of a film, as another build has other defaults.
    #[serde(default)]
    pub further: Vec<String>,
}

/// The tag of an output that holds the start of its encode, in nanoseconds since 1970.
pub const STARTED: &str = "stand_in_started";

/// A fault that befalls a job.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// ffmpeg starts and then makes no progress.
    Hang,
    /// ffmpeg writes this many frames and then crashes.
    Crash { after_frames: u32 },
    /// ffmpeg exits with 0, with an output that holds only this many frames.
    Short { frames: u32 },
    /// ffmpeg exits with 0, with an output that breaks off after half of its bytes.
    Torn,
    /// ffmpeg prints rubbish in front of everything else.
    Garbage,
    /// Every encode fails, including the worker's own test encodes.
    Sick,
    /// As `Sick`, for an installation that is broken: ffmpeg prints this text, and exits with an error.
    Broken(String),
    /// No encode ever ends, including the worker's own test encodes.
    Stuck,
    /// ffmpeg starts late.
    Late(Duration),
    /// ffmpeg encodes no faster than this many times real time.
    Pace(f32),
    /// ffmpeg takes so long for each frame of a film that it encodes. Meanwhile it needs no processor.
    Paced(Duration),
    /// ffmpeg makes progress, but does not end before the file [`HOLD`] next to it is gone.
    Held,
    /// The check of the output does not end before the file [`HOLD`] next to ffmpeg is gone.
    CheckHeld,
    /// An attacker controls ffmpeg: it exits with 0, and plays this trick with its output.
    Trick(Trick),
    /// If its command line contains this text, ffmpeg says that its input is broken.
    Refuse(String),
    /// If the name of its input contains this text, ffmpeg waits for the test to kill its worker. The sandbox does not
    /// let ffmpeg kill the worker itself.
    Poison(String),
}

/// A trick of an ffmpeg that an attacker controls.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trick {
    /// ffmpeg leaves a link to this file in the place of its output, and in that of a picture.
    Link(PathBuf),
    /// ffmpeg leaves a pipe in the place of its output.
    Pipe,
    /// ffmpeg leaves a child in a session of its own, whose parent is gone. Later the child puts a link to this file in
    /// the place of the output.
    Survivor(PathBuf),
    /// ffmpeg reaches for everything that is not its own, and writes into the output's tag [`TAG`](crate::faults::attacks::TAG) what it could.
    Attack(Targets),
}

/// The file next to the program that makes [`Fault::Held`] and [`Fault::CheckHeld`] hold.
pub const HOLD: &str = "hold";

/// The stand-in of one worker: a program in a folder of its own.
pub struct StandIn {
    folder: PathBuf,
    orders: Orders,
}

impl StandIn {
    /// A sound ffmpeg without hardware encoders, in `folder`.
    pub fn new(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).expect("a test's folder can be written");
        let program = folder.join("ffmpeg");
        // A hard link and no copy: a file that a child of another thread still holds open for writing cannot be run.
        std::fs::hard_link(paths::program("stand-in-ffmpeg"), &program)
            .expect("tests and their folders lie on one disk");
        let stand_in = Self {
            folder: folder.to_owned(),
            orders: Orders {
                real: paths::tool("ffmpeg"),
                encoders: BTreeMap::new(),
                fault: None,
                stamp: false,
                further: Vec::new(),
            },
        };
        stand_in.write();
        stand_in
    }

    pub fn program(&self) -> PathBuf {
        self.folder.join("ffmpeg")
    }

    /// What it needs to read, as the worker's option names it: its orders, and the real ffmpeg.
    pub fn needs(&self) -> String {
        format!("{},{}", self.folder.display(), self.orders.real.display())
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

    /// Writes the start of its encode into each output.
    #[must_use]
    pub fn with_stamp(mut self) -> Self {
        self.orders.stamp = true;
        self.write();
        self
    }

    /// Is another build: adds these options to each encode of a film.
    #[must_use]
    pub fn with_options(mut self, options: &[&str]) -> Self {
        self.orders.further = options.iter().map(ToString::to_string).collect();
        self.write();
        self
    }

    /// Sets the fault that befalls jobs from now on.
    pub fn set_fault(&mut self, fault: Fault) {
        if matches!(fault, Fault::Held | Fault::CheckHeld) {
            std::fs::write(self.folder.join(HOLD), "").expect("a test's folder can be written");
        }
        self.orders.fault = Some(fault);
        self.write();
    }

    /// Ends all faults, and lets held jobs go on.
    pub fn recover(&mut self) {
        self.orders.fault = None;
        self.write();
        self.release();
    }

    /// Lets held jobs go on.
    pub fn release(&self) {
        let _ = std::fs::remove_file(self.folder.join(HOLD));
    }

    fn write(&self) {
        // Replaced by a rename, because an ffmpeg may be reading the file.
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
    /// If there are no orders.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(SIDECAR);
        let text =
            std::fs::read(&path).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
        Ok(serde_json::from_slice(&text)?)
    }
}
