//! Live and lost workers.

use super::*;

#[test]
fn a_silent_worker_is_lost_and_forgotten_later_and_one_that_signs_off_just_leaves() {
    let mut view = View::new(at(0));
    heard(&mut view, heartbeat("atelier", &[]), 0);
    heard(&mut view, heartbeat("mini-pc", &[]), 0);
    gone(&mut view, "mini-pc", 3);
    assert_eq!(view.snapshot(at(15)).workers.len(), 1);
    assert_eq!(view.snapshot(at(15)).workers[0].status, Presence::Ready);

    let snapshot = view.snapshot(at(16));
    assert_eq!(snapshot.workers[0].status, Presence::Lost);
    assert_eq!(snapshot.totals.workers, 0);
    assert!(is_lost(&snapshot.attention[0]));

    // The broker may notice first, by its own clock.
    heard(&mut view, heartbeat("atelier", &[]), 100);
    gone(&mut view, "atelier", 115);
    assert_eq!(view.snapshot(at(115)).workers[0].status, Presence::Lost);
    view.forget(at(100 + 601));
    assert!(view.snapshot(at(701)).workers.is_empty());
}

#[test]
fn while_the_broker_is_away_nobody_falls_silent() {
    let mut view = View::new(at(0));
    heard(&mut view, heartbeat("atelier", &[]), 0);
    view.apply(Input::Away("cut".to_owned()), at(5));
    view.apply(Input::Away("still cut".to_owned()), at(50));
    let snapshot = view.snapshot(at(100));
    assert!(!snapshot.broker.connected);
    assert_eq!(snapshot.broker.since.0, at(5));
    assert_eq!(snapshot.workers[0].status, Presence::Ready);

    // Once the broker is back, a worker has the time of three heartbeats to be heard again.
    view.apply(Input::Connected, at(100));
    assert_eq!(view.snapshot(at(115)).workers[0].status, Presence::Ready);
    assert_eq!(view.snapshot(at(116)).workers[0].status, Presence::Lost);
}
