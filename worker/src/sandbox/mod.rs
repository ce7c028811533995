//! Confines ffmpeg, so that a hostile file or recipe can read and write only its own files.
//!
//! On every system the tool gets an environment without secrets, and the scratch folder as its home. Linux adds
//! Landlock, seccomp and a supervisor. A process can apply these rules only to itself. The worker's own program is
//! therefore started first, confines itself, and then becomes the tool by `exec`. The [supervisor](supervise) is
//! another process of the same program, not confined. When the tool has ended, or must be killed, the supervisor
//! kills every process that the tool started, even in other process groups and sessions:
//!
//! ```text
//! worker sandbox               ORDER    the supervisor; starts
//!   worker sandbox --child PID ORDER    the process that becomes the tool; it dies with PID
//! worker sandbox --try                  prints which parts of the sandbox this machine offers
//! ```
//!
//! [`order`] is the wrapper's command line. [`confine`] applies it: [`files`] by Landlock, with the files of the tool
//! from [`tool_files`], [`system_calls`] by seccomp, and a [`network`] of the tool's own. [`level`] says what a machine
//! offers. A tool may connect to an [`address`] at which the worker serves its input, and to nothing else.

pub mod address;
pub mod child;
#[cfg(target_os = "linux")]
mod confine;
#[cfg(target_os = "linux")]
mod files;
pub mod level;
#[cfg(target_os = "linux")]
mod network;
mod order;
pub mod resources;
#[cfg(target_os = "linux")]
mod supervise;
#[cfg(target_os = "linux")]
mod system_calls;
#[cfg(target_os = "linux")]
mod tool_files;

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Error, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use common::farm::confinement::Confinement;
use tokio::process::Command;

use address::Address;
use level::Policy;
use order::Order;
use resources::Resources;

/// How a worker wraps every tool that it runs.
#[derive(Clone, Debug)]
pub struct Wrapper {
    /// The worker's own program, which becomes the tool by [`run`].
    pub program: PathBuf,
    /// Whether a tool may run where a part of the sandbox cannot be applied.
    pub policy: Policy,
    /// Further files and folders of the tools' installation, which they may read and run. Tools that have some may
    /// start other processes.
    pub installed: Vec<PathBuf>,
    /// What this machine offers.
    pub offered: Confinement,
}

impl Wrapper {
    /// A wrapper by this program, which is the worker, on a machine of which nothing is known yet.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            policy: Policy::default(),
            installed: Vec::new(),
            offered: Confinement::default(),
        }
    }
}

/// The files and network that a tool may use.
#[derive(Clone, Debug)]
pub struct Sandbox {
    /// `None` runs tools unwrapped: without Landlock, seccomp and a supervisor.
    pub wrapper: Option<Wrapper>,
    /// Files and folders that the tool may read, besides its own files and the system's libraries.
    pub read: Vec<PathBuf>,
    /// The tool's working folder, home and temporary folder.
    pub home: PathBuf,
    /// Whether the tool may read and write in `home`. It may never write elsewhere.
    pub writes: bool,
    /// The addresses that the tool may connect to, by the ports that they name.
    pub connects: Vec<Address>,
    /// What the tool may use up. Only a wrapped tool is bounded.
    pub resources: Resources,
    /// Whether the tool gets the lowest priority, so that it does not slow encodes down. Only a wrapped tool does.
    pub background: bool,
}

/// Environment variables that tools need to find libraries, drivers and certificates, and to choose a language.
const VARIABLES: &[&str] = &[
    "PATH",
    "LANG",
    "LANGUAGE",
    "TZ",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "DYLD_FALLBACK_LIBRARY_PATH",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "OCL_ICD_VENDORS",
    "ROCM_PATH",
    // Windows programs do not start without these.
    "SystemRoot",
    "windir",
    "SystemDrive",
    "PATHEXT",
    "NUMBER_OF_PROCESSORS",
    "PROCESSOR_ARCHITECTURE",
];

/// Prefixes of further variables that tools need.
const FAMILIES: &[&str] = &[
    "LC_", "LIBVA_", "VDPAU_", "CUDA_", "NVIDIA_", "NV_", "VK_", "MESA_", "ONEVPL_", "MFX_",
    "INTEL_", "AMD_", "RADV_",
];

impl Sandbox {
    /// The command that runs the tool confined. The caller adds the tool's arguments.
    pub fn command(&self, tool: &Path) -> Command {
        let mut command = self.wrapped(tool);
        command
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _)| is_needed(name)))
            // Shader caches and similar files are deleted together with the scratch folder.
            .env("HOME", &self.home)
            .env("TMPDIR", &self.home)
            .env("TEMP", &self.home)
            .env("TMP", &self.home)
            .env("AV_LOG_FORCE_NOCOLOR", "1")
            // SVT-AV1 ignores ffmpeg's log level and prints banners. Level 1 prints errors only.
            .env("SVT_LOG", "1")
            .current_dir(&self.home);
        command
    }

    fn wrapped(&self, tool: &Path) -> Command {
        let wrapper = self.wrapper.as_ref().filter(|_| self.is_supervised());
        let Some(wrapper) = wrapper else {
            return Command::new(tool);
        };
        let order = Order {
            parent: None,
            read: self.read.clone(),
            installed: wrapper.installed.clone(),
            write: self.writes.then(|| self.home.clone()),
            connects: self.ports(),
            own_network: wrapper.offered.own_network,
            resources: self.resources,
            background: self.background,
            starts_processes: !wrapper.installed.is_empty() || is_script(tool),
            required: wrapper.policy == Policy::Required,
            tool: tool.to_owned(),
            arguments: Vec::new(),
        };
        let mut command = Command::new(&wrapper.program);
        command.arg("sandbox").args(order.write());
        command
    }

    fn ports(&self) -> BTreeSet<u16> {
        self.connects.iter().map(Address::port).collect()
    }

    /// Whether the command starts a supervisor.
    pub(crate) fn is_supervised(&self) -> bool {
        cfg!(target_os = "linux") && self.wrapper.is_some()
    }
}

/// Whether a tool is a script, which works by starting other programs. ffmpeg itself starts none.
fn is_script(tool: &Path) -> bool {
    let mut start = [0; 2];
    let read = File::open(tool).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == *b"#!"
}

fn is_needed(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    VARIABLES
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
        || FAMILIES.iter().any(|family| name.starts_with(family))
}

/// The exit code of a wrapper that could not start the tool.
pub const FAILED: u8 = 125;

/// Runs `worker sandbox` with the arguments that follow it. Call this on the first thread, before any runtime starts.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    match wrap(&arguments) {
        Ok(code) => code,
        Err(error) => {
            common::say!("worker sandbox: {error}");
            ExitCode::from(FAILED)
        }
    }
}

#[cfg(target_os = "linux")]
fn wrap(arguments: &[OsString]) -> Result<ExitCode, Error> {
    if arguments == [level::TRY] {
        common::show!("{}", serde_json::to_string(&confine::offered()?)?);
        return Ok(ExitCode::SUCCESS);
    }
    match Order::read(arguments.iter().cloned()) {
        Some(order) if order.parent.is_some() => Err(confine::exec(order)),
        Some(order) => {
            let hands_over = order.own_network && !order.connects.is_empty();
            supervise::run(arguments, hands_over)
        }
        None => Err(Error::new(
            std::io::ErrorKind::InvalidInput,
            "`worker sandbox` is for the worker's own use",
        )),
    }
}

#[cfg(not(target_os = "linux"))]
fn wrap(_: &[OsString]) -> Result<ExitCode, Error> {
    Err(Error::new(
        std::io::ErrorKind::Unsupported,
        "only Linux has it",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_passed_on() {
        for name in [
            "AWS_SECRET_ACCESS_KEY",
            "NATS_URL",
            "STORE_URL",
            "HOME",
            "LD_PRELOAD",
            "http_proxy",
        ] {
            assert!(!is_needed(OsStr::new(name)), "{name}");
        }
        for name in [
            "PATH",
            "LIBVA_DRIVER_NAME",
            "CUDA_VISIBLE_DEVICES",
            "LC_ALL",
        ] {
            assert!(is_needed(OsStr::new(name)), "{name}");
        }
    }
}
