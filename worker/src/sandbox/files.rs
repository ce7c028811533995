//! Landlock: the files, devices and connections that a tool may use.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use common::farm::confinement::Confinement;
use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, NetPort, PathBeneath, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetError, Scope, path_beneath_rules,
};

use super::order::Order;
use super::tool_files;

/// Folders of the system's programs, libraries and drivers, and files that these read.
const READ: &[&str] = &[
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/nix/store",
    "/gnu/store",
    "/snap",
    "/home/linuxbrew/.linuxbrew",
    "/run/opengl-driver",
    "/run/current-system",
    // Drivers of makers.
    "/opt/amdgpu",
    "/opt/intel",
    "/opt/rocm",
    "/opt/vc",
    "/sys/bus",
    "/sys/class",
    "/sys/dev",
    "/sys/devices",
    "/sys/module",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/ld.so.preload",
    "/etc/alternatives",
    "/etc/fonts",
    "/var/cache/fontconfig",
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

/// Which of its rules this kernel has: those for files and those for TCP.
pub(super) fn offered() -> Confinement {
    let required = || Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    Confinement {
        files: required().handle_access(AccessFs::Execute).is_ok(),
        network: required().handle_access(AccessNet::ConnectTcp).is_ok(),
        ..Confinement::default()
    }
}

/// Applies the rules of an order to this process, and to whatever it becomes or starts. Rules for missing paths are
/// skipped, and so are rules that an older kernel does not support.
///
/// # Errors
/// If a path that the tool is to read cannot be opened, or is a symbolic link by now.
pub(super) fn restrict(order: &Order) -> io::Result<()> {
    let read = order.read.iter().map(|path| opened(path));
    let read = read.collect::<io::Result<Vec<_>>>()?;
    apply(order, read).map_err(io::Error::other)
}

fn apply(order: &Order, read: Vec<OwnedFd>) -> Result<(), RulesetError> {
    let everything = AccessFs::from_all(NEWEST);
    let ruleset = Ruleset::default()
        .handle_access(everything)?
        .scope(Scope::Signal)?
        .scope(Scope::AbstractUnixSocket)?
        .handle_access(AccessNet::BindTcp | AccessNet::ConnectTcp)?;
    let ports = order.connects.iter();
    let ports = ports.map(|port| Ok::<_, RulesetError>(NetPort::new(*port, AccessNet::ConnectTcp)));
    let installed = READ.iter().map(PathBuf::from).chain(installation(order));
    ruleset
        .create()?
        .add_rules(path_beneath_rules(installed, AccessFs::from_read(NEWEST)))?
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
        .add_rules(ports)?
        .restrict_self()?;
    Ok(())
}

/// Opens a path that the tool may read. The worker has checked that the path holds no symbolic link. If there is one
/// now, it was put there since, and may lead elsewhere.
fn opened(path: &Path) -> io::Result<OwnedFd> {
    use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, open, openat2};
    use rustix::io::Errno;

    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let exactly = openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS);
    let found = match exactly {
        // Linux before 5.6 does not have this call, and some containers forbid it.
        Err(Errno::NOSYS | Errno::PERM) => open(path, flags | OFlags::NOFOLLOW, Mode::empty()),
        found => found,
    };
    found.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

fn is_folder(file: &OwnedFd) -> bool {
    use rustix::fs::{FileType, fstat};
    fstat(file).is_ok_and(|found| FileType::from_raw_mode(found.st_mode) == FileType::Directory)
}

/// What the tool needs besides the system's folders: its own files, those that the worker's settings name, and folders
/// of libraries that it may load later.
fn installation(order: &Order) -> Vec<PathBuf> {
    let is_own = |file: &PathBuf| !READ.iter().any(|folder| file.starts_with(folder));
    let (folders, files): (Vec<&PathBuf>, Vec<&PathBuf>) =
        order.installed.iter().partition(|path| path.is_dir());
    let own = files
        .into_iter()
        .chain([&order.tool])
        .filter(|file| is_own(file));
    let own = own.flat_map(|file| tool_files::of(file)).filter(is_own);
    let listed = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let libraries = std::env::split_paths(&listed).filter(|folder| is_installed(folder));
    own.chain(folders.into_iter().cloned())
        .chain(libraries)
        .collect()
}

/// Whether a folder is only for programs: an absolute path that is no link, that only root or this user writes, and
/// that holds no home folder.
fn is_installed(folder: &Path) -> bool {
    let Ok(found) = folder.symlink_metadata() else {
        return false;
    };
    let is_home = std::env::home_dir().is_some_and(|home| home.starts_with(folder));
    let owners = [0, rustix::process::geteuid().as_raw()];
    folder.is_absolute()
        && found.is_dir()
        && !is_home
        && owners.contains(&found.uid())
        && found.mode() & 0o022 == 0
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
