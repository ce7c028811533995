//! Whose connection it is. Addresses of inputs are in the process list, where every user of this machine can read them.

use std::net::SocketAddr;

/// Whether the process at the other end of a connection belongs to the user of this worker. `own` and `peer` are the
/// two ends, on the loopback interface of this machine.
#[cfg(target_os = "linux")]
pub(super) fn is_own(own: SocketAddr, peer: SocketAddr) -> bool {
    // The system's table of connections, which lists the peer's end as well.
    let table = std::fs::read_to_string("/proc/self/net/tcp").unwrap_or_default();
    owner(&table, peer, own) == Some(rustix::process::geteuid().as_raw())
}

/// Other systems have no such table: the address alone protects an input there.
#[cfg(not(target_os = "linux"))]
pub(super) fn is_own(_: SocketAddr, _: SocketAddr) -> bool {
    true
}

/// The user to whom the end `local` of a connection belongs, in a table in the form of `/proc/net/tcp`.
#[cfg(target_os = "linux")]
fn owner(table: &str, local: SocketAddr, remote: SocketAddr) -> Option<u32> {
    let [local, remote] = [local, remote].map(|end| match end {
        SocketAddr::V4(end) => {
            let address = u32::from_ne_bytes(end.ip().octets());
            format!("{address:08X}:{:04X}", end.port())
        }
        SocketAddr::V6(_) => String::new(),
    });
    // The columns are: number, local, remote, state, queues, timer, retransmissions, user.
    let mut rows = table.lines().map(|row| row.split_whitespace());
    rows.find_map(|mut row| {
        let is_this = row.nth(1)? == local && row.next()? == remote;
        is_this.then(|| row.nth(4)?.parse().ok())?
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_connection_of_this_user_is_known() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let own = listener.local_addr().expect("an address");
        let client = TcpStream::connect(own).expect("accepted");
        let peer = client.local_addr().expect("an address");
        assert!(is_own(own, peer));
        let nobody = SocketAddr::from(([127, 0, 0, 1], 1));
        assert!(!is_own(own, nobody));
    }

    #[test]
    fn the_owner_of_the_peers_end_counts() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            0: 0100007F:0FB5 0100007F:C000 01 00000000:00000000 00:00000000 00000000     0        0 1 1 0 1\n\
            1: 0100007F:C000 0100007F:0FB5 01 00000000:00000000 00:00000000 00000000  1001        0 2 1 0 1\n";
        let end = |port| SocketAddr::from(([127, 0, 0, 1], port));
        assert_eq!(owner(table, end(0xC000), end(0x0FB5)), Some(1001));
        assert_eq!(owner(table, end(0xC001), end(0x0FB5)), None);
    }
}
