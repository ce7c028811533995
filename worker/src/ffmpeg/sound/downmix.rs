//! Named downmixes: the gains by which the channels of any layout become few.
//!
//! The gains of each downmix are those of its source. They are then scaled alike, so that the loudest sound that all
//! channels together can make does not clip: the balance is the source's, the level is not.

use std::f64::consts::FRAC_1_SQRT_2;

use common::recipe::Downmix;

use crate::ffmpeg::sound::layout::{Layout, Speaker};
use crate::ffmpeg::sound::mix::Mix;

/// The compressor of the downmix "night". It turns loud sound down (above -24 dBFS, by three quarters) and nothing up,
/// so that nothing clips.
pub(super) const COMPRESSOR: &str = "acompressor=threshold=0.063:ratio=4:attack=20:release=250";

/// The speakers for which the sources have gains.
const KNOWN: [Speaker; 9] = {
    use Speaker::{Bc, Bl, Br, Fc, Fl, Fr, Lfe, Sl, Sr};
    [Fl, Fr, Fc, Lfe, Bl, Br, Bc, Sl, Sr]
};

/// Half the square root of 3, the gain of RFC 7845 for surround speakers of the same side.
const SAME_SIDE: f64 = 0.866_025_403_784_438_6;

/// The mix of a downmix. `None` if a channel has no place in it.
pub(super) fn mix(from: &Layout, downmix: Downmix) -> Option<Mix> {
    // Other speakers, such as those above, are first heard from the nearest known ones.
    let known = Mix::new(from, &Layout::of(KNOWN.to_vec()))?;
    let is_used = |speakers: [Speaker; 2]| {
        let mut heard = known.to.speakers().iter().zip(&known.parts);
        heard.any(|(speaker, parts)| speakers.contains(speaker) && !parts.is_empty())
    };
    let is_double = is_used([Speaker::Sl, Speaker::Sr]) && is_used([Speaker::Bl, Speaker::Br]);
    let to = match downmix {
        Downmix::Mono => vec![Speaker::Fc],
        Downmix::Surround => KNOWN[..6].to_vec(),
        Downmix::Stereo | Downmix::Dialogue | Downmix::Night | Downmix::Rfc7845 => {
            vec![Speaker::Fl, Speaker::Fr]
        }
    };
    let parts = to.iter().map(|place| {
        let gains = KNOWN.iter().enumerate().map(|(channel, speaker)| {
            let gain = gain(downmix, *speaker, *place);
            // Two pairs of surround speakers are as loud as one. RFC 7845 has gains of its own for them.
            let is_shared = is_double && is_surround(*speaker) && downmix != Downmix::Rfc7845;
            (
                channel,
                if is_shared {
                    gain * FRAC_1_SQRT_2
                } else {
                    gain
                },
            )
        });
        gains.filter(|(_, gain)| *gain > 0.0).collect()
    });
    let fewer = Mix {
        from: known.to.clone(),
        parts: parts.collect(),
        to: Layout::of(to),
    };
    Some(known.then(&fewer).loudest_without_clipping())
}

fn is_surround(speaker: Speaker) -> bool {
    use Speaker::{Bl, Br, Sl, Sr};
    matches!(speaker, Bl | Br | Sl | Sr)
}

/// The gain of a known speaker in one speaker of the downmix.
fn gain(downmix: Downmix, speaker: Speaker, place: Speaker) -> f64 {
    use Speaker::{Bc, Bl, Br, Fc, Fl, Fr, Lfe, Sl, Sr};
    let is_same_side = match speaker {
        Fl | Bl | Sl => matches!(place, Fl | Bl),
        Fr | Br | Sr => matches!(place, Fr | Br),
        _ => true,
    };
    match downmix {
        // ITU-R BS.775-3, annex 4, table 2: 3/2 to 1/0. It leaves out the low frequencies. A back speaker is heard from
        // both surround speakers, at 3 dB less.
        Downmix::Mono => match speaker {
            Fc => 1.0,
            Fl | Fr | Bc => FRAC_1_SQRT_2,
            Bl | Br | Sl | Sr => 0.5,
            _ => 0.0,
        },
        // The same table: 3/2 to 2/0.
        Downmix::Stereo => match speaker {
            _ if !is_same_side => 0.0,
            Fl | Fr => 1.0,
            Fc | Bl | Br | Sl | Sr => FRAC_1_SQRT_2,
            Bc => 0.5,
            _ => 0.0,
        },
        // "Nightmode Dialogue", the mix that media servers give this purpose: the center whole, all else at 0.3.
        Downmix::Dialogue | Downmix::Night => match speaker {
            _ if !is_same_side => 0.0,
            Fc => 1.0,
            Fl | Fr | Bl | Br | Sl | Sr => 0.3,
            Bc => 0.3 * FRAC_1_SQRT_2,
            _ => 0.0,
        },
        // RFC 7845, section 5.1.1.5. Surround speakers are heard from both sides.
        Downmix::Rfc7845 => match speaker {
            Fl | Fr if is_same_side => 1.0,
            Fc | Lfe => FRAC_1_SQRT_2,
            Bl | Br | Sl | Sr if is_same_side => SAME_SIDE,
            Bl | Br | Sl | Sr => 0.5,
            Bc => SAME_SIDE * FRAC_1_SQRT_2,
            _ => 0.0,
        },
        // As AC-4 (ETSI TS 103 190-1) does with 7.1: both pairs of surround speakers become one, at 3 dB less.
        Downmix::Surround => match (speaker, place) {
            (Fl, Fl) | (Fr, Fr) | (Fc, Fc) | (Lfe, Lfe) => 1.0,
            (Bl | Sl, Bl) | (Br | Sr, Br) => 1.0,
            (Bc, Bl | Br) => FRAC_1_SQRT_2,
            _ => 0.0,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The gains of each channel in one speaker of a downmix, in ten-thousandths.
    fn row(layout: &str, downmix: Downmix, place: usize) -> Vec<i64> {
        let from = Layout::parse(layout).expect(layout);
        let mix = mix(&from, downmix).expect(layout);
        let mut row = vec![0; from.speakers().len()];
        for (channel, gain) in &mix.parts[place] {
            row[*channel] = (gain * 10_000.0).round() as i64;
        }
        row
    }

    /// The numbers that RFC 7845 prints. From five channels on, they are twice as loud as clipping allows.
    #[test]
    fn the_gains_of_the_rfc_are_those_that_it_prints() {
        for (layout, printed, scale) in [
            ("3.0", &[0.585786, 0.0, 0.414214][..], 1.0),
            ("quad", &[0.422650, 0.0, 0.366025, 0.211325], 1.0),
            ("5.0", &[0.650802, 0.0, 0.460186, 0.563611, 0.325401], 0.5),
            (
                "5.1",
                &[0.529067, 0.0, 0.374107, 0.374107, 0.458186, 0.264534],
                0.5,
            ),
            (
                "6.1",
                &[
                    0.455310, 0.0, 0.321953, 0.321953, 0.278819, 0.394310, 0.227655,
                ],
                0.5,
            ),
            (
                "7.1",
                &[
                    0.388631, 0.0, 0.274804, 0.274804, 0.336565, 0.194316, 0.336565, 0.194316,
                ],
                0.5,
            ),
        ] {
            let printed = printed
                .iter()
                .map(|gain| (gain * scale * 10_000.0f64).round() as i64);
            let printed: Vec<i64> = printed.collect();
            let row = row(layout, Downmix::Rfc7845, 0);
            let mut pairs = row.iter().zip(&printed);
            // The printed numbers are rounded.
            assert!(
                pairs.all(|(one, other)| one.abs_diff(*other) <= 1),
                "{layout}: {row:?}"
            );
        }
    }

    #[test]
    fn stereo_and_mono_have_the_gains_of_bs_775() {
        // 1, 0.7071, 0.7071 of 2.4142; the low frequencies are left out.
        assert_eq!(row("5.1", Downmix::Stereo, 0), [4142, 0, 2929, 0, 2929, 0]);
        assert_eq!(
            row("5.1(side)", Downmix::Stereo, 1),
            [0, 4142, 2929, 0, 0, 2929]
        );
        assert_eq!(row("2.1", Downmix::Stereo, 0), [10_000, 0, 0]);
        // 1, 0.7071 twice and 0.5 twice, of 3.4142.
        assert_eq!(
            row("5.1", Downmix::Mono, 0),
            [2071, 2071, 2929, 0, 1464, 1464]
        );
        assert_eq!(row("4.0", Downmix::Stereo, 0), [4531, 0, 3204, 2265]);
    }

    #[test]
    fn dialogue_has_a_center_that_is_three_times_as_loud() {
        assert_eq!(
            row("5.1", Downmix::Dialogue, 0),
            [1875, 0, 6250, 0, 1875, 0]
        );
        assert_eq!(
            row("7.1", Downmix::Night, 1),
            [0, 1740, 5800, 0, 0, 1230, 0, 1230]
        );
    }

    #[test]
    fn every_layout_has_every_downmix_and_none_clips() {
        for name in [
            "2.1",
            "3.0(back)",
            "quad",
            "5.0",
            "6.0(front)",
            "hexagonal",
            "7.1(wide)",
            "cube",
            "5.1.4",
            "7.2.3",
            "9.1.6",
            "22.2",
        ] {
            let from = Layout::parse(name).expect(name);
            for downmix in Downmix::ALL {
                let mix = mix(&from, *downmix).expect(name);
                let sums = mix
                    .parts
                    .iter()
                    .map(|parts| parts.iter().map(|(_, gain)| gain).sum());
                let loudest = sums.fold(0.0, f64::max);
                assert!(
                    (loudest - 1.0).abs() < 1e-9,
                    "{name} to {downmix}: {loudest}"
                );
            }
        }
    }
}
