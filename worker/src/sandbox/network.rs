//! A network of the tool's own, in which nothing can be reached but its input.
//!
//! In a new network namespace there is no other host, no other service of this machine, and no UDP. This process opens
//! the port there at which the tool asks for its input, and hands the listening socket over to the worker, which
//! serves it from outside. Where this machine forbids namespaces, the tool connects to the worker's own port, and
//! Landlock allows it that port only.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::AsFd;

use rustix::net::{
    AddressFamily, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags,
    SocketType, recv, send, sendmsg, socket_with,
};
use rustix::process::{getegid, geteuid};
use rustix::thread::UnshareFlags;

/// Moves this process to a network of its own, opens a port there, and hands its socket over to the worker by the
/// socket that is standard input.
///
/// # Errors
/// If this machine forbids it. Then this process may be in a network where nothing can be reached.
pub(super) fn enter(port: u16) -> io::Result<()> {
    enter_network()?;
    raise_loopback()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    hand_over(&listener)
}

/// Moves this process to a network of its own, to find out whether it may.
pub(super) fn is_offered() -> bool {
    let entered = enter_network().and_then(|()| raise_loopback());
    entered
        .and_then(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .is_ok()
}

fn enter_network() -> io::Result<()> {
    // Root needs no other namespace, and in one it would lose its access to the files of others.
    if geteuid().is_root() {
        return unshare(UnshareFlags::NEWNET);
    }
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    unshare(UnshareFlags::NEWUSER | UnshareFlags::NEWNET)?;
    // The same user and group as outside, so that the tool and its drivers find nothing changed.
    std::fs::write("/proc/self/setgroups", "deny")?;
    std::fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
    std::fs::write("/proc/self/gid_map", format!("{group} {group} 1"))
}

/// Moves this process to new namespaces.
// Its successor is unsafe for the sake of file descriptors, which are not unshared here.
#[expect(deprecated)]
fn unshare(what: UnshareFlags) -> io::Result<()> {
    Ok(rustix::thread::unshare(what)?)
}

/// Raises the loopback interface, which is the first one and down in a new network: a request to the kernel in the
/// form of `rtnetlink(7)`.
fn raise_loopback() -> io::Result<()> {
    const RTM_NEWLINK: u16 = 16;
    const NLM_F_REQUEST_ACK: u16 = 1 | 4;
    const LOOPBACK: i32 = 1;
    const IFF_UP: u32 = 1;
    const LENGTH: u32 = 32;

    let mut request = Vec::new();
    // The header: length, type, flags, number, sender.
    request.extend(LENGTH.to_ne_bytes());
    request.extend(RTM_NEWLINK.to_ne_bytes());
    request.extend(NLM_F_REQUEST_ACK.to_ne_bytes());
    request.extend([0; 8]);
    // The interface: family and type, its number, its flags, and the flags that change.
    request.extend([0; 4]);
    request.extend(LOOPBACK.to_ne_bytes());
    request.extend(IFF_UP.to_ne_bytes());
    request.extend(IFF_UP.to_ne_bytes());

    let socket = socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        None,
    )?;
    send(&socket, &request, SendFlags::empty())?;
    let mut answer = [0; 256];
    let (length, _) = recv(&socket, &mut answer, RecvFlags::empty())?;
    // Behind a header of the same form: the number of an error, negative, or 0.
    let number = answer[..length]
        .get(16..20)
        .and_then(|number| number.try_into().ok());
    match number.map(i32::from_ne_bytes) {
        Some(0) => Ok(()),
        Some(number) => Err(io::Error::from_raw_os_error(-number)),
        None => Err(io::ErrorKind::InvalidData.into()),
    }
}

fn hand_over(listener: &TcpListener) -> io::Result<()> {
    let sockets = [listener.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&sockets));
    // A message needs a byte to go with.
    let byte = [IoSlice::new(b"l")];
    sendmsg(io::stdin(), &byte, &mut control, SendFlags::empty())?;
    Ok(())
}
