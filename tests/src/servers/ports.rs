//! Ports for servers that must know their ports before they start.

use std::net::{Ipv4Addr, TcpListener};

/// Free ports. All are held until the last is found, so they differ.
pub(crate) fn free_ports(count: usize) -> Vec<u16> {
    let held: Vec<TcpListener> = (0..count)
        .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port"))
        .collect();
    held.iter()
        .map(|socket| socket.local_addr().expect("bound").port())
        .collect()
}
