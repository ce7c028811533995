//! The grammar: a text becomes a tree of words and numbers, each with its place in the text.
//!
//! ```text
//! any     = all ("or" all)*
//! all     = term ("and" term)*
//! term    = "not" term | "(" any ")" | field [comparison]
//! comparison = ("=" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "like") value
//!            | ["not"] "in" "[" value ("," value)* "]"
//! value   = 'text' | "text" | word | number [unit] (number unit)*
//! ```

use std::ops::Range;

use winnow::Parser;
use winnow::ascii::{Caseless, digit1, multispace0};
use winnow::combinator::{
    alt, cut_err, delimited, eof, not, opt, peek, preceded, repeat, separated, terminated,
};
use winnow::error::{AddContext, ErrMode, ModalResult, ParserError};
use winnow::stream::{LocatingSlice, Location as _, Stateful, Stream};
use winnow::token::{none_of, one_of, take_while};

use crate::rules::condition::unit::Decimal;

/// How deep terms may be nested: no person needs more, and each level takes stack.
const MOST_LEVELS: usize = 32;

/// How many digits behind the point count.
const MOST_DIGITS: usize = 9;

/// Words of the language, which are no units and no values.
const KEYWORDS: [&str; 5] = ["and", "or", "not", "in", "like"];

/// A part of the text, by bytes.
pub(super) type Span = Range<usize>;

#[derive(Debug)]
pub(super) enum Syntax {
    Any(Vec<Self>),
    All(Vec<Self>),
    Not(Box<Self>),
    Test {
        field: (String, Span),
        /// `None` if the field stands alone.
        comparison: Option<Comparison>,
    },
}

#[derive(Debug)]
pub(super) struct Comparison {
    pub(super) operator: Operator,
    pub(super) span: Span,
    pub(super) values: Vec<(Literal, Span)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
    In,
    NotIn,
    Like,
}

#[derive(Debug)]
pub(super) enum Literal {
    Word(String),
    Quoted(String),
    /// The parts of a number, as in `1 h 30 min`, and the text itself.
    Number(Vec<(Decimal, Option<String>)>, String),
    /// A number below zero.
    Negative,
}

/// Where the text is not as the grammar says, and what was expected there.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Unexpected {
    pub(super) at: usize,
    pub(super) expected: Option<&'static str>,
}

type Text<'a> = Stateful<LocatingSlice<&'a str>, usize>;

impl<'a> ParserError<Text<'a>> for Unexpected {
    type Inner = Self;

    fn from_input(input: &Text<'a>) -> Self {
        Self {
            at: input.current_token_start(),
            expected: None,
        }
    }

    fn into_inner(self) -> Result<Self::Inner, Self> {
        Ok(self)
    }
}

impl<'a> AddContext<Text<'a>, &'static str> for Unexpected {
    fn add_context(
        mut self,
        _input: &Text<'a>,
        _start: &<Text<'a> as Stream>::Checkpoint,
        context: &'static str,
    ) -> Self {
        self.expected.get_or_insert(context);
        self
    }
}

/// Reads a whole condition.
pub(super) fn parse(text: &str) -> Result<Syntax, Unexpected> {
    let input = Stateful {
        input: LocatingSlice::new(text),
        state: 0,
    };
    let end = eof.context("a comparison, and, or, or the end");
    let read = delimited(multispace0, any_of, end).parse(input);
    read.map_err(|error| error.into_inner())
}

type Parsed<T> = ModalResult<T, Unexpected>;

fn any_of(input: &mut Text<'_>) -> Parsed<Syntax> {
    chain(input, "or", all_of, Syntax::Any)
}

fn all_of(input: &mut Text<'_>) -> Parsed<Syntax> {
    chain(input, "and", term, Syntax::All)
}

/// One part, or several with a word in between.
fn chain(
    input: &mut Text<'_>,
    word: &'static str,
    mut part: impl FnMut(&mut Text<'_>) -> Parsed<Syntax>,
    join: fn(Vec<Syntax>) -> Syntax,
) -> Parsed<Syntax> {
    let first = part(input)?;
    let mut parts = vec![first];
    while opt(keyword(word)).parse_next(input)?.is_some() {
        parts.push(part(input).map_err(ErrMode::cut)?);
    }
    match parts.len() {
        1 => Ok(parts.remove(0)),
        _ => Ok(join(parts)),
    }
}

fn term(input: &mut Text<'_>) -> Parsed<Syntax> {
    if input.state >= MOST_LEVELS {
        let error = Unexpected::from_input(input);
        return Err(ErrMode::Cut(Unexpected {
            expected: Some("fewer levels of parentheses and not"),
            ..error
        }));
    }
    input.state += 1;
    let negation =
        preceded(keyword("not"), cut_err(term)).map(|inner| Syntax::Not(Box::new(inner)));
    let group = delimited(
        sign("("),
        cut_err(any_of),
        cut_err(sign(")").context("a closing parenthesis")),
    );
    let found = alt((negation, group, test))
        .context("a field such as video.codec, not, or (")
        .parse_next(input);
    input.state -= 1;
    found
}

fn test(input: &mut Text<'_>) -> Parsed<Syntax> {
    let field = spaced(
        (not(any_keyword), name)
            .map(|((), name): ((), &str)| name.to_owned())
            .with_span(),
    )
    .parse_next(input)?;
    let comparison = opt(comparison).parse_next(input)?;
    Ok(Syntax::Test { field, comparison })
}

fn comparison(input: &mut Text<'_>) -> Parsed<Comparison> {
    let signs = alt((
        "<=".value(Operator::AtMost),
        ">=".value(Operator::AtLeast),
        "==".value(Operator::Equal),
        "!=".value(Operator::Unequal),
        "<".value(Operator::Less),
        ">".value(Operator::Greater),
        "=".value(Operator::Equal),
        keyword("like").value(Operator::Like),
    ));
    let lists = alt((
        keyword("in").value(Operator::In),
        (
            keyword("not"),
            cut_err(keyword("in").context("in, after not")),
        )
            .value(Operator::NotIn),
    ));
    let list = || {
        let items = separated(1.., spaced(value.with_span()), sign(","));
        delimited(
            cut_err(sign("[").context("a list such as [hevc, av1]")),
            cut_err(items),
            cut_err(sign("]").context("a comma or ]")),
        )
    };
    let one = || cut_err(spaced(value.with_span())).map(|value| vec![value]);
    let compared = |((operator, span), values)| Comparison {
        operator,
        span,
        values,
    };
    alt((
        (spaced(signs.with_span()), one()).map(compared),
        (spaced(lists.with_span()), list()).map(compared),
    ))
    .parse_next(input)
}

fn value(input: &mut Text<'_>) -> Parsed<Literal> {
    let word = (not(any_keyword), take_while(1.., is_of_word));
    let word = word.map(|((), word): ((), &str)| Literal::Word(word.to_owned()));
    let below = ("-", peek(digit1), number).map(|_| Literal::Negative);
    let quoted = alt((quoted('\''), quoted('"'))).map(Literal::Quoted);
    alt((below, number, quoted, word))
        .context("a value")
        .parse_next(input)
}

fn number(input: &mut Text<'_>) -> Parsed<Literal> {
    let further = repeat(0.., preceded(multispace0, (decimal, unit)));
    let all = (decimal, opt(unit), further).with_taken();
    all.map(|((first, unit, further), text): ((_, _, Vec<_>), &str)| {
        let further = further
            .into_iter()
            .map(|(number, unit)| (number, Some(unit)));
        let parts = std::iter::once((first, unit)).chain(further).collect();
        Literal::Number(parts, text.to_owned())
    })
    .parse_next(input)
}

/// The unit of a number, with the blanks before it.
fn unit(input: &mut Text<'_>) -> Parsed<String> {
    let letters = take_while(1.., |c: char| c.is_ascii_alphabetic() || c == '/');
    let unit = preceded((multispace0, not(any_keyword)), letters);
    unit.map(str::to_owned).parse_next(input)
}

fn decimal(input: &mut Text<'_>) -> Parsed<Decimal> {
    (digit1, opt(preceded(".", digit1)))
        .map(|(whole, behind): (&str, Option<&str>)| {
            let behind: String = behind
                .unwrap_or_default()
                .chars()
                .take(MOST_DIGITS)
                .collect();
            Decimal {
                digits: format!("{whole}{behind}").parse().unwrap_or(u128::MAX),
                behind: behind.len() as u32,
            }
        })
        .parse_next(input)
}

/// A text between two marks; the mark itself is written twice.
fn quoted<'a>(mark: char) -> impl Parser<Text<'a>, String, ErrMode<Unexpected>> {
    let twice = (mark, mark).value(mark);
    let inner = repeat(0.., alt((twice, none_of(move |c| c == mark))));
    delimited(
        mark,
        inner,
        cut_err(mark.context("the closing quotation mark")),
    )
}

fn name<'a>(input: &mut Text<'a>) -> Parsed<&'a str> {
    let first = peek(one_of(|c: char| c.is_ascii_alphabetic()));
    preceded(first, take_while(1.., |c: char| is_of_word(c) && c != '+')).parse_next(input)
}

/// Whether a character may be part of a word without quotation marks.
pub(super) fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '+')
}

/// Whether a word would be read as a word of the language.
pub(super) fn is_keyword(word: &str) -> bool {
    KEYWORDS
        .iter()
        .any(|keyword| keyword.eq_ignore_ascii_case(word))
}

fn keyword<'a>(word: &'static str) -> impl Parser<Text<'a>, &'a str, ErrMode<Unexpected>> {
    spaced(terminated(Caseless(word), not(one_of(is_of_word))))
}

fn any_keyword<'a>(input: &mut Text<'a>) -> Parsed<&'a str> {
    let [and, or, negation, list, like] = KEYWORDS.map(keyword);
    alt((and, or, negation, list, like)).parse_next(input)
}

fn sign<'a>(sign: &'static str) -> impl Parser<Text<'a>, &'a str, ErrMode<Unexpected>> {
    spaced(sign)
}

/// A parser, and the blanks behind what it reads.
fn spaced<'a, T>(
    parser: impl Parser<Text<'a>, T, ErrMode<Unexpected>>,
) -> impl Parser<Text<'a>, T, ErrMode<Unexpected>> {
    terminated(parser, multispace0)
}
