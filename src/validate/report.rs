//! Rules for `report:`.

use crate::diagnostic::{Code, Diagnostic, Path, did_you_mean};
use crate::spec::Spec;

use super::words;

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
    let Some(table) = &map.table else { return };
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
