//! seccomp: the system calls that a tool may not make.
//!
//! Landlock confines what is opened by a path, and what is connected to over TCP. This filter closes the ways around
//! it: other sockets, reaching or starting other processes, namespaces, mounts, keys, file metadata, and interfaces of the kernel that do
//! work without further system calls. A transcoder and the drivers of encoders need none of them. A refused call
//! fails with `EPERM` and ends nothing, so that a library that only tries goes on without it.

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};

/// Calls that are refused whatever their arguments are.
const REFUSED: &[c_long] = &[
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_process_mrelease,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_kcmp,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    // Namespaces and mounts.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    OPEN_TREE_ATTR,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    // The metadata of files, which Landlock does not guard.
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchmodat2,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    SETXATTRAT,
    REMOVEXATTRAT,
    FILE_SETATTR,
    libc::SYS_utimensat,
    libc::SYS_truncate,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    // Memory, queues and keys that processes share by number or name.
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_msgget,
    libc::SYS_msgsnd,
    libc::SYS_msgrcv,
    libc::SYS_msgctl,
    libc::SYS_semget,
    libc::SYS_semctl,
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // Interfaces that do work past this filter, or that attacks on the kernel use.
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_fanotify_init,
    libc::SYS_fanotify_mark,
    libc::SYS_personality,
    // The machine.
    libc::SYS_acct,
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_settimeofday,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_syslog,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_reboot,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    // Servers.
    libc::SYS_bind,
    libc::SYS_listen,
];

/// Further calls of this processor.
#[cfg(target_arch = "x86_64")]
const REFUSED_HERE: &[c_long] = &[
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_utime,
    libc::SYS_utimes,
    libc::SYS_futimesat,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
    libc::SYS_uselib,
    libc::SYS__sysctl,
    // The numbers that some calls have in the x32 variant of this processor only.
    X32 | 521, // ptrace
    X32 | 528, // kexec_load
    X32 | 539, // process_vm_readv
    X32 | 540, // process_vm_writev
];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_HERE: &[c_long] = &[];

/// Calls that the tool believes this kernel does not have, so that its C library uses older ones, whose arguments a
/// filter can read.
const UNKNOWN: &[c_long] = &[libc::SYS_clone3, libc::SYS_openat2];

/// Calls that nobody has reviewed, because kernels have got them since, or will get them: the tool believes that this
/// kernel does not have them. They have the same numbers on all processors. From 512 on, the x32 variant has numbers
/// of its own, which no new calls get.
const UNREVIEWED: std::ops::Range<c_long> = 470..512;

// Calls that the C library's names do not have yet.
const SETXATTRAT: c_long = 463;
const REMOVEXATTRAT: c_long = 466;
const OPEN_TREE_ATTR: c_long = 467;
const FILE_SETATTR: c_long = 469;

/// The bit in the number of a call of the x32 variant, which some kernels offer beside the usual one.
#[cfg(target_arch = "x86_64")]
const X32: c_long = 0x4000_0000;

const NAMESPACES: &[i32] = &[
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWUTS,
];

/// Requests to a terminal that act as if a person had pressed keys. The type of these numbers differs between C
/// libraries.
const TIOCSTI: u64 = 0x5412;
const TIOCLINUX: u64 = 0x541c;

/// The bits of a socket's type that are no flags.
const SOCKET_TYPE: i32 = 0xf;

/// The filters of a tool, ready to be applied.
pub(super) struct Filters([BpfProgram; 2]);

impl Filters {
    /// `connects` says whether the tool may make sockets for TCP. It gets no other sockets, except connected pairs.
    /// `starts_processes` says whether the tool may start other processes, besides its threads.
    ///
    /// # Errors
    /// If there is no filter for this processor.
    pub(super) fn new(
        connects: bool,
        starts_processes: bool,
    ) -> Result<Self, seccompiler::BackendError> {
        let processor = TargetArch::try_from(std::env::consts::ARCH)?;
        let program = |rules, errno: i32| {
            let refuse = SeccompAction::Errno(errno.unsigned_abs());
            SeccompFilter::new(rules, SeccompAction::Allow, refuse, processor)?.try_into()
        };
        let unknown = UNKNOWN.iter().copied().chain(UNREVIEWED);
        let unknown = unknown.map(|call| (call, Vec::new()));
        Ok(Self([
            program(also_x32(refused(connects, starts_processes)?), libc::EPERM)?,
            program(also_x32(unknown.collect()), libc::ENOSYS)?,
        ]))
    }

    /// Applies the filters to this process and to whatever it becomes or starts.
    ///
    /// # Errors
    /// If the kernel offers no filters.
    pub(super) fn apply(&self) -> Result<(), seccompiler::Error> {
        self.0.iter().try_for_each(|program| apply_filter(program))
    }
}

/// The refused calls by number, each with the arguments that are refused; without any, every call of it is.
type Rules = BTreeMap<c_long, Vec<SeccompRule>>;

fn refused(connects: bool, starts_processes: bool) -> Result<Rules, seccompiler::BackendError> {
    let always = REFUSED.iter().chain(REFUSED_HERE);
    let mut rules: Rules = always.map(|call| (*call, Vec::new())).collect();

    let mut clone = Vec::new();
    for flag in NAMESPACES {
        clone.push(rule([bits(0, *flag, *flag)?])?);
    }
    if !starts_processes {
        clone.push(rule([bits(0, libc::CLONE_THREAD, 0)?])?);
        #[cfg(target_arch = "x86_64")]
        rules.extend([libc::SYS_fork, libc::SYS_vfork].map(|call| (call, Vec::new())));
    }
    rules.insert(libc::SYS_clone, clone);

    let sockets = match connects {
        false => Vec::new(),
        true => {
            let other = [not(0, libc::AF_INET)?, not(0, libc::AF_INET6)?];
            let other_protocol = [not(2, 0)?, not(2, libc::IPPROTO_TCP)?];
            let mut sockets = vec![rule(other)?, rule(other_protocol)?];
            sockets.extend(types_besides(&[libc::SOCK_STREAM])?);
            sockets
        }
    };
    rules.insert(libc::SYS_socket, sockets);
    // A pair of datagram sockets could be connected anew, to any socket that has a path.
    let mut pairs = vec![rule([not(0, libc::AF_UNIX)?])?];
    pairs.extend(types_besides(&[libc::SOCK_STREAM, libc::SOCK_SEQPACKET])?);
    rules.insert(libc::SYS_socketpair, pairs);

    // Before Linux 6.2, Landlock does not see that a file that is opened to be read is emptied.
    let emptied = |argument| {
        rule([bits(
            argument,
            libc::O_ACCMODE | libc::O_TRUNC,
            libc::O_TRUNC,
        )?])
    };
    rules.insert(libc::SYS_openat, vec![emptied(2)?]);
    #[cfg(target_arch = "x86_64")]
    rules.insert(libc::SYS_open, vec![emptied(1)?]);

    let devices = |argument| -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
        let kind = libc::S_IFMT.cast_signed();
        let device = |of: u32| rule([bits(argument, kind, of.cast_signed())?]);
        Ok(vec![device(libc::S_IFCHR)?, device(libc::S_IFBLK)?])
    };
    rules.insert(libc::SYS_mknodat, devices(2)?);
    #[cfg(target_arch = "x86_64")]
    rules.insert(libc::SYS_mknod, devices(1)?);

    // Keys pressed on a terminal by a program.
    let requests = [TIOCSTI, TIOCLINUX].map(|request| rule([is(1, request)?]));
    rules.insert(
        libc::SYS_ioctl,
        requests.into_iter().collect::<Result<_, _>>()?,
    );

    // The limits of other processes.
    let others = SeccompCmpOp::Ne;
    let others = [
        condition(0, SeccompCmpArgLen::Dword, others.clone(), 0)?,
        condition(2, SeccompCmpArgLen::Qword, others, 0)?,
    ];
    rules.insert(libc::SYS_prlimit64, vec![rule(others)?]);
    Ok(rules)
}

#[cfg(target_arch = "x86_64")]
fn also_x32(mut rules: Rules) -> Rules {
    let more: Vec<_> = rules
        .iter()
        .map(|(call, refused)| (call | X32, refused.clone()))
        .collect();
    rules.extend(more);
    rules
}

#[cfg(not(target_arch = "x86_64"))]
fn also_x32(rules: Rules) -> Rules {
    rules
}

/// Refuses every type of socket besides these; the type is the second argument.
fn types_besides(allowed: &[i32]) -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    let types = (0..=SOCKET_TYPE).filter(|of| !allowed.contains(of));
    types.map(|of| rule([bits(1, SOCKET_TYPE, of)?])).collect()
}

fn rule<const N: usize>(
    conditions: [SeccompCondition; N],
) -> Result<SeccompRule, seccompiler::BackendError> {
    SeccompRule::new(conditions.into())
}

fn condition(
    argument: u8,
    length: SeccompCmpArgLen,
    operator: SeccompCmpOp,
    value: u64,
) -> Result<SeccompCondition, seccompiler::BackendError> {
    SeccompCondition::new(argument, length, operator, value)
}

fn is(argument: u8, value: u64) -> Result<SeccompCondition, seccompiler::BackendError> {
    condition(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)
}

fn not(argument: u8, value: i32) -> Result<SeccompCondition, seccompiler::BackendError> {
    let value = u64::from(value.unsigned_abs());
    condition(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, value)
}

/// Whether the bits of a mask have this value.
fn bits(
    argument: u8,
    mask: i32,
    value: i32,
) -> Result<SeccompCondition, seccompiler::BackendError> {
    let [mask, value] = [mask, value].map(|bits| u64::from(bits.cast_unsigned()));
    let operator = SeccompCmpOp::MaskedEq(mask);
    condition(argument, SeccompCmpArgLen::Dword, operator, value)
}
