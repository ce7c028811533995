//! What a tool may use up, so that one file takes neither the memory nor the disk of a machine.

/// The bounds on one run of a tool. `None`: as much as the worker itself may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// The memory that a process may allocate, in bytes. Address space that a driver only reserves does not count.
    pub memory: Option<u64>,
    /// The size of the largest file, in bytes.
    pub file_size: Option<u64>,
}

/// The memory that the stacks of threads take up without being used, in bytes: those of some hundred threads, as a
/// machine with many cores has them.
#[cfg(target_os = "linux")]
const STACKS: u64 = 1 << 30;

/// Most files that a tool may have open.
#[cfg(target_os = "linux")]
const OPEN_FILES: u64 = 4096;

/// Most threads of this user on the machine while a tool starts another one. Root is not bounded.
#[cfg(target_os = "linux")]
const THREADS: u64 = 16_384;

#[cfg(target_os = "linux")]
impl Resources {
    /// Applies the bounds to this process, and to whatever it becomes or starts.
    ///
    /// # Errors
    /// If the system refuses.
    pub(super) fn apply(self) -> std::io::Result<()> {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

        let limit = |resource, most: u64| {
            let maximum = getrlimit(resource).maximum.unwrap_or(u64::MAX);
            let both = Some(most.min(maximum));
            setrlimit(
                resource,
                Rlimit {
                    current: both,
                    maximum: both,
                },
            )
        };
        limit(Resource::Core, 0)?;
        limit(Resource::Nofile, OPEN_FILES)?;
        limit(Resource::Nproc, THREADS)?;
        if let Some(memory) = self.memory {
            limit(Resource::Data, memory.saturating_add(STACKS))?;
        }
        if let Some(size) = self.file_size {
            limit(Resource::Fsize, size)?;
        }
        // If the machine has no memory left, the kernel ends the tool and not the worker.
        let _ = std::fs::write("/proc/self/oom_score_adj", "500");
        Ok(())
    }
}
