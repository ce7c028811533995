//! The first few of many, without keeping or sorting the rest.

use std::cmp::Ordering;

/// The fewest items that are kept before later ones are dropped.
const LEAST: usize = 256;

/// The first `most` items that were pushed, by an order.
pub(super) struct First<T, F> {
    most: usize,
    order: F,
    kept: Vec<T>,
    /// Items from this one on are not among the first.
    end: Option<T>,
}

impl<T: Copy, F: Fn(&T, &T) -> Ordering> First<T, F> {
    pub(super) fn new(most: usize, order: F) -> Self {
        Self {
            most,
            order,
            kept: Vec::new(),
            end: None,
        }
    }

    pub(super) fn push(&mut self, item: T) {
        let is_late = |end: &T| (self.order)(&item, end).is_ge();
        if self.most == 0 || self.end.as_ref().is_some_and(is_late) {
            return;
        }
        self.kept.push(item);
        if self.kept.len() >= self.most.saturating_mul(2).max(LEAST) {
            self.drop_later();
        }
    }

    fn drop_later(&mut self) {
        if self.kept.len() > self.most {
            let (_, last, _) = self.kept.select_nth_unstable_by(self.most - 1, &self.order);
            self.end = Some(*last);
            self.kept.truncate(self.most);
        }
    }

    /// The first items, in order.
    pub(super) fn into_sorted(mut self) -> Vec<T> {
        self.drop_later();
        self.kept.sort_unstable_by(&self.order);
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::First;

    #[test]
    fn the_first_are_those_of_a_whole_sort() {
        // This visits every residue once, in an order as good as random.
        let items: Vec<u32> = (0..10_007).map(|n| n * 3571 % 10_007).collect();
        for most in [0, 1, 50, 300, 9_000, 20_000] {
            let mut first = First::new(most, u32::cmp);
            for item in &items {
                first.push(*item);
            }
            let wanted: Vec<u32> = (0..10_007).take(most).collect();
            assert_eq!(first.into_sorted(), wanted, "{most}");
        }
    }
}
