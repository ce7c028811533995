//! How ffmpeg is confined, so that a hostile file or recipe reads and writes
//! nothing but its own.
//!
//! Everywhere: an environment without secrets, and the scratch folder as home.
//! On Linux also Landlock. Its rules bind whoever applies them, so the worker's
//! own program runs first, applies them to itself, and becomes the tool:
//!
//! ```text
//! worker sandbox --parent PID [--read PATH]… --write FOLDER [--network] -- TOOL ARGUMENT…
//! ```

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use tokio::process::Command;

/// What a tool may touch.
#[derive(Clone, Debug)]
pub struct Sandbox {
    /// The worker's own program, which [`exec`] makes the tool's wrapper;
    /// `None` runs tools without Landlock.
    pub program: Option<PathBuf>,
    /// Files and folders that may be read, besides the tool's own and the system's.
    pub read: Vec<PathBuf>,
    /// The one folder that may be read and written: working folder, home and temporary folder alike.
    pub write: PathBuf,
    /// Whether it may connect to other hosts.
    pub network: bool,
}

/// Variables that tools need: how to find libraries, drivers and certificates, and in which language to speak.
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

/// The same by their beginnings.
const FAMILIES: &[&str] = &[
    "LC_", "LIBVA_", "VDPAU_", "CUDA_", "NVIDIA_", "NV_", "VK_", "MESA_", "ONEVPL_", "MFX_",
    "INTEL_", "AMD_", "RADV_",
];

impl Sandbox {
    /// The command that runs the tool confined; its arguments are to be added.
    pub fn command(&self, tool: &Path) -> Command {
        let mut command = self.wrapped(tool);
        command
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _)| is_needed(name)))
            // Shader caches and the like go with the scratch folder.
            .env("HOME", &self.write)
            .env("TMPDIR", &self.write)
            .env("TEMP", &self.write)
            .env("TMP", &self.write)
            .env("AV_LOG_FORCE_NOCOLOR", "1")
            // SVT-AV1 writes banners past ffmpeg's log level: errors only.
            .env("SVT_LOG", "1")
            .current_dir(&self.write);
        command
    }

    #[cfg(target_os = "linux")]
    fn wrapped(&self, tool: &Path) -> Command {
        let Some(program) = &self.program else {
            return Command::new(tool);
        };
        let mut command = Command::new(program);
        command
            .arg("sandbox")
            .arg("--parent")
            .arg(std::process::id().to_string());
        for path in &self.read {
            command.arg("--read").arg(path);
        }
        command.arg("--write").arg(&self.write);
        if self.network {
            command.arg("--network");
        }
        command.arg("--").arg(tool);
        command
    }

    #[cfg(not(target_os = "linux"))]
    fn wrapped(&self, tool: &Path) -> Command {
        Command::new(tool)
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

/// Exit code of a wrapper that could not become the tool.
pub const FAILED: u8 = 125;

/// What `worker sandbox` does: confines this process and becomes the tool.
/// To be called with the arguments after `sandbox`, by the first thread, before
/// any runtime starts: Landlock binds the calling thread and what it becomes.
/// Returns only what went wrong.
pub fn exec(arguments: impl IntoIterator<Item = OsString>) -> std::io::Error {
    match Order::read(arguments) {
        Some(order) => confine::exec(order),
        None => std::io::Error::new(
            std::io::ErrorKind::InvalidInput,
            "worker sandbox is for the worker's own use",
        ),
    }
}

/// What the wrapper is told on its command line.
#[derive(Debug, Default, PartialEq)]
struct Order {
    parent: Option<i32>,
    read: Vec<PathBuf>,
    write: PathBuf,
    network: bool,
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
                "--parent" => order.parent = arguments.next()?.to_str()?.parse().ok(),
                "--read" => order.read.push(arguments.next()?.into()),
                "--write" => order.write = arguments.next()?.into(),
                "--network" => order.network = true,
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
mod confine {
    use std::io::{Error, ErrorKind};
    use std::os::unix::process::CommandExt;
    use std::path::PathBuf;
    use std::process::Command;

    use landlock::{
        ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr,
        RulesetCreatedAttr, RulesetError, Scope, path_beneath_rules,
    };

    use super::Order;

    /// Where programs, libraries, drivers and their settings live. Of `/etc` and
    /// `/proc` only what libraries ask for.
    const READ: &[&str] = &[
        "/usr",
        "/bin",
        "/sbin",
        "/lib",
        "/lib32",
        "/lib64",
        "/opt",
        "/nix/store",
        "/gnu/store",
        "/snap",
        "/home/linuxbrew/.linuxbrew",
        "/run/opengl-driver",
        "/run/current-system",
        "/sys",
        "/etc/ld.so.cache",
        "/etc/ld.so.conf",
        "/etc/ld.so.conf.d",
        "/etc/ld.so.preload",
        "/etc/alternatives",
        "/etc/ssl",
        "/etc/pki",
        "/etc/ca-certificates",
        "/etc/crypto-policies",
        "/etc/gnutls",
        "/etc/fonts",
        "/etc/resolv.conf",
        "/etc/hosts",
        "/etc/host.conf",
        "/etc/nsswitch.conf",
        "/etc/gai.conf",
        "/etc/services",
        "/etc/localtime",
        "/etc/vulkan",
        "/etc/OpenCL",
        "/etc/glvnd",
        "/etc/libva.conf",
        "/etc/drirc",
        "/etc/nvidia",
        "/etc/igfx_user_feature.txt",
        "/etc/amd",
        "/proc/self",
        "/proc/cpuinfo",
        "/proc/meminfo",
        "/proc/stat",
        "/proc/filesystems",
        "/proc/devices",
        "/proc/modules",
        "/proc/sys",
        "/proc/driver",
    ];

    /// Devices that programs and drivers read, write and control.
    const DEVICES: &[&str] = &[
        "/dev/null",
        "/dev/zero",
        "/dev/full",
        "/dev/random",
        "/dev/urandom",
        "/dev/tty",
        "/dev/dri",
        "/dev/kfd",
        "/dev/mpp_service",
        "/dev/rga",
        "/dev/dma_heap",
        "/dev/ion",
        "/dev/vchiq",
        "/dev/video-dec0",
    ];

    /// Devices that come in numbers.
    const DEVICE_FAMILIES: &[&str] = &["nvidia", "video", "media", "mali"];

    const NEWEST: ABI = ABI::V6;

    pub(super) fn support() -> &'static str {
        let offers_files = required().handle_access(AccessFs::Execute).is_ok();
        let offers_network = required().handle_access(AccessNet::ConnectTcp).is_ok();
        match (offers_files, offers_network) {
            (true, true) => {
                "ffmpeg is confined by Landlock: it reads its input, writes its scratch folder, and no more"
            }
            (true, false) => {
                "ffmpeg is confined by Landlock in what it reads and writes, but not in what it connects to: that \
                 needs Linux 6.7"
            }
            (false, _) => {
                "ffmpeg runs without Landlock: this kernel does not offer it (Linux 5.13 does), so only process \
                 boundaries confine it"
            }
        }
    }

    fn required() -> Ruleset {
        Ruleset::default().set_compatibility(CompatLevel::HardRequirement)
    }

    pub(super) fn exec(order: Order) -> Error {
        match prepare(&order) {
            Ok(()) => Command::new(&order.tool).args(&order.arguments).exec(),
            Err(error) => error,
        }
    }

    fn prepare(order: &Order) -> Result<(), Error> {
        use rustix::process::{Signal, getppid, set_parent_process_death_signal};

        set_parent_process_death_signal(Some(Signal::KILL))?;
        // A parent that died before that will send no signal any more.
        let parent = getppid().map(|pid| pid.as_raw_nonzero().get());
        if order.parent.is_some() && parent != order.parent {
            return Err(Error::new(ErrorKind::BrokenPipe, "the worker is gone"));
        }
        restrict(order).map_err(Error::other)
    }

    fn restrict(order: &Order) -> Result<(), RulesetError> {
        let everything = AccessFs::from_all(NEWEST);
        let readable = READ.iter().map(PathBuf::from).chain(program_folders(order));
        let mut ruleset = Ruleset::default()
            .handle_access(everything)?
            .scope(Scope::Signal)?
            .scope(Scope::AbstractUnixSocket)?
            .handle_access(AccessNet::BindTcp)?;
        if !order.network {
            ruleset = ruleset.handle_access(AccessNet::ConnectTcp)?;
        }
        // Rules for what does not exist are left out, and so is what an older kernel cannot do.
        ruleset
            .create()?
            .add_rules(path_beneath_rules(readable, AccessFs::from_read(NEWEST)))?
            .add_rules(path_beneath_rules(
                &order.read,
                AccessFs::ReadFile | AccessFs::ReadDir,
            ))?
            .add_rules(path_beneath_rules(
                devices(),
                AccessFs::ReadFile | AccessFs::ReadDir | AccessFs::WriteFile | AccessFs::IoctlDev,
            ))?
            .add_rules(path_beneath_rules([&order.write], everything))?
            .restrict_self()?;
        Ok(())
    }

    /// Where the tool and what it starts are installed: its folder, that of the
    /// file behind a link, the libraries next to it, and `PATH`.
    fn program_folders(order: &Order) -> Vec<PathBuf> {
        let mut folders = Vec::new();
        for tool in [Some(order.tool.clone()), order.tool.canonicalize().ok()] {
            let Some(folder) = tool.as_deref().and_then(std::path::Path::parent) else {
                continue;
            };
            folders.push(folder.to_owned());
            if folder.ends_with("bin")
                && let Some(prefix) = folder.parent()
            {
                folders.extend(["lib", "lib64", "share"].map(|name| prefix.join(name)));
            }
        }
        for variable in ["PATH", "LD_LIBRARY_PATH"] {
            if let Some(list) = std::env::var_os(variable) {
                folders.extend(std::env::split_paths(&list).filter(|path| path.is_absolute()));
            }
        }
        folders
    }

    fn devices() -> Vec<PathBuf> {
        let numbered = std::fs::read_dir("/dev")
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                DEVICE_FAMILIES
                    .iter()
                    .any(|family| name.starts_with(family))
            });
        DEVICES.iter().map(PathBuf::from).chain(numbered).collect()
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
    fn secrets_stay_out() {
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
    fn the_wrapper_reads_what_the_worker_writes() {
        let text = [
            "--parent",
            "7",
            "--read",
            "--write",
            "--write",
            "/s",
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
                write: "/s".into(),
                network: false,
                tool: "/bin/ffmpeg".into(),
                arguments: vec!["--read".into(), "x".into()],
            }
        );
        assert!(Order::read(["--nonsense".into()]).is_none());
        assert!(Order::read([]).is_none());
    }
}
