//! Rules for `report:`.

use crate::diagnostic::{Code, Diagnostic, Path, did_you_mean};
use crate::spec::{Map, Spec};

use super::{graph, words};

pub(super) fn check(spec: &Spec, found: &mut Vec<Diagnostic>) {
    let at = Path::of("spec.report.map");
    let Some(map) = &spec.report.map else { return };
    match (&map.table, &map.key) {
        (Some(_), None) => found.push(
            Diagnostic::new(
                Code::MissingKey,
                "`table` needs `key`: the column that holds the same values as `identify`",
            )
            .at_key(at.key("table")),
        ),
        (None, Some(_)) => found.push(
            Diagnostic::new(Code::UnusedKey, "`key` has no effect without `table`").at_key(at.key("key")),
        ),
        _ => {}
    }
    let Some(table) = &map.table else {
        properties(spec, map, &at, found);
        return;
    };
    let tables = || spec.source.iter().flat_map(|source| source.tables.keys()).map(String::as_str);
    if tables().any(|known| known == table) {
        return;
    }
    let finding = Diagnostic::new(Code::UnknownName, format!("`source.tables` has no table `{table}`"))
        .at(at.key("table"));
    let help = match (did_you_mean(table, tables()), tables().next()) {
        (Some(meant), _) => meant,
        (None, Some(_)) => format!("tables: {}", words::list(tables())),
        (None, None) => format!("add it: `source: {{ tables: {{ {table}: data/{table}.csv }} }}`"),
    };
    found.push(finding.help(help));
}

/// Without a table, the map's names are properties of nodes.
fn properties(spec: &Spec, map: &Map, at: &Path, found: &mut Vec<Diagnostic>) {
    let Some(known) = graph::made(spec).and_then(|made| graph::node_properties(&made, &[])) else { return };
    let names = [
        ("longitude", Some(&map.longitude)),
        ("latitude", Some(&map.latitude)),
        ("title", map.title.as_ref()),
    ];
    for (key, name) in names {
        if let Some(name) = name.filter(|name| !known.contains(*name)) {
            found.push(graph::not_made("property", name, known.iter()).at(at.key(key)));
        }
    }
}
