#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// What is read of a statement, one line a fact, for snapshots.
fn described(text: &str) -> String {
    let statement = read(text);
    let mut out = String::new();
    let _ = writeln!(out, "{}\n---", text.trim_end());
    describe_clauses(&statement.clauses, 0, &mut out);
    for used in &statement.event.columns {
        let _ = writeln!(
            out,
            "column {} at `{}` in `{}`",
            used.column,
            &text[used.name_range.clone()],
            &text[used.range.clone()]
        );
    }
    if !statement.event.whole.is_empty() {
        let _ = writeln!(out, "the whole row, {} times", statement.event.whole.len());
    }
    for (range, with) in &statement.event.lost {
        let _ = writeln!(out, "lost at byte {}, by `{}`", range.start, &text[with.clone()]);
    }
    for unbound in statement.unbound.iter().filter(|unbound| unbound.name != EVENT) {
        let _ = writeln!(out, "not bound: {}", unbound.name);
    }
    for (name, _) in &statement.parameters {
        let _ = writeln!(out, "parameter {name}");
    }
    for fault in &statement.faults {
        let _ = writeln!(out, "fault {:?} at `{}`", fault.kind, &text[fault.range.clone()]);
    }
    let made = statement.made(&|_| None);
    describe_made("makes", &made.nodes, made.open_labels, &mut out);
    describe_made("joins", &made.relationships, made.open_types, &mut out);
    out
}

fn describe_clauses(clauses: &[Clause], depth: usize, out: &mut String) {
    for clause in clauses {
        let _ = write!(out, "{}{:?}", "  ".repeat(depth), clause.kind);
        if let Some(procedure) = &clause.procedure {
            let _ = write!(out, " {procedure}");
        }
        for path in &clause.patterns {
            let names = |labels: &[Label]| {
                labels.iter().map(|label| label.name.clone()).collect::<Vec<_>>().join("&")
            };
            let entries = |properties: &Properties| match properties {
                Properties::None => String::new(),
                Properties::Unknown => " {?}".to_owned(),
                Properties::Map(entries) => {
                    let entries: Vec<String> = entries
                        .iter()
                        .map(|entry| format!("{}: {:?}", entry.name, entry.value.shape))
                        .collect();
                    format!(" {{{}}}", entries.join(", "))
                }
            };
            let _ = write!(out, " /");
            for node in &path.nodes {
                let dynamic = if node.dynamic { "?" } else { "" };
                let variable = node.variable.as_deref().unwrap_or("_");
                let _ = write!(
                    out,
                    " ({variable}:{}{dynamic}{})",
                    names(&node.labels),
                    entries(&node.properties)
                );
            }
            for relationship in &path.relationships {
                let variable = relationship.variable.as_deref().unwrap_or("_");
                let _ = write!(
                    out,
                    " [{variable}:{}{} {:?}]",
                    names(&relationship.types),
                    entries(&relationship.properties),
                    relationship.direction
                );
            }
            if path.partial {
                let _ = write!(out, " partial");
            }
        }
        for set in &clause.sets {
            let _ = match set {
                SetItem::Property { variable, name, value, .. } => {
                    write!(out, " / {variable}.{name} = {:?}", value.shape)
                }
                SetItem::Labels { variable, labels, .. } => {
                    write!(out, " / {variable} gets {} labels", labels.len())
                }
                SetItem::Map { variable, entries } => {
                    write!(out, " / {variable} gets {:?} entries", entries.as_ref().map(Vec::len))
                }
                SetItem::Unknown => write!(out, " / ?"),
            };
        }
        let _ = writeln!(out);
        describe_clauses(&clause.body, depth + 1, out);
    }
}

fn describe_made(
    verb: &str,
    of: &std::collections::BTreeMap<String, MadeProperties>,
    open: bool,
    out: &mut String,
) {
    for (name, properties) in of {
        let known: Vec<String> = properties
            .known
            .iter()
            .map(|(name, kind)| kind.map_or_else(|| name.clone(), |kind| format!("{name} {kind}")))
            .collect();
        let more = if properties.open { " and more" } else { "" };
        let _ = writeln!(out, "{verb} {name}: {}{more}", known.join(", "));
    }
    if open {
        let _ = writeln!(out, "{verb} others, perhaps");
    }
}

/// Texts as people write them, and broken ones.
const TEXTS: &[(&str, &str)] = &[
    (
        "the_mission",
        "MERGE (p:Location {name: toInteger(event.PULocationID)})
MERGE (d:Location {name: toInteger(event.DOLocationID)})
MERGE (p)-[:TRIP {distance: toFloat(event.trip_distance), fare: toFloat(event.fare_amount),
                  pickup_dt: datetime(event.tpep_pickup_datetime),
                  dropoff_dt: datetime(event.tpep_dropoff_datetime)}]->(d)",
    ),
    (
        "kafka_connect",
        "MERGE (c:Customer {customerId: event.customerId})
  ON CREATE SET c.created = timestamp()
  ON MATCH SET c.seen = timestamp(), c += event.properties
WITH c, event
UNWIND event.orders AS order
MERGE (o:Order {id: order.id}) SET o.total = toFloat(order.total)
MERGE (c)-[:PLACED]->(o);",
    ),
    (
        "comments_and_strings",
        "// MERGE (x:Commented {a: event.commented})
/* CREATE (y:AlsoCommented) { */
MERGE (a:Thing {text: 'MERGE (z:Str {k: event.no}) // } it\\'s', other: \"/* } */\"}) // event.trailing
SET a.`odd } name` = event.`Trip Distance`",
    ),
    (
        "subscripts_and_projection",
        "CREATE (a:Thing {x: event['trip miles'], y: event[\"it's\"]}) SET a += event {.speed, .fare, extra: event.z}",
    ),
    ("lower_case", "merge (p:Place {id: event.id}) on create set p.first = true with p, event match (q:Place) where q.id = event.to create (p)-[:TO]->(q)"),
    (
        "foreach_and_case",
        "MERGE (p:Person {id: event.id})
FOREACH (_ IN CASE WHEN event.employer IS NOT NULL THEN [1] ELSE [] END |
  MERGE (e:Employer {name: event.employer})
  MERGE (p)-[:WORKS_AT {since: date(event.since)}]->(e)
)",
    ),
    (
        "subquery",
        "MERGE (p:Person {id: event.id})
WITH p, event
CALL (p, event) { MATCH (p)-[r:OLD]->() DELETE r }
CALL { WITH event MATCH (c:City {name: event.city}) RETURN c }
MERGE (p)-[:LIVES_IN]->(c)",
    ),
    (
        "in_transactions",
        "CALL { WITH event CREATE (:A {x: event.x}) } IN 3 CONCURRENT TRANSACTIONS OF 10 ROWS ON ERROR CONTINUE",
    ),
    ("apoc", "CALL apoc.merge.node([event.label], {id: event.id}) YIELD node AS n SET n.seen = true RETURN n"),
    ("dynamic_labels", "MERGE (n:$(event.label) {id: event.id}) SET n:$($more) CREATE (n)-[:$(event.kind)]->(:Fixed)"),
    ("labels_in_every_form", "MERGE (a:A:B {k: 1}) MERGE (b:C&D {k: 2}) SET a:E:F MATCH (c:G|H) MATCH (d IS I) CREATE (a)-[:R]->(b)"),
    ("map_parameter", "CREATE (a:A $props) SET a += $more, a[$key] = 1"),
    ("whole_row", "CREATE (a:A) SET a = event"),
    ("alias", "WITH event AS e CREATE (a:A {x: e.x})"),
    ("lost_event", "MERGE (p:P {id: event.id}) WITH p MERGE (q:Q {id: event.other}) MERGE (p)-[:R]->(q)"),
    ("carried_event", "WITH *, event.x AS x WITH DISTINCT event, x ORDER BY event.x WHERE event.y > 1 MERGE (p:P {id: event.id})"),
    ("rebound_event", "UNWIND event.events AS event MERGE (p:P {id: event.inner})"),
    (
        "comprehensions",
        "MATCH (a:A {id: event.id})
SET a.names = [x IN event.items WHERE x.ok | x.name], a.total = reduce(sum = 0, i IN event.items | sum + i.n),
    a.friends = [(a)-[:KNOWS]->(f:Friend) WHERE f.age > 3 | f.name], a.any = any(event IN event.list WHERE event.k = 1)",
    ),
    (
        "existential",
        "MATCH (a:A {id: event.id}) WHERE NOT EXISTS { MATCH (a)-[:R]->(b:B) WHERE b.x = event.x }
  AND COUNT { (a)-->() } > 2 AND a.name STARTS WITH event.prefix
CREATE (a)-[:NEW]->(:B {x: event.x})",
    ),
    ("quantified_path", "MATCH p = (a:Stop) ((l)-[:NEXT]->(r)){1,3} (b:Stop) SET a.seen = length(p)"),
    ("shortest_path", "MATCH p = shortestPath((a:Stop {id: event.from})-[:NEXT*..5]-(b:Stop {id: event.to})) SET a.hops = length(p)"),
    ("variable_length", "MATCH (a:A)-[r:X|Y*1..3 {k: 1}]-(b), (c)<--(d)<-[:Z]-(e)--(f) CREATE (a)-[:W]->(f)"),
    ("keywords_as_names", "MERGE (match:Set {create: event.merge, order: event.`where`}) SET match.delete = event.return, match.with = 1"),
    ("quoted_names", "MERGE (`a b`:`Odd ``Label` {`key-1`: event.`col 1`}) CREATE (`a b`)-[:`HAS-IT`]->(:Ünïcode {ключ: event.ключ})"),
    ("numbers", "CREATE (a:N {a: 1, b: 1.5, c: .5, d: 1e-3, e: 0xFF, f: -7, g: 1..2, h: true, i: null, j: 'x', k: other})"),
    ("union", "MERGE (a:A {x: event.x}) WITH a RETURN a.x AS x UNION MERGE (b:B {y: event.y}) RETURN b.y AS x"),
    ("load_csv", "LOAD CSV WITH HEADERS FROM 'file:///x.csv' AS row CREATE (:A {x: row.x})"),
    ("schema", "CREATE CONSTRAINT c IF NOT EXISTS FOR (n:A) REQUIRE n.x IS UNIQUE"),
    ("version_prefix", "CYPHER 25 MERGE (a:A {x: event.x})"),
    ("misspelt_variable", "MERGE (p:P {id: evnt.id}) SET p.x = toInteger(Event.x), q.y = apoc.text.join(event.list, ''), p.z = date.truncate('day', event.d)"),
    ("event_as_node", "MERGE (event:Event {id: event.id})"),
    ("remove_and_delete", "MATCH (a:A {id: event.id})-[r]-() REMOVE a.x, a:Old DETACH DELETE r"),
    ("set_chain", "MERGE (a:A {id: event.id}) SET a.x = event.x, a.point = point({latitude: event.lat, longitude: event.lon}), a:Big"),
    ("call_unit", "MERGE (a:A {id: event.id}) WITH a CALL db.awaitIndexes(event.n) SET a.done = true"),
    // What is broken.
    ("unclosed_brace", "MERGE (p:P {id: event.id)\nMERGE (q:Q)"),
    ("unclosed_parenthesis", "MERGE (p:P {id: toInteger(event.id})"),
    ("unclosed_string", "MERGE (p:P {id: 'abc})\nMERGE (q:Q)"),
    ("unclosed_comment", "MERGE (p:P {id: 1}) /* never"),
    ("stray_bracket", "MERGE (p:P {id: 1}))"),
    ("missing_values", "MERGE (p:P {id: , x: }) SET p.y = , p.z = 1"),
    ("misspelt_clause", "MERGE (p:P {id: event.id})\nMREGE (q:Q {id: event.other})"),
    ("misspelt_first_clause", "MERG (p:P {id: event.id}) MERGE (q:Q {id: 1})"),
    ("no_clause_at_all", "event.id"),
    ("two_statements", "MERGE (p:P {id: 1}); MERGE (q:Q {id: 2});"),
    ("empty", "  // nothing\n"),
];

#[test]
fn texts_are_read_as_they_are_meant() {
    let all: Vec<String> =
        TEXTS.iter().map(|(name, text)| format!("##### {name}\n{}", described(text))).collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn names_are_quoted_where_they_must_be() {
    let table = [
        ("name", "name"),
        ("_x1", "_x1"),
        ("Trip Distance", "`Trip Distance`"),
        ("a`b", "`a``b`"),
        ("`) DETACH DELETE (n", "```) DETACH DELETE (n`"),
        ("1st", "`1st`"),
        ("match", "`match`"),
        ("größe", "`größe`"),
        ("", "``"),
        ("a\\u0060b", "`a\\u005Cu0060b`"),
    ];
    for (name, expected) in table {
        assert_eq!(quoted(name), expected);
    }
}

#[test]
fn values_are_written_as_literals() {
    let value = json!({"a b": [1, 2.5, true, null], "text": "it's \\ a\nline", "big": 12_345_678_901_234_567_890_u64});
    assert_eq!(
        literal(&value),
        r"{`a b`: [1, 2.5, true, null], text: 'it\'s \\ a\nline', big: 12345678901234567890}"
    );
}

#[test]
fn the_plain_text_keeps_every_place() {
    let text = "/* a\nb */ MERGE (p) // c\n ; rest";
    let plain = read(text).plain_text(text);
    assert_eq!(plain, "    \n     MERGE (p)");
}

#[test]
fn the_embedded_engine_is_asked_about_the_text() {
    let fine = "/* a comment */ MERGE (p:P {id: event.id}) // another\n;";
    assert_eq!(engine_syntax(fine, true), None);
    let text = "MERGE (p:P {id: event.id})\nMERGE (q:Q {text: 'ü', id: 5 6})";
    let error = engine_syntax(text, true).unwrap();
    assert_eq!((error.message.as_str(), &text[error.range]), ("expected `}`, found `6`", "6"));
    let text = "MERGE (p:P {größe: 1})";
    let error = engine_syntax(text, true).unwrap();
    assert_eq!((error.message.as_str(), &text[error.range]), ("unexpected character 'ö'", "größe"));
    let unsupported = "MERGE (p:P {id: 1}) WITH p, event CALL (event) { CREATE (:Q {id: event.id}) }";
    assert!(engine_syntax(unsupported, true).unwrap().message.starts_with("write clauses"));
    assert_eq!(engine_syntax("MATCH (n) RETURN n", false), None);
    assert_eq!(engine_syntax("", false), None);
}

#[test]
fn a_property_that_is_never_made_is_found_in_a_query() {
    let made = read(
        "MERGE (p:P {id: event.id}) SET p.name = 'x' MERGE (q:Q {id: 1}) SET q += event.more CREATE (p)-[:R {w: 1}]->(q)",
    );
    let made = made.made(&|_| None);
    let table: &[(&str, &[&str])] = &[
        ("MATCH (p:P {id: 1})-[r:R]->(q:Q) WHERE p.name = 'x' RETURN r.w, q.anything, p.id.x", &[]),
        (
            "MATCH (p:P {idd: 1})-[r:R {v: 1}]->() WHERE p.nam = 'x' RETURN r.wait AS w",
            &["idd", "v", "nam", "wait"],
        ),
        ("MATCH (p:P) RETURN count { (p) WHERE p.nam = 1 }, p {.name}, [x IN [1] | x.y]", &["nam"]),
        ("MATCH (p:P:Q) WHERE p.nam = 1 RETURN p", &[]),
        ("MATCH (p) RETURN p.nam", &[]),
        ("MATCH (p) MATCH (p:P) RETURN p.nam", &[]),
        ("MATCH (n:P) WITH n.id AS n RETURN n.nam", &[]),
        ("MATCH (p:Other {nam: 1}) RETURN p.nam", &[]),
        ("MATCH (p:P) RETURN p.nam(1), apoc.p.nam, p.`na m`", &["na m"]),
        ("MATCH ()-[r:R|S]->() RETURN r.v", &[]),
    ];
    for (text, expected) in table {
        let statement = read(text);
        let lacking: Vec<&str> = statement
            .properties
            .iter()
            .filter(|used| made.lacks_property(used))
            .map(|used| used.name.as_str())
            .collect();
        assert_eq!(&lacking, expected, "{text}");
    }
}

#[test]
fn deep_nesting_ends() {
    for text in [
        "(".repeat(100_000),
        "FOREACH (x IN y | ".repeat(20_000),
        "CALL { ".repeat(20_000) + &"}".repeat(20_000),
    ] {
        let _ = read(&text).made(&|_| None);
    }
    let deep = format!("MATCH {}(a){}", "(".repeat(50_000), ")".repeat(50_000));
    assert!(read(&deep).faults.is_empty());
    let calls = format!("CREATE (a:A {{x: {}event.x{}}})", "toInteger(".repeat(50_000), ")".repeat(50_000));
    assert_eq!(read(&calls).event.columns.len(), 1);
}

#[test]
fn a_long_text_is_read_in_a_short_time() {
    let pieces = [
        "WITH a ",
        "AS event ",
        "(event IN event.x) ",
        "[event IN ",
        "MATCH (a), (b) ",
        "MERGE (a)-[r:R]->(b) SET r.x = r.y + 1, a.x = 1 WHERE event.x = 1 ",
        "CALL a.b(x.y) YIELD z ",
        "(), ",
        "{a: ",
        "event.x + ",
    ];
    let began = std::time::Instant::now();
    for piece in pieces {
        let text = piece.repeat(200_000 / piece.len());
        let _ = crate::graph::mapping::findings(&format!("MATCH {text}"), None, false);
        let _ = read(&text).made(&|_| None);
    }
    // It takes a second or two, unoptimised; in quadratic time it would take minutes.
    assert!(began.elapsed().as_secs() < 60);
}

/// Every range that a statement holds.
fn ranges(statement: &Statement) -> Vec<Range<usize>> {
    let event = &statement.event;
    let mut all: Vec<Range<usize>> = statement.comments.clone();
    all.extend(statement.faults.iter().map(|fault| fault.range.clone()));
    all.extend(event.columns.iter().flat_map(|used| [used.range.clone(), used.name_range.clone()]));
    all.extend(event.whole.iter().chain(&event.as_pattern).cloned());
    all.extend(event.lost.iter().flat_map(|(range, with)| [range.clone(), with.clone()]));
    all.extend(statement.unbound.iter().map(|unbound| unbound.range.clone()));
    all.extend(statement.parameters.iter().map(|(_, range)| range.clone()));
    all.extend(statement.properties.iter().map(|used| used.range.clone()));
    for clause in statement.all_clauses() {
        all.extend([clause.keyword.clone(), clause.range.clone()]);
        for path in &clause.patterns {
            all.push(path.range.clone());
            for node in &path.nodes {
                all.push(node.range.clone());
                all.extend(node.labels.iter().map(|label| label.range.clone()));
                all.extend(
                    node.properties
                        .entries()
                        .iter()
                        .flat_map(|entry| [entry.name_range.clone(), entry.value.range.clone()]),
                );
            }
            all.extend(path.relationships.iter().map(|relationship| relationship.range.clone()));
        }
    }
    all
}

fn check(text: &str) {
    let statement = read(text);
    for range in ranges(&statement) {
        assert!(text.get(range.clone()).is_some(), "{range:?} of {text:?}");
    }
    let _ = statement.made(&|_| None);
    assert!(text.is_char_boundary(statement.end));
    assert!(statement.plain_text(text).len() <= text.len());
    let event = json!({"x": "ä"});
    let _ = crate::graph::mapping::bind(text, &statement, &event);
    let _ = crate::graph::mapping::findings(text, Some(&[]), false);
    if let Some(error) = engine_syntax(text, true) {
        assert!(text.get(error.range).is_some());
    }
}

#[test]
fn every_beginning_of_a_text_can_be_read() {
    for (_, text) in TEXTS {
        for (end, _) in text.char_indices() {
            check(&text[..end]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_can_be_read(text in "\\PC*") {
        check(&text);
    }

    #[test]
    fn any_text_like_cypher_can_be_read(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "MERGE", "CREATE", "MATCH", "SET", "ON", "WITH", "AS", "IN", "CALL", "FOREACH", "UNWIND", "RETURN", "event", "p",
                "`ä b`", "'text'", "'", "`", "\"", "(", ")", "[", "]", "{", "}", ":", ".", "..", ",", "|", "=", "+=", "-", "->", "<-",
                "1", "1.5", ".5", "$x", "$", "//", "/*", "*/", "\n", " ", ";", "TRANSACTIONS", "USE", "é", "*",
            ]),
            0..40,
        ),
    ) {
        check(&pieces.join(" "));
        check(&pieces.concat());
    }

    #[test]
    fn a_quoted_name_is_read_back(name in "[^\\\\]*") {
        let text = format!("CREATE (a:{})", quoted(&name));
        let statement = read(&text);
        let labels = &statement.clauses[0].patterns[0].nodes[0].labels;
        prop_assert_eq!(labels.len(), 1);
        prop_assert_eq!(&labels[0].name, &name);
    }
}

#[test]
fn calls_are_told_from_what_looks_like_one() {
    let calls = |text: &str| read(text).calls.into_iter().map(|call| call.name).collect::<Vec<_>>();
    for (text, expected) in [
        (
            "MERGE (p:P {id: toInterger(event.x), on: date.truncate('day', date(event.d))})",
            &["toInterger", "date"][..],
        ),
        (
            "MATCH (a) WHERE NOT (a)-->() AND size(keys(a)) > 1 RETURN DISTINCT cont (a)",
            &["size", "keys", "cont"],
        ),
        ("MATCH (n:Label) USING INDEX n:Label(id) RETURN n", &[]),
        ("CALL labels() YIELD label RETURN CASE WHEN (1 = 1) THEN (2) ELSE (3) END", &[]),
        ("MATCH p = SHORTEST 1 (a)-->(b) RETURN all(x IN nodes(p) WHERE x.y IN (1)), count(*)", &["nodes"]),
        ("MATCH ((a)-->(b)){1,3} (c) RETURN {a: upper(c.d)}.a, `odd name`(1)", &["upper"]),
    ] {
        assert_eq!(calls(text), expected, "{text}");
    }
    for known in ["toInteger", "TOINTEGER", "collect", "text_ngrams", "randomUUID"] {
        assert!(is_function(known), "{known}");
    }
    assert!(!is_function("cont") && !is_function("toInterger"));
}
