//! How long a network has to wait after wrong passwords: pure.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::network::Network;

/// Wrong passwords after which the next one is checked at once: people mistype.
const FREE: u32 = 3;
/// The first wait. Each further wrong password doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait: people behind the same address as a stranger share it.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// A network that gave no wrong password for this long is new again.
const FORGOTTEN: Duration = Duration::from_secs(3600);
/// Passwords of one network that are checked at the same time.
const AT_ONCE: u32 = 2;
/// Passwords of a waiting network that are compared with those that were right before, in one wait.
const COMPARED: u32 = 600;
/// The most networks that are kept in mind.
const MOST: usize = 10_000;

/// What is known of networks that gave wrong passwords or have one checked now.
#[derive(Default)]
pub(super) struct Strangers {
    known: HashMap<Network, Stranger>,
}

struct Stranger {
    wrong: u32,
    /// Passwords that are checked now.
    checking: u32,
    /// When the next password is checked.
    until: Instant,
    /// Passwords that came during this wait.
    early: u32,
    last: Instant,
}

impl Strangers {
    /// Begins a check of a password of this network, which [`Strangers::concluded`] ends; or says how long it has to
    /// wait.
    pub(super) fn admit(&mut self, network: Network, now: Instant) -> Result<(), Duration> {
        let stranger = self.get(network, now);
        if stranger.until > now {
            return Err(stranger.until - now);
        }
        if stranger.checking >= AT_ONCE {
            return Err(FIRST_WAIT);
        }
        stranger.checking += 1;
        Ok(())
    }

    /// Ends a check. `is_right` is `None` if the password was not checked after all. Gives the number of wrong passwords
    /// of this network.
    pub(super) fn concluded(
        &mut self,
        network: Network,
        is_right: Option<bool>,
        now: Instant,
    ) -> u32 {
        let stranger = self.get(network, now);
        stranger.checking = stranger.checking.saturating_sub(1);
        match is_right {
            None => {}
            Some(true) => stranger.wrong = 0,
            Some(false) => {
                stranger.wrong = stranger.wrong.saturating_add(1);
                stranger.early = 0;
                stranger.until = now + wait(stranger.wrong);
            }
        }
        stranger.wrong
    }

    /// Whether a password may be compared with those that were right before. It may even while the network has to
    /// wait, so that nobody who knows a password is locked out by a stranger behind the same address; but not so often
    /// that the wait could be used for guessing.
    pub(super) fn may_compare(&mut self, network: Network, now: Instant) -> bool {
        let Some(stranger) = self.known.get_mut(&network) else {
            return true;
        };
        if stranger.until <= now {
            return true;
        }
        stranger.early = stranger.early.saturating_add(1);
        stranger.early <= COMPARED
    }

    fn get(&mut self, network: Network, now: Instant) -> &mut Stranger {
        if !self.known.contains_key(&network) && self.known.len() >= MOST {
            self.forget(now);
        }
        let stranger = self.known.entry(network).or_insert(Stranger {
            wrong: 0,
            checking: 0,
            until: now,
            early: 0,
            last: now,
        });
        if now.saturating_duration_since(stranger.last) > FORGOTTEN {
            stranger.wrong = 0;
        }
        stranger.last = now;
        stranger
    }

    /// Makes room: for those long gone, or else for the older half.
    fn forget(&mut self, now: Instant) {
        let age = |stranger: &Stranger| now.saturating_duration_since(stranger.last);
        self.known
            .retain(|_, stranger| stranger.checking > 0 || age(stranger) <= FORGOTTEN);
        if self.known.len() < MOST {
            return;
        }
        let mut ages: Vec<Duration> = self.known.values().map(age).collect();
        let (_, middle, _) = ages.select_nth_unstable(MOST / 2);
        let middle = *middle;
        self.known
            .retain(|_, stranger| stranger.checking > 0 || age(stranger) < middle);
    }
}

/// The wait after this number of wrong passwords.
fn wait(wrong: u32) -> Duration {
    match wrong.checked_sub(FREE) {
        None | Some(0) => Duration::ZERO,
        Some(more) => FIRST_WAIT
            .saturating_mul(1 << (more - 1).min(16))
            .min(LONGEST_WAIT),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn network(number: u32) -> Network {
        IpAddr::from(Ipv4Addr::from(number)).into()
    }

    /// Gives a password, and says how long the network has to wait for the next one.
    fn guess(strangers: &mut Strangers, from: Network, is_right: bool, now: Instant) -> Duration {
        strangers.admit(from, now).expect("its turn");
        strangers.concluded(from, Some(is_right), now);
        match strangers.admit(from, now) {
            Ok(()) => {
                strangers.concluded(from, None, now);
                Duration::ZERO
            }
            Err(wait) => wait,
        }
    }

    #[test]
    fn each_wrong_password_costs_more_until_a_right_one() {
        let mut strangers = Strangers::default();
        let mut now = Instant::now();
        let waits: Vec<u64> = std::iter::repeat_with(|| {
            let wait = guess(&mut strangers, network(1), false, now);
            now += wait;
            wait.as_secs()
        })
        .take(12)
        .collect();
        assert_eq!(waits, [0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(
            guess(&mut strangers, network(2), false, now),
            Duration::ZERO
        );
        assert_eq!(guess(&mut strangers, network(1), true, now), Duration::ZERO);
        assert_eq!(
            guess(&mut strangers, network(1), false, now),
            Duration::ZERO
        );
        for _ in 0..4 {
            guess(&mut strangers, network(2), false, now);
            now += LONGEST_WAIT;
        }
        now += FORGOTTEN;
        assert_eq!(
            guess(&mut strangers, network(2), false, now),
            Duration::ZERO
        );
    }

    #[test]
    fn one_network_has_two_passwords_checked_at_a_time() {
        let mut strangers = Strangers::default();
        let now = Instant::now();
        for _ in 0..AT_ONCE {
            strangers.admit(network(1), now).expect("its turn");
        }
        strangers.admit(network(1), now).expect_err("too many");
        strangers.admit(network(2), now).expect("its turn");
        strangers.concluded(network(1), None, now);
        strangers.admit(network(1), now).expect("its turn");
    }

    #[test]
    fn a_wait_cannot_be_used_for_guessing() {
        let mut strangers = Strangers::default();
        let now = Instant::now();
        for _ in 0..=FREE {
            assert!(strangers.may_compare(network(1), now));
            guess(&mut strangers, network(1), false, now);
        }
        let compared = (0..10_000).filter(|_| strangers.may_compare(network(1), now));
        assert_eq!(compared.count(), COMPARED as usize);
        assert!(strangers.may_compare(network(1), now + FIRST_WAIT));
        assert!(strangers.may_compare(network(2), now));
    }

    #[test]
    fn not_more_networks_are_kept_than_there_is_room_for() {
        let mut strangers = Strangers::default();
        let start = Instant::now();
        for number in 0..3 * MOST as u32 {
            let now = start + Duration::from_millis(number.into());
            guess(&mut strangers, network(number), false, now);
            assert!(strangers.known.len() <= MOST);
        }
        let last = network(3 * MOST as u32 - 1);
        assert!(strangers.known.contains_key(&last));
    }
}
