//! Rules for `expect:`, and for the same counts in tests.

use indexmap::IndexMap;

use crate::diagnostic::{Code, Diagnostic, Path, did_you_mean};
use crate::spec::Spec;

use super::graph::Made;
use super::words;

pub(super) fn check(spec: &Spec, found: &mut Vec<Diagnostic>) {
    let at = Path::of("spec.expect");
    let Some(made) = Made::by(&spec.mapping) else { return };
    counts(&made, &spec.expect.nodes, &spec.expect.relationships, &at, found);
    for (index, case) in spec.tests.iter().enumerate() {
        counts(&made, &case.nodes, &case.relationships, &Path::of("spec.tests").index(index), found);
    }
}

fn counts(
    made: &Made<'_>,
    nodes: &IndexMap<String, u64>,
    relationships: &IndexMap<String, u64>,
    at: &Path,
    found: &mut Vec<Diagnostic>,
) {
    let groups =
        [("nodes", nodes, &made.labels, "label"), ("relationships", relationships, &made.types, "type")];
    for (group, counts, known, noun) in groups {
        for name in counts.keys().filter(|name| !known.contains(&name.as_str())) {
            let names = known.iter().copied();
            let help = did_you_mean(name, names.clone())
                .unwrap_or_else(|| format!("{noun}s: {}", words::list(names)));
            found.push(
                Diagnostic::new(
                    Code::UnknownName,
                    format!("the mapping makes nothing with the {noun} `{name}`"),
                )
                .at_key(at.key(group).key(name))
                .help(help),
            );
        }
    }
}
