//! Anything in any order.

use std::num::NonZeroU32;

use proptest::prelude::*;

use crate::farm::worker_name::WorkerName;
use crate::matching::scale::autoscaler::Rules;
use crate::matching::scale::tests::decide::world::World;

#[derive(Clone, Debug)]
enum Happening {
    Jobs(u64),
    /// Jobs that no worker takes.
    Unfit(u64),
    Boot,
    /// Some booting worker dies.
    Fail,
    Work,
    Finish,
    Pass(i64),
    /// The nth worker vanishes.
    Die(usize),
    Foreign,
    /// A person drains the nth worker, or resumes it.
    Person(usize),
    /// The autoscaler is another process, with the stored record.
    Restart,
    Look,
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening::*;
    prop_oneof![
        2 => (0_u64..20).prop_map(Jobs),
        1 => (0_u64..5).prop_map(Unfit),
        3 => Just(Boot),
        1 => Just(Fail),
        3 => Just(Work),
        2 => Just(Finish),
        3 => (1_i64..200).prop_map(Pass),
        1 => any::<usize>().prop_map(Die),
        1 => Just(Foreign),
        1 => any::<usize>().prop_map(Person),
        1 => Just(Restart),
        8 => Just(Look),
    ]
}

fn rules() -> impl Strategy<Value = Rules> {
    (0_u32..3, 1_u32..8, 1_u32..4, 1_u32..6, 1_u32..6, 0_u64..200).prop_map(
        |(min, max, jobs, up_per_minute, down_per_minute, cool_down)| Rules {
            min,
            max: max.max(min),
            jobs_per_worker: NonZeroU32::new(jobs).expect("not 0"),
            up_per_minute,
            down_per_minute,
            cool_down,
            start_within: 300,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// [`World::check`] looks at each decision. In the end, all jobs are done, and no more workers are left than are kept.
    #[test]
    fn whatever_happens_jobs_are_done_and_no_encode_is_killed(
        rules in rules(),
        happenings in proptest::collection::vec(happening(), 0..80),
    ) {
        let mut world = World::new(rules.clone());
        for happening in happenings {
            match happening {
                Happening::Jobs(jobs) => world.jobs += jobs,
                Happening::Unfit(jobs) => world.unfit = jobs,
                Happening::Boot => world.boot(),
                Happening::Fail => { world.booting.pop_first(); }
                Happening::Work => world.work(),
                Happening::Finish => world.finish(),
                Happening::Pass(seconds) => world.pass(seconds),
                Happening::Die(nth) => {
                    let names: Vec<_> = world.alive.keys().cloned().collect();
                    if let Some(name) = names.get(nth % names.len().max(1)) {
                        let lost = world.alive.remove(name).unwrap_or(0);
                        world.jobs += u64::from(lost);
                    }
                }
                Happening::Foreign => {
                    let name: WorkerName = format!("cpu-f{}", world.foreign.len()).parse().expect("a name");
                    world.foreign.insert(name.clone());
                    world.alive.insert(name, 0);
                }
                Happening::Person(nth) => {
                    let names: Vec<_> = world.alive.keys().cloned().collect();
                    if let Some(name) = names.get(nth % names.len().max(1))
                        && !world.drained.remove(name)
                    {
                        world.drained.insert(name.clone());
                    }
                }
                Happening::Restart => {
                    let stored = serde_json::to_vec(&world.record).expect("plain data");
                    world.record = serde_json::from_slice(&stored).expect("the same");
                }
                Happening::Look => { world.look(); }
            }
        }
        // People interfere no more.
        world.drained.clear();
        // Workers that fit come after all.
        world.jobs += std::mem::take(&mut world.unfit);
        for _ in 0..250 {
            world.look();
            world.boot();
            world.work();
            world.pass(61);
            world.finish();
        }
        prop_assert_eq!(world.jobs, 0);
        for _ in 0..100 {
            world.look();
            world.boot();
            world.pass(61);
        }
        let own = world.alive.keys().filter(|name| !world.foreign.contains(*name)).count();
        prop_assert_eq!(own, rules.min as usize, "{:#?}", world.record);
        let left: Vec<_> = world.drained.iter().filter(|name| !world.alive.contains_key(*name)).collect();
        prop_assert!(left.is_empty(), "orders are left behind: {:?}", left);
        for name in &world.foreign {
            prop_assert!(world.alive.contains_key(name) || !world.record.workers.contains_key(name));
        }
    }
}
