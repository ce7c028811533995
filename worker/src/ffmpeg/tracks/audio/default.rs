//! The default track among chosen audio tracks. Players play that one first.

use common::job::changes::{Change, Kind};

use crate::ffmpeg::tracks::Track;
use crate::ffmpeg::tracks::audio::commentary::is_commentary;

/// Makes exactly one track default: with `by_order`, the first; otherwise the first that is default in the input, or
/// else the first. A commentary is default only if all tracks are commentaries. Lists the tracks that are no longer
/// default.
pub(super) fn choose(list: &mut [Track], by_order: bool) -> Vec<Change> {
    let place = |wanted: &dyn Fn(&Track) -> bool| list.iter().position(wanted);
    let speaks = |track: &Track| !is_commentary(&track.source);
    let was_default = |track: &Track| track.source.dispositions.contains("default");
    let chosen = place(&|track| !by_order && was_default(track) && speaks(track))
        .or_else(|| place(&speaks))
        .unwrap_or(0);
    let mut changes = Vec::new();
    for (number, track) in list.iter_mut().enumerate() {
        if number == chosen {
            track.dispositions.insert("default".to_owned());
        } else {
            track.dispositions.remove("default");
        }
    }
    for (number, track) in list.iter().enumerate() {
        let index = track.source.index;
        let is_first = list.iter().position(|one| one.source.index == index) == Some(number);
        let stays = list
            .iter()
            .any(|one| one.source.index == index && one.dispositions.contains("default"));
        if is_first && was_default(track) && !stays {
            let why = "another track is the first choice";
            changes.push(Change::lost(Kind::Disposition, index, "default", why).wanted());
        }
    }
    changes
}
