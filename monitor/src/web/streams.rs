//! The open streams of events: their number is bounded, in all and for each holder.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::access::caller::{Caller, Holder};
use crate::web::refusal::Refusal;

/// The most streams: less than there may be connections, so that other requests are answered.
const MOST: usize = 400;
/// The most streams of one session, program or address.
const MOST_OF_ONE: usize = 64;
/// When to try again.
const LATER: Duration = Duration::from_secs(10);

/// The open streams.
#[derive(Clone, Default)]
pub(crate) struct Streams {
    open: Arc<Mutex<HashMap<Holder, usize>>>,
}

/// One open stream, until dropped.
pub(crate) struct OpenStream {
    streams: Streams,
    holder: Holder,
}

impl Streams {
    /// Counts one more stream of this caller.
    ///
    /// # Errors
    /// If there are too many.
    pub(crate) fn open(&self, caller: &Caller) -> Result<OpenStream, Refusal> {
        let mut open = self.lock();
        if open.values().sum::<usize>() >= MOST {
            return Err(Refusal::too_much(
                "too many pages are open, of all people together: close some",
                LATER,
            ));
        }
        let own = open.entry(caller.holder.clone()).or_default();
        if *own >= MOST_OF_ONE {
            return Err(Refusal::too_much(
                "you have too many pages open: close some",
                LATER,
            ));
        }
        *own += 1;
        Ok(OpenStream {
            streams: self.clone(),
            holder: caller.holder.clone(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Holder, usize>> {
        // No code panics while it holds this lock.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut open = self.streams.lock();
        if let Some(own) = open.get_mut(&self.holder) {
            *own -= 1;
            if *own == 0 {
                open.remove(&self.holder);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::access::Role;

    fn caller(number: u32) -> Caller {
        Caller {
            role: Role::Reader,
            holder: Holder::Anyone(IpAddr::from(Ipv4Addr::from(number)).into()),
        }
    }

    #[test]
    fn nobody_has_more_streams_than_allowed_and_all_have_not_either() {
        let streams = Streams::default();
        let mut open: Vec<OpenStream> = (0..MOST_OF_ONE)
            .map(|_| streams.open(&caller(1)).expect("room"))
            .collect();
        assert!(streams.open(&caller(1)).is_err());
        for number in 2.. {
            match streams.open(&caller(number)) {
                Ok(stream) => open.push(stream),
                Err(_) => break,
            }
        }
        assert_eq!(open.len(), MOST);
        open.clear();
        assert!(streams.lock().is_empty());
        assert!(streams.open(&caller(1)).is_ok());
    }
}
