//! Ports for servers that have to be told their ports.

use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Below the ports that systems give to outgoing connections: those would take a port between the choice and the start
/// of its server.
const FIRST: u16 = 12_000;
const COUNT: u16 = 20_000;

/// Ports that are free now. This process gives no port again before it has tried all others. Each process begins at a
/// random port, so that two of them hardly meet.
pub fn free_ports(count: usize) -> Vec<u16> {
    // Wide enough never to wrap around: the ports would begin anew in the middle.
    static NEXT: LazyLock<AtomicU64> = LazyLock::new(|| {
        let random = RandomState::new().hash_one(std::process::id());
        AtomicU64::new(random % u64::from(COUNT))
    });
    let next = || NEXT.fetch_add(1, Ordering::Relaxed) % u64::from(COUNT);
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    std::iter::repeat_with(|| FIRST + next() as u16)
        .take(usize::from(COUNT))
        .filter(is_free)
        .take(count)
        .collect()
}
