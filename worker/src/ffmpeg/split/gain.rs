//! Whether splitting a film pays: how many encodes at once bring something, and how much sooner the film is done.

use std::time::Duration;

use common::recipe::encoder::Encoder;

/// How much sooner the whole must be done, compared with one encode: below that, the work of cutting and joining is not
/// worth it.
const LEAST_SPEED_UP: f64 = 1.3;

/// The least time that a split saves.
const LEAST_SAVED: Duration = Duration::from_secs(30);

/// An encode that is this much slower than the fastest one is not counted: its chunk would end last.
const SLOWEST: f64 = 0.1;

/// A worker that could take chunks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Machine {
    /// Its processor cores.
    pub cores: u32,
    /// The encodes that it can begin now.
    pub free_slots: u32,
    /// Frames a second of one encode alone.
    pub fps: f64,
}

/// Whether splitting pays.
#[derive(Clone, Debug, PartialEq)]
pub enum Gain {
    /// It does.
    Pays {
        /// The relative speed of each encode that runs at once, the fastest first.
        lanes: Vec<f64>,
        /// How much is gained, as a sentence for people.
        why: String,
    },
    /// It does not.
    DoesNot {
        /// The reason, as a sentence for people.
        why: String,
    },
}

/// How many cores one encode keeps busy as workers run it; `None` for all cores of the machine, or if the encoder
/// hardly uses any. Measured at 1280x720 by the threads that could run at a time, of eight.
pub fn threads(encoder: &Encoder) -> Option<u32> {
    match encoder.as_str() {
        // Rows of blocks in four tiles. Without rows as threads, it would be four.
        "libvpx-vp9" => Some(7),
        // Parts of a picture, of which there is one by default.
        "libvpx" => Some(2),
        // Rows of blocks, each of which waits for the one above. At 1920x1080, it is five.
        "libaom-av1" => Some(4),
        _ => None,
    }
}

/// The reason why a split of a film cannot pay, whatever the machines: one encode would take `alone`, which is less than
/// a split must save.
pub fn too_short(alone: Option<Duration>) -> Option<String> {
    let alone = alone.filter(|alone| *alone < LEAST_SAVED)?;
    let (takes, least) = (alone.as_secs_f64(), LEAST_SAVED.as_secs());
    Some(format!(
        "one encode takes about {takes:.0} s, and a split must save {least} s"
    ))
}

/// Whether it pays to split a film that one encode on the fastest machine would take `alone` for, if that is known.
/// `machines` are those that would take chunks.
pub fn gain(alone: Option<Duration>, machines: &[Machine], encoder: &Encoder) -> Gain {
    let lanes = lanes(machines, encoder);
    let fastest = machines.iter().map(|one| one.fps).fold(0.0, f64::max);
    let does_not = |why: String| Gain::DoesNot { why };
    if lanes.len() < 2 || fastest <= 0.0 {
        return does_not(match machines.len() {
            0 | 1 => format!(
                "only one worker has room for {encoder} now, and one encode keeps its machine busy"
            ),
            _ => format!(
                "of the workers with room for {encoder} now, one is far faster than all others"
            ),
        });
    }
    let speed_up = lanes.iter().sum::<f64>() / fastest;
    if speed_up < LEAST_SPEED_UP {
        return does_not(format!(
            "all workers with room for {encoder} now would be only {speed_up:.1} times as fast as the fastest alone"
        ));
    }
    let saved = alone.map(|alone| alone.mul_f64(1.0 - 1.0 / speed_up));
    if let (Some(alone), Some(saved)) = (alone, saved)
        && saved < LEAST_SAVED
    {
        return does_not(format!(
            "one encode takes about {:.0} s, of which a split would save {:.0} s",
            alone.as_secs_f64(),
            saved.as_secs_f64()
        ));
    }
    Gain::Pays {
        why: format!(
            "{} encodes at once are about {speed_up:.1} times as fast as one",
            lanes.len()
        ),
        lanes,
    }
}

/// The speed of each encode that brings something, the fastest first.
fn lanes(machines: &[Machine], encoder: &Encoder) -> Vec<f64> {
    let mut lanes: Vec<f64> = machines
        .iter()
        .flat_map(|machine| of_machine(machine, encoder))
        .collect();
    lanes.sort_by(|a, b| b.total_cmp(a));
    let fastest = lanes.first().copied().unwrap_or(0.0);
    lanes.retain(|&speed| speed > 0.0 && speed >= SLOWEST * fastest);
    lanes
}

/// The speeds of the encodes on one machine that bring something: each one has the share of the machine that it gets.
fn of_machine(machine: &Machine, encoder: &Encoder) -> Vec<f64> {
    let Machine {
        cores,
        free_slots,
        fps,
    } = *machine;
    if free_slots == 0 {
        return Vec::new();
    }
    let room = threads(encoder).map_or(1.0, |threads| f64::from(cores.max(1)) / f64::from(threads));
    let (count, together) = match encoder.kind().is_hardware() {
        // A second encode uses the device while the first one begins or ends. Whether both at once are faster than one,
        // only the device knows: some have several engines.
        true => (free_slots.min(2), 1.0),
        false => {
            let count = free_slots.min(room.ceil() as u32);
            (count, f64::from(count).min(room.max(1.0)))
        }
    };
    vec![fps * together / f64::from(count); count as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(cores: u32, free_slots: u32, fps: f64) -> Machine {
        Machine {
            cores,
            free_slots,
            fps,
        }
    }

    fn of(seconds: u64, machines: &[Machine], encoder: &str) -> Gain {
        let encoder = encoder.parse().expect("an encoder");
        gain(Some(Duration::from_secs(seconds)), machines, &encoder)
    }

    fn lanes_of(gain: Gain) -> usize {
        match gain {
            Gain::Pays { lanes, .. } => lanes.len(),
            Gain::DoesNot { why } => panic!("{why}"),
        }
    }

    fn why_not(gain: Gain) -> String {
        match gain {
            Gain::DoesNot { why } => why,
            Gain::Pays { why, .. } => panic!("{why}"),
        }
    }

    #[test]
    fn each_machine_is_a_lane_if_one_encode_keeps_it_busy() {
        let farm = [machine(16, 4, 50.0); 8];
        assert_eq!(lanes_of(of(3600, &farm, "libx265")), 8);
        let why = why_not(of(3600, &farm[..1], "libx265"));
        assert!(why.contains("only one worker"), "{why}");
    }

    #[test]
    fn a_machine_has_several_lanes_if_one_encode_leaves_cores_idle() {
        assert_eq!(lanes_of(of(3600, &[machine(16, 8, 5.0)], "libaom-av1")), 4);
        assert_eq!(lanes_of(of(3600, &[machine(16, 2, 5.0)], "libaom-av1")), 2);
        why_not(of(3600, &[machine(2, 4, 5.0)], "libvpx-vp9"));
    }

    #[test]
    fn a_device_that_is_shared_is_not_taken_for_faster() {
        let gpu = machine(8, 4, 200.0);
        let why = why_not(of(3600, &[gpu], "hevc_nvenc"));
        assert!(why.contains("only 1.0 times"), "{why}");
        match of(3600, &[gpu; 3], "hevc_nvenc") {
            Gain::Pays { lanes, why } => {
                assert_eq!(lanes, [100.0; 6]);
                assert!(why.contains("3.0 times"), "{why}");
            }
            Gain::DoesNot { why } => panic!("{why}"),
        }
    }

    #[test]
    fn slow_and_busy_machines_do_not_count() {
        let farm = [
            machine(16, 1, 100.0),
            machine(16, 0, 100.0),
            machine(1, 1, 5.0),
        ];
        let why = why_not(of(3600, &farm, "libx264"));
        assert!(why.contains("far faster"), "{why}");
        let farm = [machine(16, 1, 100.0), machine(4, 1, 20.0)];
        let why = why_not(of(3600, &farm, "libx264"));
        assert!(why.contains("only 1.2 times"), "{why}");
    }

    #[test]
    fn a_short_encode_is_not_split() {
        let farm = [machine(16, 1, 100.0); 4];
        let why = why_not(of(20, &farm, "libx264"));
        assert!(why.contains("about 20 s"), "{why}");
        assert_eq!(lanes_of(of(60, &farm, "libx264")), 4);
        let too_short = |seconds| too_short(Some(Duration::from_secs(seconds)));
        assert!(too_short(29).is_some_and(|why| why.contains("about 29 s")));
        assert_eq!(too_short(30), None);
        let unknown = gain(None, &farm, &"libx264".parse().expect("an encoder"));
        assert_eq!(lanes_of(unknown), 4);
    }
}
