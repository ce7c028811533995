//! Landlock: the rules that the wrapper applies to itself before it becomes the tool.

use std::io::{Error, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, Scope, path_beneath_rules,
};

use super::Order;

/// Folders of programs, libraries, drivers and their settings. Of `/etc` and `/proc`, only the files that libraries
/// read.
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
    "/var/cache/fontconfig",
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

/// Prefixes of numbered devices.
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

/// What is added to the niceness of a tool in the background: more than the system has is as much as it has.
const LOWEST: i32 = 19;

pub(super) fn exec(order: Order) -> Error {
    match prepare(&order) {
        Ok(()) => Command::new(&order.tool).args(&order.arguments).exec(),
        Err(error) => error,
    }
}

fn prepare(order: &Order) -> Result<(), Error> {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};

    set_parent_process_death_signal(Some(Signal::KILL))?;
    // If the parent died before that call, its death sends no signal any more.
    let parent = getppid().map(|pid| pid.as_raw_nonzero().get());
    if order.parent.is_some() && parent != order.parent {
        return Err(Error::new(ErrorKind::BrokenPipe, "the supervisor is gone"));
    }
    if order.background {
        // A system that forbids it runs the tool as usual.
        let _ = rustix::process::nice(LOWEST);
    }
    let read = order.read.iter().map(|path| opened(path));
    let read = read.collect::<Result<Vec<_>, _>>()?;
    restrict(order, read).map_err(Error::other)
}

/// Opens a path that the tool may read. The worker has checked that the path holds no symbolic link. If there is one
/// now, it was put there since, and may lead elsewhere.
fn opened(path: &Path) -> Result<OwnedFd, Error> {
    use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, open, openat2};
    use rustix::io::Errno;

    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let exactly = openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS);
    let found = match exactly {
        // Linux before 5.6 does not have this call, and some containers forbid it.
        Err(Errno::NOSYS | Errno::PERM) => open(path, flags | OFlags::NOFOLLOW, Mode::empty()),
        found => found,
    };
    found.map_err(|error| Error::new(error.kind(), format!("{}: {error}", path.display())))
}

fn restrict(order: &Order, read: Vec<OwnedFd>) -> Result<(), RulesetError> {
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
    // Rules for missing paths are skipped, and so are rules that an older kernel does not support.
    ruleset
        .create()?
        .add_rules(path_beneath_rules(readable, AccessFs::from_read(NEWEST)))?
        .add_rules(read.into_iter().map(|file| {
            let access = AccessFs::ReadFile | AccessFs::ReadDir;
            Ok::<_, RulesetError>(match is_folder(&file) {
                true => PathBeneath::new(file, access),
                false => PathBeneath::new(file, access & AccessFs::from_file(NEWEST)),
            })
        }))?
        .add_rules(path_beneath_rules(
            devices(),
            AccessFs::ReadFile | AccessFs::ReadDir | AccessFs::WriteFile | AccessFs::IoctlDev,
        ))?
        .add_rules(path_beneath_rules(&order.write, everything))?
        .restrict_self()?;
    Ok(())
}

fn is_folder(file: &OwnedFd) -> bool {
    use rustix::fs::{FileType, fstat};
    fstat(file).is_ok_and(|found| FileType::from_raw_mode(found.st_mode) == FileType::Directory)
}

/// Folders in which the tool and the programs that it starts are installed: the tool's folder, the folder of the file
/// behind a symbolic link, the library folders next to it, and `PATH`.
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
