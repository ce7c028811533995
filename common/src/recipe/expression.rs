//! Expressions in filters: whether one is a length, or grows like an area.

use std::iter::Peekable;
use std::str::Chars;

/// The sides of a picture, before and behind a filter.
const SIDES: &[&str] = &[
    "iw", "in_w", "ih", "in_h", "ow", "out_w", "oh", "out_h", "w", "h", "rotw", "roth",
];
/// Functions that say yes or no, or a sign or an angle, whatever their arguments are.
const BOUNDED: &[&str] = &[
    "gt", "gte", "lt", "lte", "eq", "not", "between", "isnan", "isinf", "sgn", "sin", "cos", "tan",
    "atan", "atan2", "asin", "acos",
];
/// Functions that grow no faster than the largest of their arguments.
const ALIKE: &[&str] = &[
    "max", "min", "if", "ifnot", "trunc", "floor", "ceil", "round", "abs", "hypot", "clip", "mod",
    "sqrt", "rotw", "roth",
];
/// How deep parentheses may be.
const DEEPEST: u32 = 32;

/// The power with which an expression grows with the sides of a picture: 0 for a number, 1 for a length, 2 for an area.
/// `None` if that cannot be told.
pub(super) fn power(expression: &str) -> Option<i32> {
    let mut reader = Reader {
        text: expression.chars().peekable(),
        depth: 0,
    };
    let power = reader.sum()?;
    reader.next().is_none().then_some(power)
}

struct Reader<'a> {
    text: Peekable<Chars<'a>>,
    depth: u32,
}

impl Reader<'_> {
    /// The next character that is no space, quote or escape.
    fn peek(&mut self) -> Option<char> {
        while self
            .text
            .next_if(|c| matches!(c, ' ' | '\'' | '\\'))
            .is_some()
        {}
        self.text.peek().copied()
    }

    fn next(&mut self) -> Option<char> {
        self.peek()?;
        self.text.next()
    }

    fn sum(&mut self) -> Option<i32> {
        let mut power = self.product()?;
        while let Some('+' | '-') = self.peek() {
            self.next();
            power = power.max(self.product()?);
        }
        Some(power)
    }

    fn product(&mut self) -> Option<i32> {
        let mut power = self.factor()?;
        loop {
            match self.peek() {
                Some('*') => {
                    self.next();
                    power += self.factor()?;
                }
                Some('/') => {
                    self.next();
                    power -= self.factor()?;
                }
                _ => return Some(power),
            }
        }
    }

    fn factor(&mut self) -> Option<i32> {
        while let Some('+' | '-') = self.peek() {
            self.next();
        }
        match self.peek()? {
            '(' => self.arguments(),
            c if c.is_ascii_digit() || c == '.' => {
                self.word();
                Some(0)
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let name = self.word();
                let name = name.as_str();
                if self.peek() != Some('(') {
                    return Some(i32::from(SIDES.contains(&name)));
                }
                let power = self.arguments()?;
                match name {
                    name if BOUNDED.contains(&name) => Some(0),
                    name if ALIKE.contains(&name) => Some(power),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// A name, or a number with its suffix.
    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(c) = self
            .text
            .next_if(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
        {
            word.push(c);
        }
        word
    }

    /// What stands in parentheses, by its fastest part.
    fn arguments(&mut self) -> Option<i32> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        self.next();
        let mut power = self.sum()?;
        loop {
            match self.next()? {
                ')' => {
                    self.depth -= 1;
                    return Some(power);
                }
                ',' | ';' => power = power.max(self.sum()?),
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_told_from_areas() {
        for (expression, expected) in [
            ("1920", Some(0)),
            ("-2", Some(0)),
            ("iw", Some(1)),
            ("iw*2", Some(1)),
            ("iw+16", Some(1)),
            ("trunc(iw/2)*2", Some(1)),
            ("iw*16/9", Some(1)),
            ("ih*a", Some(1)),
            ("iw*iw/ih", Some(1)),
            ("'min(1920\\,iw)'", Some(1)),
            ("if(gt(iw,ih),1920,-2)", Some(0)),
            ("gt(iw,ih)*iw", Some(1)),
            ("hypot(iw,ih)", Some(1)),
            ("1.5k", Some(0)),
            ("iw*ih", Some(2)),
            ("(iw+1)*(1+ih)", Some(2)),
            ("max(iw*ih,2)", Some(2)),
            ("iw*ih*ow/2", Some(3)),
            ("iw/(1/ih)", Some(2)),
            ("pow(iw,2)", None),
            ("exp(iw)", None),
            ("st(0,iw)*ld(0)", None),
            ("iw^2", None),
            ("(iw", None),
            ("", None),
        ] {
            assert_eq!(power(expression), expected, "{expression}");
        }
        assert_eq!(power(&"(".repeat(100_000)), None);
    }
}
