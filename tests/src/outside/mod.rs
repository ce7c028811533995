//! Views of the farm from outside: files, processes, and what a plain JetStream client finds on the broker.

pub mod audit;
pub mod media;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};

/// Identifies the file that has this name now. The value changes if another file takes the name, or if the file is
/// written again. Times of modification cannot tell this, as outputs have those of their inputs.
pub fn which(path: &Path) -> (u64, i64, i64) {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(path).expect("it is there");
    (metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
}

/// Every file below a folder, also hidden ones, by its relative path, with its bytes.
pub fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(current) = folders.pop() {
        for entry in std::fs::read_dir(&current).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if let (Ok(bytes), Ok(name)) = (std::fs::read(&path), path.strip_prefix(folder))
            {
                found.insert(name.to_owned(), bytes);
            }
        }
    }
    found
}

/// The relative paths of all files below a folder.
pub fn names(folder: &Path) -> Vec<PathBuf> {
    files(folder).into_keys().collect()
}

/// The scratch files below a worker's scratch folder, without the folder's marker and the lock against a second worker
/// of the same name.
pub fn scratch_files(folder: &Path) -> Vec<PathBuf> {
    let mut names = names(folder);
    names.retain(|name| {
        name.extension()
            .is_none_or(|extension| extension != "lock" && extension != "mark")
    });
    names
}

/// A process that is no child of the test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    pub id: u32,
    /// The command line as one text.
    pub command: String,
    /// The words of the command line.
    pub arguments: Vec<String>,
    /// When the process started, in clock ticks since the machine started.
    pub started: u64,
}

impl Process {
    /// Sends a signal, if the process still lives.
    pub fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.id).ok().and_then(Pid::from_raw);
        let _ = kill_process(id.expect("a process has a number"), signal);
    }
}

/// Live processes that name the folder in their command line or environment.
pub fn processes_of(folder: &Path) -> Vec<Process> {
    let folder = folder.display().to_string();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(id) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let read = |name: &str| {
            let bytes = std::fs::read(entry.path().join(name)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        // A process that has ended and is not reaped yet has neither.
        let command = read("cmdline");
        let is_ours = command.contains(&folder) || read("environ").contains(&folder);
        if id != std::process::id() && is_ours {
            found.push(Process {
                id,
                command: command.replace('\0', " "),
                arguments: command.split_terminator('\0').map(str::to_owned).collect(),
                started: stat(id)
                    .and_then(|fields| fields.get(19)?.parse().ok())
                    .unwrap_or_default(),
            });
        }
    }
    found
}

/// Live processes of ffmpeg and ffprobe that work below the folder.
pub fn encodes_in(folder: &Path) -> Vec<Process> {
    let mut found = processes_of(folder);
    found.retain(|process| {
        let program = process.command.split(' ').next().unwrap_or_default();
        program.ends_with("ffmpeg") || program.ends_with("ffprobe")
    });
    found
}

/// The resident memory of a process, in bytes.
pub fn resident_memory(id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// The processor time of a process, in seconds.
pub fn processor_seconds(id: u32) -> Option<f64> {
    let fields = stat(id)?;
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// The fields of `/proc/ID/stat` from the state on. The name before the state stands in parentheses and may contain any
/// character.
fn stat(id: u32) -> Option<Vec<String>> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}
