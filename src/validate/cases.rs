//! Rules for `tests:`.

use crate::diagnostic::{Code, Diagnostic, Path, did_you_mean};
use crate::spec::Spec;

use super::{analyses, cypher, graph, words};

pub(super) fn check(spec: &Spec, found: &mut Vec<Diagnostic>) {
    let at = Path::of("spec.tests");
    super::unique(spec.tests.iter().map(|case| case.name.as_str()), "tests", &at, found);
    let made = graph::made(spec);
    for (index, case) in spec.tests.iter().enumerate() {
        for (position, query) in case.queries.iter().enumerate() {
            let at = at.index(index).key("queries").index(position).key("cypher");
            cypher::query(spec, &query.cypher, made.as_ref(), &at, found);
        }
        for (position, expected) in case.analyses.iter().enumerate() {
            let at = at.index(index).key("analyses").index(position);
            let known = || spec.analyses.iter().map(|analysis| analysis.name.as_str());
            match spec.analyses.iter().find(|analysis| analysis.name == expected.name) {
                Some(analysis) => analyses::assertions(analysis, &expected.assert, &at.key("assert"), found),
                None => found.push(
                    Diagnostic::new(Code::UnknownName, format!("no analysis is called `{}`", expected.name))
                        .at(at.key("name"))
                        .help(
                            did_you_mean(&expected.name, known())
                                .unwrap_or_else(|| words::all("analyses", known())),
                        ),
                ),
            }
        }
    }
}
