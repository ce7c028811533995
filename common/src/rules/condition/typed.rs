//! Types: the words and numbers of a condition become fields and values that can be compared.

use crate::recipe::Language;
use crate::rules::condition::error::{Problem, Wrong};
use crate::rules::condition::expression::{Expression, Is, Pattern, Test, Value};
use crate::rules::condition::field::{Field, Kind};
use crate::rules::condition::syntax::{Comparison, Literal, Operator, Span, Syntax};
use crate::rules::condition::unit::{Decimal, Unit, Unusable};
use crate::rules::condition::words::Vocabulary;

type Checked<T> = Result<T, Problem>;

pub(super) fn expression(syntax: Syntax) -> Checked<Expression> {
    let all = |parts: Vec<Syntax>| {
        parts
            .into_iter()
            .map(expression)
            .collect::<Checked<Vec<_>>>()
    };
    Ok(match syntax {
        Syntax::Any(parts) => Expression::any(all(parts)?),
        Syntax::All(parts) => Expression::all(all(parts)?),
        Syntax::Not(inner) => Expression::Not(Box::new(expression(*inner)?)),
        Syntax::Test {
            field: (name, span),
            comparison,
        } => {
            let field = Field::find(&name).ok_or_else(|| {
                let similar = Field::similar(&name);
                Problem::Wrong(Wrong::UnknownField { name, similar }, span.clone())
            })?;
            match comparison {
                Some(comparison) => compared(field, comparison)?,
                None => alone(field, span)?,
            }
        }
    })
}

fn alone(field: Field, span: Span) -> Checked<Expression> {
    let is = Is::True;
    match field.kind() {
        Kind::Flag => Ok(Expression::Test(Test { field, is })),
        _ => {
            let wrong = Wrong::Alone {
                field: field.name(),
                example: field.example(),
            };
            Err(Problem::Wrong(wrong, span))
        }
    }
}

fn compared(field: Field, comparison: Comparison) -> Checked<Expression> {
    let Comparison {
        operator,
        span,
        values,
    } = comparison;
    let is_list = matches!(operator, Operator::In | Operator::NotIn);
    let is_equality = is_list || matches!(operator, Operator::Equal | Operator::Unequal);
    let wrong = |expected| {
        let field = field.name();
        Problem::Wrong(Wrong::Comparison { field, expected }, span.clone())
    };
    match field.kind() {
        Kind::Flag if is_list || !is_equality => Err(wrong("= true and = false, or stand alone")),
        Kind::Flag => flag(field, operator, &values),
        Kind::Number(_) if operator == Operator::Like => {
            Err(wrong("=, !=, <, <=, >, >=, in and not in"))
        }
        Kind::Word(_) | Kind::Language if !is_equality => Err(wrong("=, !=, in and not in")),
        Kind::Text if !is_equality && operator != Operator::Like => {
            Err(wrong("=, !=, in, not in and like"))
        }
        _ if operator == Operator::Like => like(field, values),
        _ => {
            let values = values.into_iter().map(|(literal, span)| {
                value(field, literal).map_err(|wrong| Problem::Wrong(wrong, span))
            });
            let values = values.collect::<Result<Vec<_>, _>>()?;
            Ok(Expression::Test(Test {
                field,
                is: relation(operator, values),
            }))
        }
    }
}

fn relation(operator: Operator, values: Vec<Value>) -> Is {
    let number = match values.first() {
        Some(Value::Number(number)) => *number,
        _ => 0,
    };
    let mut distinct: Vec<Value> = Vec::new();
    for value in values {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    match operator {
        Operator::Less => Is::Less(number),
        Operator::AtMost => Is::AtMost(number),
        Operator::Greater => Is::Greater(number),
        Operator::AtLeast => Is::AtLeast(number),
        Operator::Unequal | Operator::NotIn => Is::NoneOf(distinct),
        Operator::Equal | Operator::In | Operator::Like => Is::OneOf(distinct),
    }
}

fn flag(field: Field, operator: Operator, values: &[(Literal, Span)]) -> Checked<Expression> {
    let test = Expression::Test(Test {
        field,
        is: Is::True,
    });
    let [(literal, span)] = values else {
        return Ok(test);
    };
    let is_true = match literal {
        Literal::Word(word) if matches!(word.as_str(), "true" | "yes") => true,
        Literal::Word(word) if matches!(word.as_str(), "false" | "no") => false,
        _ => {
            let wrong = Wrong::Type {
                field: field.name(),
                expected: "true or false".to_owned(),
            };
            return Err(Problem::Wrong(wrong, span.clone()));
        }
    };
    Ok(match is_true == (operator == Operator::Equal) {
        true => test,
        false => Expression::Not(Box::new(test)),
    })
}

fn like(field: Field, values: Vec<(Literal, Span)>) -> Checked<Expression> {
    let mut patterns = values.into_iter().map(|(literal, span)| {
        let text = match literal {
            Literal::Word(text) | Literal::Quoted(text) | Literal::Number(_, text) => text,
            Literal::Negative => String::new(),
        };
        let pattern = Pattern::new(text);
        pattern.map_err(|problem| Problem::Wrong(Wrong::Pattern(problem), span))
    });
    let pattern = patterns.next().unwrap_or_else(|| {
        let nothing = Wrong::Pattern("it is empty".to_owned());
        Err(Problem::Wrong(nothing, 0..0))
    })?;
    Ok(Expression::Test(Test {
        field,
        is: Is::Like(pattern),
    }))
}

fn value(field: Field, literal: Literal) -> Result<Value, Wrong> {
    let expected = |expected: String| Wrong::Type {
        field: field.name(),
        expected,
    };
    match field.kind() {
        Kind::Number(unit) => match literal {
            Literal::Number(parts, _) => number(field, unit, &parts).map(Value::Number),
            Literal::Negative => Err(Wrong::Negative {
                field: field.name(),
            }),
            Literal::Word(_) | Literal::Quoted(_) => {
                Err(expected(format!("a number, e.g. {}", unit.example())))
            }
        },
        Kind::Word(vocabulary) => match literal {
            Literal::Quoted(text) => Ok(Value::Word(vocabulary.normal(&text))),
            Literal::Word(text) => word(vocabulary, text),
            Literal::Number(_, text) if text.contains(|c: char| c.is_ascii_alphabetic()) => {
                word(vocabulary, text)
            }
            Literal::Number(..) | Literal::Negative => Err(expected(format!(
                "a {}, e.g. {}",
                vocabulary.of,
                vocabulary.first()
            ))),
        },
        Kind::Language => match literal {
            Literal::Word(text) | Literal::Quoted(text) => language(&text),
            Literal::Number(..) | Literal::Negative => Err(Wrong::Language),
        },
        Kind::Text | Kind::Flag => match literal {
            Literal::Word(text) | Literal::Quoted(text) | Literal::Number(_, text) => {
                Ok(Value::Word(text))
            }
            Literal::Negative => Err(expected("a text: put it into quotation marks".to_owned())),
        },
    }
}

fn word(vocabulary: &Vocabulary, word: String) -> Result<Value, Wrong> {
    match vocabulary.find(&word) {
        Some(name) => Ok(Value::Word(name.to_owned())),
        None if vocabulary.normal(&word) != word.to_ascii_lowercase() => {
            Ok(Value::Word(vocabulary.normal(&word)))
        }
        None => Err(Wrong::UnknownWord {
            word,
            of: vocabulary.of,
            known: vocabulary.all(),
        }),
    }
}

fn language(text: &str) -> Result<Value, Wrong> {
    match text.parse::<Language>() {
        Ok(language) if !matches!(language.as_str(), "any" | "original") => {
            Ok(Value::Word(language.as_str().to_owned()))
        }
        _ => Err(Wrong::Language),
    }
}

/// The sum of the parts of a number, as in `1 h 30 min`.
fn number(field: Field, unit: Unit, parts: &[(Decimal, Option<String>)]) -> Result<u64, Wrong> {
    let mut sum = 0_u64;
    for (part, name) in parts {
        let value = unit.value(*part, name.as_deref()).map_err(|unusable| {
            let field = field.name();
            match unusable {
                Unusable::UnknownUnit { known } => Wrong::Unit { field, known },
                Unusable::NoUnit { example } => Wrong::NoUnit { field, example },
                Unusable::NotWhole => Wrong::NotWhole { field },
                Unusable::TooLarge => Wrong::TooLarge,
            }
        })?;
        sum = sum.checked_add(value).ok_or(Wrong::TooLarge)?;
    }
    Ok(sum)
}
