//! The stable codes of findings and faults, with their explanations.
//!
//! A variant's documentation is its explanation: `runner explain` prints it, and `docs/codes.md` is made from it.

use strum::{EnumIter, EnumMessage, EnumString};

/// A stable code. The first paragraph of a variant's documentation says what it means; what follows says why, and what to do.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    strum::Display,
    EnumString,
    EnumIter,
    EnumMessage,
)]
#[strum(serialize_all = "kebab-case")]
pub enum Code {
    // ---- the file's form ----
    /// The file cannot be read.
    ///
    /// It is missing, a folder, not allowed to be read, not UTF-8, or larger than 4 MiB.
    UnreadableFile,
    /// The file is not YAML.
    ///
    /// The marked place is where the reader lost its way; the mistake is often on the line before. Nothing behind it can be
    /// checked until it is mended.
    ///
    /// ```yaml
    /// filter: note: a text with a colon     # wrong
    /// filter: "note: a text with a colon"   # right
    /// ```
    InvalidYaml,
    /// A key stands twice in the same mapping.
    ///
    /// YAML forbids it, and programs disagree on which of the two counts: one of them would be ignored in silence. Keep one.
    DuplicateKey,
    /// A form of YAML that pipeline files do not use.
    ///
    /// Keys that are no text, tags such as `!!int`, aliases inside of what they name, infinity, and several documents in one
    /// file are refused, since two readers could take them two ways.
    ///
    /// ```yaml
    /// nodes: { 1: 42 }      # wrong: the key is a number
    /// nodes: { "1": 42 }    # right
    /// ```
    UnsupportedYaml,
    /// The file nests or repeats too much.
    ///
    /// Nesting deeper than 64 levels, and aliases that unfold to more than 100,000 values, are refused: no pipeline needs
    /// them, and they are how a small file fills a large memory.
    YamlTooLarge,
    /// The file holds no pipeline.
    ///
    /// It is empty, or its top is not a mapping with `apiVersion`, `kind`, `metadata` and `spec`. `runner init` writes a
    /// file to start from.
    ///
    /// ```yaml
    /// apiVersion: runner.dev/v1alpha1
    /// kind: Pipeline
    /// metadata: { name: my-pipeline }
    /// spec: …
    /// ```
    NotAPipeline,
    /// An environment variable that the file names is not set.
    ///
    /// `${NAME}` in a text stands for the value of an environment variable, so that one file serves several places. The
    /// message lists each name that was tried. Set the variable, or give a default.
    ///
    /// ```yaml
    /// bootstrap: ${KAFKA}                  # fails where KAFKA is not set
    /// bootstrap: ${KAFKA:-localhost:9092}  # has a default
    /// ```
    MissingVariable,
    /// What looks like an environment variable is not one.
    ///
    /// The form is `${NAME}` or `${NAME:-default}`, where a name is made of letters, digits and `_`. Where a text shall hold
    /// `${` itself, write `$${`.
    InvalidVariable,
    /// A text looks like an environment variable whose `$` was forgotten, or whose braces were.
    ///
    /// Only `${NAME}` is replaced; `{NAME}`, `$NAME` and `$(NAME)` stay as they are.
    ///
    /// ```yaml
    /// bootstrap: "{KAFKA}"   # wrong
    /// bootstrap: ${KAFKA}    # right
    /// ```
    SuspiciousVariable,

    // ---- keys and values ----
    /// A key that is not known here.
    ///
    /// It would be ignored, and what you meant by it would not happen. Keys are case-sensitive. The help line names the
    /// nearest known key, the place where the key belongs, or all keys that are known here.
    UnknownKey,
    /// A key that must be there is missing.
    ///
    /// The marked place is the mapping that lacks it.
    MissingKey,
    /// A value has the wrong type.
    ///
    /// Mind that YAML reads `3` as a number and `"3"` as a text, and that `yes`, `no`, `on` and `off` are texts, not truth
    /// values.
    ///
    /// ```yaml
    /// partitions: "3"   # wrong: a text
    /// partitions: 3     # right
    /// ```
    WrongType,
    /// A value is not one of those that are allowed here.
    ///
    /// It is not in the list of names, outside of the range, or not of the required form; the message says which.
    InvalidValue,
    /// Two keys stand together that exclude each other, or none stands where one must.
    ///
    /// Some mappings want exactly one of several keys: `infrastructure` one of `embedded`, `external` and `kubernetes`; a
    /// secret's source one of `env`, `file` and `secret`; `mapping` either `cypher` or `nodes`; an analysis `gds` or `cypher`; an
    /// assertion one of `rows`, `top` and `value`.
    OneOf,
    /// A key that has no effect beside the others.
    ///
    /// It is not wrong, but what it says does not happen, such as a projection beside a `cypher` analysis. Remove it.
    UnusedKey,
    /// A name is given twice where names must tell things apart.
    ///
    /// Analyses, tests and the nodes of a mapping are referred to by name. Rename one of them.
    DuplicateName,
    /// A name refers to something that the file does not have.
    ///
    /// The help line names the nearest one, or all that there are.
    UnknownName,
    /// `allow` names a code that does not exist, or one that cannot be allowed.
    ///
    /// Only warnings and the outcomes of a run can be allowed. `runner explain` lists all codes.
    UnknownCode,

    // ---- infrastructure and topic ----
    /// The security settings of a connection contradict each other.
    ///
    /// The SASL protocols need `sasl`, and the others ignore it; the SSL protocols alone use `tls`.
    ///
    /// ```yaml
    /// security:
    ///   protocol: SASL_SSL
    ///   sasl: { mechanism: SCRAM-SHA-512, username: runner, passwordFrom: { env: KAFKA_PASSWORD } }
    /// ```
    SecurityMismatch,
    /// A password would travel over the network in clear text.
    ///
    /// SASL's mechanism PLAIN and an unencrypted connection together let anyone on the way read the password. Use `SASL_SSL`, or a
    /// SCRAM mechanism.
    UnencryptedPassword,
    /// A secret stands in the file in clear text.
    ///
    /// Pipeline files live in version control, where a secret can never be taken back. Name its place instead; runner
    /// never prints the value.
    ///
    /// ```yaml
    /// passwordFrom: { env: NEO4J_PASSWORD }
    /// passwordFrom: { file: /run/secrets/neo4j }
    /// passwordFrom: { secret: { name: neo4j-auth, key: password } }
    /// ```
    SecretInFile,
    /// The topic's name cannot be used.
    ///
    /// Kafka refuses `.` and `..`; a name that ends in `.dlq` is kept for records that cannot be written to the graph.
    TopicName,
    /// More copies of each partition are asked for than there are brokers to hold them.
    ///
    /// Kafka refuses such a topic. Lower `topic.replication`. `kafka.brokers` can be raised only where Kafka is not deployed yet: the number
    /// is fixed from then on.
    Replication,

    /// The topic is compacted, and would lose rows.
    ///
    /// With `cleanup.policy: compact` Kafka keeps only the last row of each key and deletes the others when it likes. A pipeline's
    /// rows are events of their own, which all belong into the graph.
    CompactedTopic,
    /// An analysis needs a plugin that the server will not have.
    ///
    /// `engine: server` runs in Neo4j's Graph Data Science library. Add it to the plugins, or use the built-in engine, which gives
    /// the same results.
    ///
    /// ```yaml
    /// neo4j: { plugins: [graph-data-science] }
    /// ```
    MissingPlugin,
    /// The chart that `neo4j.helm` names gives no manifests.
    ///
    /// runner runs `helm template` and applies what it writes. The message holds what helm said, or what of its output runner does
    /// not take: a Secret in a manifest could be read by everybody who reads the manifest.
    ChartFailed,
    /// An image is named without a version.
    ///
    /// What `latest`, or no tag at all, stands for changes: pods of one set would run different programs, and yesterday's run could
    /// not be repeated. Name a version or a digest.
    MovingImage,
    /// A secret is not where the file says.
    ///
    /// The message lists each name and file that was tried. Secrets are looked for only where the servers that need them will be
    /// used.
    MissingSecret,

    // ---- source ----
    /// A column that is not there.
    ///
    /// Names of columns are case-sensitive, as in the file. The help line names the nearest ones.
    UnknownColumn,
    /// A look-up table that nothing uses.
    ///
    /// It would be read for nothing, or its name is misspelt where it is used. Name it in `source.filter` or
    /// `report.map`, or remove it.
    UnusedTable,

    /// A column is sent that nothing uses.
    ///
    /// Each selected column is read, encoded, carried and kept for every row. Remove it from `select`, or use it in the mapping.
    UnusedColumn,

    // ---- mapping ----
    /// The Cypher cannot be read.
    ///
    /// A bracket or quote is not closed, a clause is misspelt, or the embedded engine does not know the form. The place is
    /// inside of the text.
    CypherSyntax,
    /// The Cypher does something that its place does not allow.
    ///
    /// A mapping is run for each row inside of a statement and a transaction of runner's own, so it has no `RETURN`, no
    /// `LOAD CSV` and no transactions; a query only reads.
    CypherNotAllowed,
    /// A variable that nothing binds.
    ///
    /// A pattern, `AS` or `UNWIND` binds one. In a mapping the row is `event`, and behind a `WITH` only what it carries on. There are no parameters.
    ///
    /// ```cypher
    /// WITH p MERGE (d:Zone {id: event.to_zone})          // wrong: event is lost
    /// WITH p, event MERGE (d:Zone {id: event.to_zone})   // right
    /// ```
    UnknownVariable,
    /// The mapping changes nothing in the graph.
    ///
    /// Rows would be read and forgotten. Use `MERGE`, `CREATE` or `SET`.
    WritesNothing,
    /// Nodes are merged by properties that no constraint keeps unique.
    ///
    /// Without a constraint each `MERGE` looks through all nodes of the label, and two loaders at once can make the same node
    /// twice. `indexes: auto` makes what the mapping needs.
    MergeWithoutConstraint,
    /// A path is merged whose ends may be new.
    ///
    /// `MERGE` takes a path as a whole: where any part of it is missing, all of it is made again, ends included.
    ///
    /// ```cypher
    /// MERGE (:Zone {id: event.a})-[:TRIP]->(:Zone {id: event.b})   // doubles zones
    /// MERGE (a:Zone {id: event.a})
    /// MERGE (b:Zone {id: event.b})
    /// CREATE (a)-[:TRIP]->(b)                                      // right
    /// ```
    MergedPath,
    /// A relationship is made to a node that nothing is said of.
    ///
    /// Where nothing before binds the variable, `CREATE` makes a new node for each row, without label and properties. Mostly the
    /// variable is misspelt.
    ///
    /// ```cypher
    /// MERGE (a:Zone {id: event.from_zone})
    /// MERGE (b:Zone {id: event.to_zone})
    /// CREATE (a)-[:TRIP]->(d)    // wrong: `d` is a new, empty node
    /// CREATE (a)-[:TRIP]->(b)    // right
    /// ```
    EmptyNode,
    /// Patterns stand side by side with nothing that connects them.
    ///
    /// Every node of the one is tried with every node of the other, for every row. Give each a property to find it by.
    CartesianProduct,
    /// A function, a property's type or the report's map does not go with what a column holds.
    ///
    /// `datetime(…)` and its like read ISO-8601 text, and fail on numbers: every row would become a dead letter. `toInteger(…)`
    /// and its like make null of a date: no row would have the property. Convert the column in `select`.
    ColumnType,
    /// A node is merged without a key that tells one from another.
    ///
    /// `MERGE (:Label)` without a property meets every node of that label, and makes one only where there is none: what a row
    /// says would be said of all of them. Give a key, or `mode: create`. In `nodes` it is an error.
    ///
    /// ```yaml
    /// nodes:
    ///   - label: Location
    ///     keys: { name: { column: PULocationID } }
    /// ```
    MergeWithoutKey,
    /// Rows that repeat would share one relationship.
    ///
    /// Merging a relationship without keys makes one for each pair of nodes, however many rows there are. Where each row is an
    /// event of its own, use `mode: create`; where a column tells them apart, make it a key; where one a pair is meant,
    /// `allow: [collapsing-relationship]`.
    CollapsingRelationship,

    // ---- analyses ----
    /// A Graph Data Science procedure that is not known.
    ///
    /// Names are those of GDS without `gds.` and the mode, such as `pageRank` or `shortestPath.dijkstra`. The built-in engine
    /// has a listed set; with `engine: server`, any procedure of the server can be named.
    UnknownProcedure,
    /// A procedure does not have the mode that is asked for.
    ///
    /// `mutate` is left out on purpose: it changes an in-memory projection that no later analysis of the file can see. Use
    /// `write` to keep a result in the graph, `stream` to see it, `stats` for a summary.
    UnsupportedMode,
    /// A configuration key that the procedure does not have.
    ///
    /// Names are case-sensitive and GDS's own. The help line names the nearest one, or all.
    UnknownConfig,
    /// A configuration key that the procedure needs is missing.
    ///
    /// There is no default that could stand for it: a walk needs a node to start from, and a result that is written needs a
    /// property.
    ///
    /// ```yaml
    /// config: { sourceNode: { label: Location, name: 159 } }
    /// config: { writeProperty: rank }
    /// ```
    MissingConfig,
    /// An analysis writes its result into a property that the mapping sets.
    ///
    /// The result would replace what the rows say, and the next rows the result. Where the mapping finds its nodes by that
    /// property, the next run would find none of them and make all of them again: there it is an error. Write into a property of
    /// its own.
    ///
    /// ```yaml
    /// config: { writeProperty: rank }
    /// ```
    OverwrittenProperty,
    /// A configuration key has a value that the procedure does not take.
    ///
    /// It is of another type or out of range, or the built-in engine has only the default; the message says which.
    ///
    /// ```yaml
    /// config: { sourceNode: 159 }                             # a database's own id, another in each database
    /// config: { sourceNode: { label: Location, name: 159 } }  # right
    /// ```
    InvalidConfig,
    /// A procedure has no projection of the graph to work on.
    ///
    /// GDS procedures see only what is projected.
    ///
    /// ```yaml
    /// project: { nodes: [Location], relationships: { TRIP: { properties: [distance] } } }
    /// ```
    MissingProjection,
    /// A procedure uses a label or property that its projection does not hold.
    ///
    /// Add it under `project`, or correct the name.
    NotProjected,
    /// A property is projected that is no number.
    ///
    /// Algorithms use projected properties as weights. Convert it in the mapping, such as by `toFloat(…)`.
    NotNumeric,
    /// The embedded engine cannot read a piece of Cypher that is meant for a server.
    ///
    /// It may be a mistake, or something that Neo4j has beyond the embedded engine, such as `CALL { … }` with clauses that
    /// write, or a property `id` that is set later than its node is made, which is that engine's own. The file cannot be tried with `--target embedded` or tested with `runner test` then. Where that is meant so,
    /// `allow: [embedded-cypher]`.
    EmbeddedCypher,
    /// A query looks for something that the mapping never makes.
    ///
    /// A label or type finds nothing, a property is null. Names are case-sensitive; where other programs write to the same
    /// database, this may be meant: `allow: [unmatched-pattern]`.
    UnmatchedPattern,

    // ---- the world that the file names ----
    /// A path leads to no file.
    ///
    /// Relative paths start from the folder of the pipeline file. A glob or a folder that holds no parquet file is a fault too,
    /// since an empty graph is rarely what was meant.
    NoSuchFile,
    /// A file is there and cannot be read as what it should be.
    ///
    /// It is not parquet (or not CSV, not JSON lines), cut short, or not allowed to be read; the message has the cause. A
    /// download that broke off is the usual one.
    UnreadableData,
    /// A look-up table is too large.
    ///
    /// Look-up tables are held in memory, and their values are put into the filter. Large tables belong into the source.
    TableTooLarge,
    /// Two files of the source have a column in types that do not go together.
    ///
    /// Files of one source are read as one table. Cast the column in `select`, or keep the files apart.
    ColumnConflict,
    /// The SQL cannot be read.
    ///
    /// The place is inside of the text. Names with capitals or blanks are written as in the file; texts stand in single quotes,
    /// names in double quotes.
    ///
    /// ```yaml
    /// filter: Borough = "Bronx"    # wrong: a name
    /// filter: Borough = 'Bronx'    # right: a text
    /// ```
    SqlSyntax,
    /// A function that SQL or Cypher does not have here.
    ///
    /// Filter and select have the usual functions on numbers, texts, dates, lists and regular expressions; mapping and queries
    /// those of Neo4j 5.
    UnknownFunction,
    /// A look-up table that is not among `source.tables`.
    ///
    /// A subquery may name look-up tables only. Declare it under `source.tables`, or correct the name.
    UnknownTable,
    /// Types in an SQL expression do not go together.
    ///
    /// Say what is meant with `CAST(column AS type)`; `TRY_CAST` gives null where the cast fails.
    SqlType,
    /// SQL that is not allowed in a filter or a select.
    ///
    /// Each row is looked at by itself, and must be the same row on every run: aggregates, window functions, `random()` and `now()`, and
    /// subqueries on anything but look-up tables are refused.
    SqlNotAllowed,
    /// A column whose type has no form in a message.
    ///
    /// Leave it out of `select`, or cast it to something that JSON has.
    UnencodableColumn,
    /// The filter is the same for every row.
    ///
    /// Either every row passes or none does: a comparison of two literals, or with null, which is never true.
    ///
    /// ```yaml
    /// filter: fare = NULL     # never true
    /// filter: fare IS NULL    # right
    /// ```
    ConstantFilter,
    /// A subquery on a look-up table gives no value.
    ///
    /// So no row passes what compares with it. Usually a text in it is misspelt, or a column is not what it was thought to be.
    EmptyLookup,
    /// A text is compared with a number, by a cast that nobody wrote.
    ///
    /// Texts compare by letters and numbers by size, so `'10' < '9'`. Write the literal in the column's own type, or say
    /// `CAST(… AS …)`.
    ImplicitCast,

    // ---- servers ----
    /// A server cannot be reached, or is not the one that the file means.
    ///
    /// Its host has no address, nothing listens at the port, no answer comes, or what answers speaks another protocol; the message
    /// says which. In a cluster of Kubernetes the names are those inside of it.
    ServerUnreachable,
    /// The encryption of a connection could not be agreed upon.
    ///
    /// One side wants TLS and the other does not, or a certificate is not accepted: it has expired, is for another name, or is
    /// signed by an authority that is not known here, which `tls.caFile` names.
    TlsFailed,
    /// A server does not accept the user or the password.
    ///
    /// It is asked once and never again with a wrong password, since servers lock users out. The password is looked for where
    /// `passwordFrom` says.
    LoginRefused,
    /// The server has no such database, or does not serve it now.
    ///
    /// Neo4j Community has one database for users, `neo4j`. On Enterprise, `SHOW DATABASES` lists them.
    DatabaseNotFound,
    /// The user may not do what the pipeline needs.
    ///
    /// Kafka's access lists must let the user describe, create, read and write the topic and its dead letters, and describe and read
    /// the group `runner.<pipeline>`.
    NotAllowed,
    /// The topic has another number of partitions than the file says.
    ///
    /// Rows of one key stay in order because they go to one partition, which depends on how many there are. Write the topic's own
    /// number, name another topic, or delete the topic: runner makes it anew.
    PartitionsDiffer,
    /// The topic's settings are not as the file says.
    ///
    /// Runner sets them when it makes a topic, and leaves one that is there as it is. Change them with
    /// `kafka-configs.sh --alter`, or write them as they are.
    TopicSettingsDiffer,
    /// The topic's settings may cost rows, or keep them out.
    ///
    /// Kafka deletes records by their age and by the size of a partition, loaded or not. Keep them at least as long as the longest
    /// run takes, failures included.
    ///
    /// ```yaml
    /// config: { retention.ms: "604800000" }    # a week
    /// ```
    TopicRetention,
    /// The topic cannot be made.
    ///
    /// Kafka does not take the name, the settings or the replication; the message says which. A topic cannot be held by more brokers
    /// than there are.
    TopicNotMade,
    /// The topic does not hold the records that come next.
    ///
    /// They are gone by the topic's retention, or it was deleted and made again. What is in the graph stands, but rows are
    /// missing from here on: delete the topic and load anew with `--fresh`, and raise `retention.ms`.
    RecordsGone,
    /// The topic did not take all messages.
    ///
    /// The message says how many were delivered. They stand, and the next run goes on behind them.
    NotDelivered,
    /// A row is larger than the topic takes.
    ///
    /// The topic's `max.message.bytes`, or the brokers' `message.max.bytes`, is less than the row with its key and headers. What was delivered
    /// before it stands.
    RowTooLarge,
    /// Kafka does not do what it is asked.
    ///
    /// The message has its words. What was delivered and loaded before stands; run again.
    KafkaFailed,
    /// The Kafka Connect worker does not have the Neo4j sink.
    ///
    /// `mapping.loader: connect` needs the Neo4j Connector for Kafka, 5.1 or later. Unpack it into a folder that the worker's
    /// `plugin.path` names, on every worker, and restart them.
    ConnectPlugin,
    /// The connector refuses its configuration.
    ///
    /// Kafka Connect checks a configuration before it takes it, and the Neo4j sink connects to its server for that: from the
    /// worker, which must reach the address that the file names.
    ConnectorRefused,
    /// The connector or one of its tasks has failed, or does not get on.
    ///
    /// The message has the cause, the help the whole stack trace of what failed. What was loaded before stands; mend the cause and
    /// run again: the failed part is started again and goes on where it stopped. A connector of which Kafka has heard nothing new for
    /// `stream.patienceSeconds`, and at least seven minutes, stands still: workers tell it once a minute by default, and what a lost
    /// worker did rests for five.
    ConnectorFailed,

    // ---- the cluster ----
    /// A port of this machine that shall lead into the cluster is in use.
    ///
    /// While runner is at work, Kafka, Neo4j and Kafka Connect in a cluster are reached through ports of this machine
    /// (`kubernetes.forward`). Kafka's are fixed, since its brokers tell them to clients: two pipelines that run from one machine
    /// at the same time want ports of their own. A second command on the same pipeline uses the first one's.
    PortTaken,
    /// The pipeline's servers are not in the cluster.
    ///
    /// Commands that look deploy nothing. `runner run` deploys the servers, and `runner plan` shows what that would do.
    NotDeployed,
    /// What a run needs cannot be taken into the cluster.
    ///
    /// `runner run --detach` sends the pipeline file along with the local files that it names, up to 900 KiB in all, and the values of
    /// the environment variables that it names. Larger sources are read from an address (`s3://`, `https://`), or from a volume that
    /// holds them: `kubernetes: { runner: { volume: { claim: NAME, path: data } } }`.
    NotInCluster,
    /// A run is under way in the cluster already.
    ///
    /// A pipeline has one run at a time. `runner logs FILE --follow` follows it; `kubectl delete job` ends it, and the next one goes on
    /// from there.
    JobUnderWay,
    /// No run was begun in the cluster.
    ///
    /// `runner run --detach FILE` begins one.
    NoJob,
    /// A run in the cluster was given up, or has ended without a report.
    ///
    /// The message has Kubernetes' reason, and the loader that failed where it is known: `runner logs FILE --share I` shows what it said.
    JobFailed,
    /// The report of a run in the cluster was too large to be kept there whole.
    ///
    /// It comes back through a config map, which holds at most 1 MiB. The picture is left out first, then all but the first rows of
    /// the analyses.
    ReportCut,
    /// A server is in the cluster and not ready.
    ///
    /// It starts, or something keeps it from starting. `runner status` shows its pods.
    NotReady,
    /// The kubeconfig cannot be used.
    ///
    /// It is not there, cannot be read, or has no such context. It is looked for in `--kubeconfig`, `KUBECONFIG` and
    /// `~/.kube/config`; the context in `--context`, then `kubernetes.context` of the file, then the kubeconfig's current one.
    Kubeconfig,
    /// The cluster's API server does not answer.
    ///
    /// Nobody is there at the address of the kubeconfig, or the way is cut (a VPN, a proxy). The first question is given 5 s; a server
    /// that was there before has 45 s to come back. What was applied stands, and the next run goes on from there.
    ClusterUnreachable,
    /// The API server does not know who asks, or shows a certificate that is not accepted.
    ///
    /// A token or a client certificate of the kubeconfig is wrong or has expired; or the cluster was set up anew and the kubeconfig
    /// still has the old authority.
    ClusterCredentials,
    /// Who asks may not do all that a pipeline needs.
    ///
    /// What is needed is asked about before anything is done, so that no half of a pipeline is deployed. `k8s/role.yaml` is a ready Role
    /// with all of it.
    PermissionMissing,
    /// An object of the same name is there and is not the pipeline's.
    ///
    /// What belongs to a pipeline bears the labels `app.kubernetes.io/managed-by: runner` and `runner.dev/pipeline`. What does not is never
    /// touched: take another `metadata.name` or another namespace, or take the object away yourself.
    ForeignObject,
    /// Another manager looks after fields of an object.
    ///
    /// Somebody has changed the object by other means, such as `kubectl edit`, an operator or another tool, and the server remembers who. Undo
    /// the change, or say the same in the file, or take the fields over with `--force-conflicts`.
    FieldConflict,
    /// The cluster does not take an object.
    ///
    /// A field that it does not know or accept, a field that cannot be changed any more, a quota, or a policy of the cluster. The message has
    /// the server's words.
    ObjectRefused,
    /// The number of brokers, or their mode, would be another one for a Kafka that is deployed.
    ///
    /// Both are fixed when the brokers' volumes are first written. In mode `kraft` every broker votes, and the voters are counted then: new
    /// ones can agree without the old ones that the cluster is empty, and its topics go. Each mode has a form of metadata of its own, which the
    /// other does not read; and brokers that are taken away take their partitions along. Write the old value again; or throw the data away
    /// with `runner destroy FILE --delete-data` and load it anew with `runner run FILE --fresh`; or take another `metadata.name`.
    KafkaFixed,
    /// The namespace is being deleted.
    ///
    /// Nothing can be made in it until it is gone. Where it never goes, something in it waits for a controller that is not there.
    NamespaceTerminating,
    /// An object was told to go and is still there.
    ///
    /// A finalizer or a pod that does not end holds it. `kubectl describe` shows which.
    NotGone,
    /// An image cannot be pulled.
    ///
    /// The name or the tag is wrong, the registry wants credentials, or the nodes cannot reach it. Nodes do not use the credentials of
    /// your machine.
    ImagePull,
    /// No node takes a pod.
    ///
    /// The nodes have less CPU or memory left than the pod requests, or they are reserved for others. Requests are set aside whether they are used
    /// or not.
    Unschedulable,
    /// A container was killed because it had used more memory than its limit.
    ///
    /// Heap and page cache of Neo4j follow the limit, and so does Kafka's heap; below some size the JVM itself has no room.
    OutOfMemory,
    /// A container ends again and again.
    ///
    /// The last lines of its log are shown, and they mostly say why.
    PodCrash,
    /// A volume is not made.
    ///
    /// The cluster has no default storage class, or not the one that is asked for, or whoever makes the volumes fails.
    VolumePending,
    /// The namespace's quota has no room.
    ///
    /// A quota of the namespace limits what its pods and volumes may ask for together.
    QuotaExceeded,
    /// The namespace's rules refuse a pod.
    ///
    /// Pod Security, a limit range or a webhook does not let it in. Without overrides and with the images that runner takes, its pods pass
    /// Pod Security's level `restricted`.
    PodRefused,
    /// A pod refers to something that is not there.
    ///
    /// A Secret or a config map, or a key in one. A pod that refers to one waits for it.
    MissingReference,

    // ---- the run ----
    /// No row passes the filter.
    ///
    /// An empty graph is rarely what was meant: a misspelt value in the filter gives one. `runner preview` shows the first rows that
    /// pass. If it is meant, say so: `allow: [no-rows]`.
    NoRows,
    /// Two counts that must agree do not.
    ///
    /// Rows are counted at every hop: in the files, through the filter, in the topic, in the graph. A difference means that rows were lost or
    /// doubled between two of them.
    CountsDiffer,
    /// Records could not be written to the graph.
    ///
    /// A batch that the graph refuses is halved until the record at fault stands alone. It goes to the dead letters with the reason,
    /// and the rest is written. The run fails all the same, unless `allow: [dead-letters]`.
    DeadLetters,
    /// A row has no value for a key of the mapping.
    ///
    /// A node that is told from others by a property cannot be made without it. Filter such rows out (`column IS NOT NULL`), or let
    /// them go to the dead letters.
    MissingKeyValue,
    /// The mapping's statement bound nothing for a row, so the row wrote nothing.
    ///
    /// Usually a `MATCH` found no node that should have been there; `MERGE` would have made it. If it is meant:
    /// `allow: [row-wrote-nothing]`.
    RowWroteNothing,
    /// More records failed than `stream.maxErrors` allows.
    ///
    /// So many failures are no accident of single rows: look at the reasons of the first dead letters. Mend the mapping or the
    /// filter, or raise the limit.
    TooManyErrors,
    /// The graph does not hold what `expect` says.
    ///
    /// Either rows or the mapping are not what they were thought to be, or `expect` is out of date.
    ExpectationFailed,
    /// An assertion on an analysis is false.
    ///
    /// The message has the value that was found. Either the graph, the configuration or the assertion is not what it was thought
    /// to be.
    AssertionFailed,
    /// A case under `tests` did not come out as it says.
    ///
    /// The message has what came out instead.
    TestFailed,
    /// The definition of the rows or the mapping changed since the graph was loaded.
    ///
    /// Rows of two definitions would stand mixed in one graph. Undo the change, give the pipeline another name, or
    /// load everything anew with `--fresh`.
    DefinitionChanged,
    /// A file of the source changed since the graph was loaded.
    ///
    /// Rows are known by their file and their number in it, so files that were read must stay as they are. New rows belong into
    /// new files whose names come after; they are the next ones to be read.
    SourceChanged,
    /// A value of a row breaks an expression of the filter or the select.
    ///
    /// Such as a cast of a text that is no number. `TRY_CAST` gives null where a cast fails; or filter such rows out.
    RowFailed,
    /// Another run holds the graph.
    ///
    /// Two runs must not write to one graph. Wait for the other one, or give this one another `--state-dir`.
    StateInUse,
    /// The state folder cannot be used.
    ///
    /// It cannot be made, read or written; the message has the cause. `--state-dir` names another one.
    StateFolder,
    /// A constraint cannot be made.
    ///
    /// Usually the graph already holds two nodes with the same key. The message has the engine's words.
    ConstraintFailed,
    /// A statement was refused by the graph.
    ///
    /// The message has the engine's words. What is wrong with every row is wrong with the statement, so nothing was written.
    StatementFailed,
    /// Another loader writes to the same topic and partition.
    ///
    /// Each transaction tests that the checkpoint stands where its batch begins. Where it does not, another loader was here, and this one ends
    /// before it writes anything twice.
    Fenced,
    /// The other loaders or producers of a run do not come to their end.
    ///
    /// With `stream.loaders`, or `runner run --share`, each loader loads its own partitions, and sends the rows of its own files where
    /// there are `stream.producers`; the first one waits until all are done. It gives up when no checkpoint has moved, or one
    /// of the others was not heard of, for `stream.patienceSeconds`: it was never started, or has failed. All read the files that the first one
    /// has listed; one that reads others ends, to be started again.
    LoadersStandStill,
    /// The graph engine has stopped.
    ///
    /// It broke down under a statement, which is a fault of the engine or a lack of memory. What was committed before stands; run
    /// again.
    EngineFailed,
    /// An analysis could not be computed.
    ///
    /// The message has the cause: a node that is not in the graph, a weight that is missing, a projection that is empty.
    AnalysisFailed,
    /// There is no dead letter of the record that was named.
    ///
    /// A record is named by its place in the topic, `PARTITION/OFFSET`.
    NoSuchDeadLetter,
    /// What a dead letter shall carry when it is produced again cannot be read.
    ///
    /// A record's value is one JSON object.
    MendedValue,
    /// Metrics cannot be served on the address that was asked for.
    ///
    /// It is taken already, or not one of this machine's.
    MetricsAddress,
    /// The server has something to say about a statement.
    ///
    /// Such as a product of patterns that are not connected, or a label that no node has. The message is the server's own.
    ServerNotice,
    /// The report could not be written.
    ///
    /// The run itself is done and stands. Look at the folder of `--report-dir`.
    ReportNotWritten,
    /// The pipeline cannot run on the target.
    ///
    /// The file names no servers, or has no source of its own and only a Kafka could fill its topic. `--target embedded` runs any
    /// file that has a source with no server at all.
    TargetNotAvailable,
}
