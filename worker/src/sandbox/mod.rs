//! Confines ffmpeg, so that a hostile file or recipe can read and write only its own files.
//!
//! On every system the tool gets an environment without secrets, and the scratch folder as its home. Linux adds
//! Landlock and a supervisor. A process can apply Landlock's rules only to itself. The worker's own program is
//! therefore started first, confines itself, and then becomes the tool by `exec`. The [supervisor](supervise) is
//! another process of the same program, not confined. When the tool has ended, or must be killed, the supervisor
//! kills every process that the tool started, even in other process groups and sessions:
//!
//! ```text
//! worker sandbox               ORDER    the supervisor; starts
//!   worker sandbox --child PID ORDER    the process that becomes the tool; it dies with PID
//!
//! ORDER: [--read PATH]… [--write FOLDER] [--network] [--background] -- TOOL ARGUMENT…
//! ```

pub mod child;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tokio::process::Command;

/// The files and network that a tool may use.
#[derive(Clone, Debug)]
pub struct Sandbox {
    /// The worker's own program, which wraps the tool by [`run`]. `None` runs tools without Landlock.
    pub program: Option<PathBuf>,
    /// Files and folders that the tool may read, besides its own installation and the system's libraries.
    pub read: Vec<PathBuf>,
    /// The tool's working folder, home and temporary folder.
    pub home: PathBuf,
    /// Whether the tool may read and write in `home`. It may never write elsewhere.
    pub writes: bool,
    /// Whether the tool may connect to other hosts.
    pub network: bool,
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
    "XDG_RUNTIME_DIR",
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

    #[cfg(target_os = "linux")]
    fn wrapped(&self, tool: &Path) -> Command {
        let Some(program) = &self.program else {
            return Command::new(tool);
        };
        let mut command = Command::new(program);
        command.arg("sandbox");
        for path in &self.read {
            command.arg("--read").arg(path);
        }
        if self.writes {
            command.arg("--write").arg(&self.home);
        }
        if self.network {
            command.arg("--network");
        }
        if self.background {
            command.arg("--background");
        }
        command.arg("--").arg(tool);
        command
    }

    #[cfg(not(target_os = "linux"))]
    fn wrapped(&self, tool: &Path) -> Command {
        Command::new(tool)
    }

    /// Whether the command starts a supervisor.
    pub(crate) fn is_supervised(&self) -> bool {
        cfg!(target_os = "linux") && self.program.is_some()
    }
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

/// How well this machine can confine ffmpeg, in words for the log.
pub fn support() -> &'static str {
    confine::support()
}

/// The exit code of a wrapper that could not start the tool.
pub const FAILED: u8 = 125;

/// Runs `worker sandbox` with the arguments that follow it. Call this on the first thread, before any runtime starts.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let error = match Order::read(arguments.iter().cloned()) {
        Some(order) if order.parent.is_some() => confine::exec(order),
        Some(_) => match supervise::run(&arguments) {
            Ok(code) => return code,
            Err(error) => error,
        },
        None => std::io::Error::new(
            std::io::ErrorKind::InvalidInput,
            "`worker sandbox` is for the worker's own use",
        ),
    };
    eprintln!("worker sandbox: {error}");
    ExitCode::from(FAILED)
}

/// The wrapper's command line.
#[derive(Debug, Default, PartialEq)]
struct Order {
    /// The supervisor's process id, for the process that becomes the tool. `None` for the supervisor itself.
    parent: Option<i32>,
    read: Vec<PathBuf>,
    write: Option<PathBuf>,
    network: bool,
    background: bool,
    tool: PathBuf,
    arguments: Vec<OsString>,
}

impl Order {
    fn read(arguments: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let mut arguments = arguments.into_iter();
        let mut order = Self::default();
        loop {
            let argument = arguments.next()?;
            match argument.to_str()? {
                "--child" => order.parent = Some(arguments.next()?.to_str()?.parse().ok()?),
                "--read" => order.read.push(arguments.next()?.into()),
                "--write" => order.write = Some(arguments.next()?.into()),
                "--network" => order.network = true,
                "--background" => order.background = true,
                "--" => break,
                _ => return None,
            }
        }
        order.tool = arguments.next()?.into();
        order.arguments = arguments.collect();
        Some(order)
    }
}

#[cfg(target_os = "linux")]
mod confine;
#[cfg(target_os = "linux")]
mod supervise;

#[cfg(not(target_os = "linux"))]
mod supervise {
    use std::ffi::OsString;
    use std::io::{Error, ErrorKind};
    use std::process::ExitCode;

    pub(super) fn run(_: &[OsString]) -> Result<ExitCode, Error> {
        Err(Error::new(ErrorKind::Unsupported, "only Linux has it"))
    }
}

#[cfg(not(target_os = "linux"))]
mod confine {
    use std::io::{Error, ErrorKind};

    use super::Order;

    pub(super) fn support() -> &'static str {
        "ffmpeg runs without Landlock, which only Linux has: only process boundaries confine it"
    }

    pub(super) fn exec(_: Order) -> Error {
        Error::new(ErrorKind::Unsupported, "only Linux has Landlock")
    }
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

    #[test]
    fn the_wrapper_parses_the_command_line_of_the_worker() {
        let text = [
            "--child",
            "7",
            "--read",
            "--write",
            "--write",
            "/s",
            "--background",
            "--",
            "/bin/ffmpeg",
            "--read",
            "x",
        ];
        let order = Order::read(text.map(OsString::from)).expect("an order");
        assert_eq!(
            order,
            Order {
                parent: Some(7),
                read: vec!["--write".into()],
                write: Some("/s".into()),
                network: false,
                background: true,
                tool: "/bin/ffmpeg".into(),
                arguments: vec!["--read".into(), "x".into()],
            }
        );
        assert!(Order::read(["--nonsense".into()]).is_none());
        assert!(Order::read([]).is_none());
    }
}
