//! Why a source is not replaced, and why a replacement is not undone.

use crate::names::location::Location;
use crate::store::StoreError;
use crate::store::marked::MARKER;

/// Why a source is not replaced. It is left as it is.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError {
    /// The source is another version.
    #[error(
        "the source {0} has changed since it was enqueued, and was left as it is: enqueue it again"
    )]
    Changed(Location),
    /// The source is not there any more, although its folder or bucket is.
    #[error("the source {0} is gone: nothing was replaced; put it back and retry the job")]
    Gone(Location),
    /// The source is a link.
    #[error(
        "the source {0} is a link, and the file that it leads to would stay: enqueue that file itself, or leave --replace out"
    )]
    Link(Location),
    /// The source has further names.
    #[error(
        "the source {source_file} has {others} further name(s) (hard links), which would keep the old file, so that no space is freed: --hard-links replace replaces this name all the same"
    )]
    HardLinked {
        /// The source.
        source_file: Location,
        /// How many further names.
        others: u64,
    },
    /// The permissions of the source or of its folder say that it is to stay.
    #[error(
        "{0} is read-only, so the source is not replaced: `chmod u+w` it, or leave --replace out"
    )]
    ReadOnly(Location),
    /// The folder of the source takes no files.
    #[error(
        "the folder of the source {source_file} takes no files, so the source is not replaced: {error}"
    )]
    Folder {
        /// The source.
        source_file: Location,
        /// The system's error.
        error: std::io::Error,
    },
    /// The trash cannot be made.
    #[error("cannot make a trash in {folder}: {why}; name another folder with --trash")]
    NotMade {
        /// The folder that was to hold it.
        folder: Location,
        /// The reason.
        why: String,
    },
    /// The trash is another folder.
    #[error(
        "{0} is no trash of ffmpeg-easy's: it has no marker ({MARKER}) and is not empty; name another folder with --trash"
    )]
    NoTrash(Location),
    /// The trash is on another disk, which is full.
    #[error(
        "the trash {trash} is on another disk than the source, and has no room for {bytes} bytes: make room, or name another folder with --trash"
    )]
    NoRoom {
        /// The trash.
        trash: Location,
        /// Bytes of the source.
        bytes: u64,
    },
    /// Another file is in the trash where the source would go.
    #[error(
        "another file is in the trash at {0}, and was left as it is: move it away and retry the job"
    )]
    Occupied(Location),
    /// What arrived in the trash is not the source.
    #[error(
        "the copy of the source in the trash ({0}) is not like the source, which was left as it is"
    )]
    BadCopy(Location),
    /// A store or disk failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a replacement is not undone. All files are left as they are.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// The output is not what the job made.
    #[error("{0} is not what the job made any more, and was left as it is; the original is {1}")]
    Changed(Box<Location>, Box<Location>),
    /// The original is gone from the trash.
    #[error(
        "the trash does not hold the original any more ({0}): its time was over, or somebody has removed it"
    )]
    Emptied(Location),
    /// The original in the trash is another version.
    #[error("the original in the trash ({0}) was changed, and was left as it is")]
    OriginalChanged(Location),
    /// Another file is where the original was.
    #[error(
        "another file is at {0}, and was left as it is: move it away and undo again; the original is {1}"
    )]
    Occupied(Box<Location>, Box<Location>),
    /// Another file is where a sidecar of the original was.
    #[error(
        "another file is at {0}, and was left as it is: move it away and undo again; the file that was there is {1} now"
    )]
    SidecarOccupied(Box<Location>, Box<Location>),
    /// The job has replaced nothing.
    #[error("the job has not replaced its source")]
    NotReplaced,
    /// A store or disk failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
