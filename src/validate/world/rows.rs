//! Rules on columns that only the files tell: those of test rows and of the report's table.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::diagnostic::{Code, Diagnostic, Path};
use crate::source::{Column, Dataset};
use crate::spec::Spec;

use super::super::columns::advice;

pub(super) fn check(spec: &Spec, dataset: &Dataset, found: &mut Vec<Diagnostic>) {
    test_rows(spec, &dataset.file_columns(), found);
    map(spec, dataset, found);
}

/// Rows of tests have the columns of the files.
fn test_rows(spec: &Spec, columns: &[Column], found: &mut Vec<Diagnostic>) {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    for (index, case) in spec.tests.iter().enumerate() {
        // One row with a wrong name is usually one of many: the first tells.
        let mut told = BTreeSet::new();
        let at = Path::of("spec.tests").index(index).key("rows");
        for (row, values) in case.rows.iter().enumerate() {
            let unknown = values.keys().filter(|name| !names.contains(&name.as_str()));
            for name in unknown.filter(|name| told.insert(name.as_str())).collect::<Vec<_>>() {
                found.push(
                    Diagnostic::new(Code::UnknownColumn, format!("the files have no column `{name}`"))
                        .at_key(at.index(row).key(name))
                        .help(advice(name, &names)),
                );
            }
        }
    }
}

/// The report's map takes columns of a look-up table.
fn map(spec: &Spec, dataset: &Dataset, found: &mut Vec<Diagnostic>) {
    let Some(map) = &spec.report.map else { return };
    let Some((name, table)) = map.table.as_ref().and_then(|name| Some((name, dataset.table(name)?))) else {
        return;
    };
    let columns = table.columns();
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let given = [
        ("key", map.key.as_ref()),
        ("longitude", Some(&map.longitude)),
        ("latitude", Some(&map.latitude)),
        ("title", map.title.as_ref()),
    ];
    for (key, column) in given {
        if let Some(column) = column.filter(|column| !names.contains(&column.as_str())) {
            found.push(
                Diagnostic::new(Code::UnknownColumn, format!("the table `{name}` has no column `{column}`"))
                    .at(Path::of("spec.report.map").key(key))
                    .help(advice(column, &names)),
            );
        }
    }
    for (key, column) in [("longitude", &map.longitude), ("latitude", &map.latitude)] {
        if table.values(column).is_some_and(|values| !values.is_empty() && !values.iter().any(is_number)) {
            let message = format!("no value of `{column}` is a number, so nothing would be on the map");
            found.push(
                Diagnostic::new(Code::ColumnType, message)
                    .at(Path::of("spec.report.map").key(key))
                    .help("name the columns that hold degrees, such as `-73.9`"),
            );
        }
    }
}

/// Whether a value is a number, or a text that reads as one.
fn is_number(value: &Value) -> bool {
    value.is_number() || value.as_str().is_some_and(|text| text.parse::<f64>().is_ok())
}
