//! The tone map of ITU-R BT.2390, as a table of colours for ffmpeg's filter `lut3d`.
//!
//! The table maps the red, green and blue of an HDR picture, as they are coded in PQ or HLG with the primaries of
//! BT.2020, to those of an SDR picture of BT.709 with the transfer function of BT.1886. The brightest of the three is
//! mapped by the report's EETF, and the other two by the same factor: so hues stay.

use std::fmt::Write;

/// The brightness of SDR white, in cd/m².
const SDR_PEAK: f64 = 100.0;
/// The nominal peak of HLG, in cd/m². Films in PQ that do not state their mastering display are taken as of this peak,
/// too.
pub(super) const NOMINAL_PEAK: f64 = 1000.0;
/// The gamma of an SDR display.
const SDR_GAMMA: f64 = 2.4;
/// The number of steps of each axis. With 65, no level of 8 bits is off by more than one.
const STEPS: usize = 65;

/// The transfer function of an HDR picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transfer {
    Pq,
    Hlg,
}

/// A tone map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bt2390 {
    transfer: Transfer,
    /// The peak of the mastering display, in cd/m².
    peak: f64,
}

/// From linear light of BT.2020 to linear light of BT.709 (ITU-R BT.2087).
const BT2020_TO_BT709: [[f64; 3]; 3] = [
    [1.660_491, -0.587_641, -0.072_850],
    [-0.124_550, 1.132_900, -0.008_349],
    [-0.018_151, -0.100_579, 1.118_730],
];

/// The parts of red, green and blue of BT.2020 in brightness.
const BT2020_LUMA: [f64; 3] = [0.2627, 0.6780, 0.0593];

impl Bt2390 {
    pub(super) fn new(transfer: Transfer, peak: f64) -> Self {
        Self { transfer, peak }
    }

    /// The table, as a .cube file.
    pub(super) fn cube(&self) -> String {
        let mut text = String::with_capacity(STEPS * STEPS * STEPS * 27);
        let _ = writeln!(text, "LUT_3D_SIZE {STEPS}");
        let codes: Vec<f64> = (0..STEPS)
            .map(|step| step as f64 / (STEPS - 1) as f64)
            .collect();
        // The first axis changes fastest.
        for &blue in &codes {
            for &green in &codes {
                for &red in &codes {
                    let [red, green, blue] = self.map([red, green, blue]);
                    let _ = writeln!(text, "{red:.6} {green:.6} {blue:.6}");
                }
            }
        }
        text
    }

    /// The SDR colour for an HDR colour, all coded from 0 to 1.
    fn map(&self, codes: [f64; 3]) -> [f64; 3] {
        let light = self.light(codes);
        let brightest = light.into_iter().fold(0.0, f64::max);
        if brightest <= 0.0 {
            return [0.0; 3];
        }
        let factor = pq_to_light(self.eetf(light_to_pq(brightest))) / brightest;
        BT2020_TO_BT709.map(|row| {
            let light: f64 = row
                .iter()
                .zip(light)
                .map(|(part, light)| part * light)
                .sum();
            (light * factor / SDR_PEAK)
                .clamp(0.0, 1.0)
                .powf(1.0 / SDR_GAMMA)
        })
    }

    /// The light of a display, in cd/m².
    fn light(&self, codes: [f64; 3]) -> [f64; 3] {
        match self.transfer {
            Transfer::Pq => codes.map(pq_to_light),
            Transfer::Hlg => {
                let scene = codes.map(hlg_to_scene);
                let luma: f64 = BT2020_LUMA
                    .iter()
                    .zip(scene)
                    .map(|(part, light)| part * light)
                    .sum();
                // The system gamma of a display of 1000 cd/m² is 1.2.
                scene.map(|light| NOMINAL_PEAK * luma.powf(0.2) * light)
            }
        }
    }

    /// The EETF: maps a brightness for the mastering display to one for an SDR display, both in PQ. Black is 0 on
    /// both.
    fn eetf(&self, code: f64) -> f64 {
        let peak = light_to_pq(self.peak);
        let most = light_to_pq(SDR_PEAK) / peak;
        if most >= 1.0 {
            return code;
        }
        let code = (code / peak).min(1.0);
        let knee = 1.5 * most - 0.5;
        let mapped = if code < knee {
            code
        } else {
            let t = (code - knee) / (1.0 - knee);
            let (t2, t3) = (t * t, t * t * t);
            (2.0 * t3 - 3.0 * t2 + 1.0) * knee
                + (t3 - 2.0 * t2 + t) * (1.0 - knee)
                + (-2.0 * t3 + 3.0 * t2) * most
        };
        mapped * peak
    }
}

const M1: f64 = 2610.0 / 16384.0;
const M2: f64 = 2523.0 / 4096.0 * 128.0;
const C1: f64 = 3424.0 / 4096.0;
const C2: f64 = 2413.0 / 4096.0 * 32.0;
const C3: f64 = 2392.0 / 4096.0 * 32.0;

/// The EOTF of SMPTE ST 2084, in cd/m².
fn pq_to_light(code: f64) -> f64 {
    let power = code.max(0.0).powf(1.0 / M2);
    10_000.0 * ((power - C1).max(0.0) / (C2 - C3 * power)).powf(1.0 / M1)
}

fn light_to_pq(light: f64) -> f64 {
    let power = (light / 10_000.0).powf(M1);
    ((C1 + C2 * power) / (1.0 + C3 * power)).powf(M2)
}

/// The inverse OETF of HLG, from 0 to 1.
fn hlg_to_scene(code: f64) -> f64 {
    const A: f64 = 0.178_832_77;
    const B: f64 = 0.284_668_92;
    const C: f64 = 0.559_910_73;
    if code <= 0.5 {
        code * code / 3.0
    } else {
        (((code - C) / A).exp() + B) / 12.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(one: f64, other: f64, by: f64) -> bool {
        (one - other).abs() < by
    }

    #[test]
    fn pq_has_the_values_of_the_standard() {
        for (light, code) in [
            (0.0, 0.0),
            (100.0, 0.508_078),
            (1000.0, 0.751_827),
            (10_000.0, 1.0),
        ] {
            assert!(near(light_to_pq(light), code, 1e-5), "{light}");
            assert!(near(pq_to_light(code), light, 0.02), "{code}");
        }
        assert!(near(hlg_to_scene(0.5), 1.0 / 12.0, 1e-9));
        assert!(near(hlg_to_scene(1.0), 1.0, 1e-6));
    }

    #[test]
    fn the_mastering_peak_becomes_sdr_white_and_dark_tones_stay() {
        for peak in [600.0, 1000.0, 4000.0] {
            let map = Bt2390::new(Transfer::Pq, peak);
            let white = map.map([light_to_pq(peak); 3]);
            assert!(white.iter().all(|code| near(*code, 1.0, 1e-3)), "{white:?}");
            let above = map.map([1.0; 3]);
            assert!(near(above[0], 1.0, 1e-3), "{above:?}");
            assert_eq!(map.map([0.0; 3]), [0.0; 3]);
        }
        // Below the knee, 5 cd/m² are 5 cd/m².
        let dark = Bt2390::new(Transfer::Pq, 1000.0).map([light_to_pq(5.0); 3]);
        assert!(near(dark[1], 0.05_f64.powf(1.0 / 2.4), 1e-3), "{dark:?}");
        // A film that was mastered for SDR stays as it is.
        let sdr = Bt2390::new(Transfer::Pq, 100.0).map([light_to_pq(60.0); 3]);
        assert!(near(sdr[1], 0.6_f64.powf(1.0 / 2.4), 1e-3), "{sdr:?}");
    }

    #[test]
    fn the_curve_rises_and_greys_stay_grey() {
        for transfer in [Transfer::Pq, Transfer::Hlg] {
            let map = Bt2390::new(transfer, 1000.0);
            let mut last = -1.0;
            for step in 0..=100 {
                let [red, green, blue] = map.map([f64::from(step) / 100.0; 3]);
                assert!(near(red, green, 1e-3) && near(green, blue, 1e-3));
                assert!(green >= last, "{step}");
                last = green;
            }
            assert!(near(last, 1.0, 1e-3), "{last}");
        }
    }
}
