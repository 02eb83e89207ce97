//! A whole run: the stages one after the other, each timed and told, and a report at the end whatever happened.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::journal::Journal;
use super::patience::Outages;
use super::state::StateDir;
use super::stream::{Counters, Extent, Streamed, Watch};
use super::validate::{self, Plan};
use super::{Fault, Origin, Target, analyse, deploy, judge, metrics, report, stream};
use crate::diagnostic::{Diagnostic, Path, Severity};
use crate::infrastructure::usage::{PodUsage, Sampler};
use crate::infrastructure::{Access, Conflicts};
use crate::progress::{Event, Interrupt, Outcome, Progress, Stage};
use crate::report::{AnalysisReport, GraphCounts, Picture, Report, Status};
use crate::share::Share;
use crate::spec::load::Document;

/// How long the graph is asked what stands in it after a stream has failed.
const LAST_LOOK: Duration = Duration::from_secs(5);

/// What a run is asked to do beside the file.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where it runs, instead of where the file says.
    pub target: Option<Target>,
    /// The folder of all pipelines' state.
    pub state_dir: Option<PathBuf>,
    /// Whether what earlier runs have loaded is thrown away first.
    pub fresh: bool,
    /// Where the report goes, instead of the state folder.
    pub report_dir: Option<PathBuf>,
    /// How many rows at most are produced.
    pub limit: Option<u64>,
    /// Whether it goes on loading what comes into the topic, until it is asked to stop.
    pub follow: bool,
    /// Which loader of several it is, as a pod of a job: servers are not deployed then, but waited for.
    pub share: Option<Share>,
    /// Where what the run counts can be asked for, in Prometheus' format.
    pub metrics: Option<SocketAddr>,
    /// Whether warnings of the file stand in the way.
    pub deny_warnings: bool,
    /// How a Kubernetes cluster is found.
    pub access: Access,
    /// What is done about fields of its objects that others look after.
    pub conflicts: Conflicts,
    /// How long is waited until what was deployed is ready, instead of 5 min.
    pub ready_within: Option<Duration>,
}

impl Options {
    /// Where the run takes place: as asked, else as the file says.
    pub(super) fn target(&self, plan: &Plan) -> Target {
        self.target.unwrap_or(Target::of(&plan.pipeline.spec.infrastructure))
    }

    /// What of the run is this one's.
    pub(super) fn share(&self) -> Share {
        self.share.unwrap_or_default()
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct Finished {
    /// In one word.
    pub outcome: Outcome,
    /// Whether it was the file that was at fault.
    pub invalid: bool,
    /// All that was found, warnings included.
    pub findings: Vec<Diagnostic>,
    /// The report; none where the file was not valid.
    pub report: Option<Report>,
    /// Where it was written; none where it was not.
    pub report_dir: Option<PathBuf>,
}

/// Runs a pipeline.
pub async fn run(
    document: &Document,
    origin: &Origin,
    options: &Options,
    progress: &Progress,
    interrupt: &Interrupt,
) -> Finished {
    progress.tell(started(document, options));
    let mut journal = Journal::new(progress.clone());
    let validated = Box::pin(validate::validate(document, origin, options.deny_warnings));
    let plan = match journal.stage(Stage::Validate, validated).await {
        Ok(plan) => plan,
        Err(Fault(findings)) => {
            journal.finish(document, &findings, Outcome::Failed, None);
            return Finished {
                outcome: Outcome::Failed,
                invalid: true,
                findings,
                report: None,
                report_dir: None,
            };
        }
    };
    let mut results = Results { findings: plan.warnings.clone(), ..Results::default() };
    let done = Box::pin(stages(&plan, options, interrupt, &mut journal, &mut results)).await;
    if let Err(fault) = done {
        results.findings.extend(fault.in_cluster(&plan.pipeline.spec.infrastructure, &[]).0);
        journal.skip_rest();
    }
    conclude(document, &plan, options, interrupt, journal, results).await
}

/// The first event of a run, from the file as it was read: whether it is valid is not known yet.
fn started(document: &Document, options: &Options) -> Event {
    let at = |pointer: &str| document.value.as_ref().and_then(|value| value.pointer(pointer));
    let name = at("/metadata/name").and_then(Value::as_str).unwrap_or(&document.file.name);
    let named = if at("/spec/infrastructure/kubernetes").is_some() {
        Target::Kubernetes
    } else if at("/spec/infrastructure/external").is_some() {
        Target::External
    } else {
        Target::Embedded
    };
    Event::RunStarted { pipeline: name.to_owned(), target: options.target.unwrap_or(named).to_string() }
}

/// What the stages have brought so far; a later fault leaves it standing.
#[derive(Default)]
pub(super) struct Results {
    pub state: Option<StateDir>,
    pub streamed: Option<Streamed>,
    /// What the graph holds; none where it could not be asked.
    pub graph: Option<GraphCounts>,
    pub picture: Option<Picture>,
    pub analyses: Vec<AnalysisReport>,
    pub findings: Vec<Diagnostic>,
    /// What asks how much the pods use, until the run ends.
    sampler: Option<Sampler>,
    pub usage: Vec<PodUsage>,
}

impl Results {
    /// Adds findings; those that the file allows count as warnings.
    fn find(&mut self, allowed: &[String], findings: Vec<Diagnostic>) {
        self.findings.extend(crate::validate::weigh(findings, allowed, false));
    }

    fn failed(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// Whether the run found everything done already.
    fn unchanged(&self) -> bool {
        self.streamed.as_ref().is_some_and(|streamed| streamed.rows.moved() == 0)
    }

    /// How the run ended; to be stopped is the only end of one that follows the topic, once it does.
    fn outcome(&self, options: &Options, interrupt: &Interrupt) -> Outcome {
        let follows = options.follow && self.streamed.as_ref().is_some_and(|streamed| !streamed.interrupted);
        match (self.failed(), interrupt.requested() && !follows, self.unchanged()) {
            (true, _, _) => Outcome::Failed,
            (false, true, _) => Outcome::Interrupted,
            (false, false, true) => Outcome::Unchanged,
            (false, false, false) => Outcome::Done,
        }
    }
}

/// Deploys, streams and analyses.
async fn stages(
    plan: &Plan,
    options: &Options,
    interrupt: &Interrupt,
    journal: &mut Journal,
    results: &mut Results,
) -> Result<(), Fault> {
    let spec = &plan.pipeline.spec;
    let counters = Arc::new(Counters::default());
    let _metrics = match options.metrics {
        Some(address) => Some(metrics::serve(address, &plan.pipeline.metadata.name, &counters).await?),
        None => None,
    };
    let progress = journal.progress.clone();
    let outages = Outages::of(plan, &counters, &progress, interrupt);
    let deploying = Box::pin(deploy::deploy(plan, options, &outages, &mut results.state));
    let mut endpoints = journal.stage(Stage::Deploy, deploying).await?;
    results.sampler = endpoints.deployed.take().map(|deployed| deployed.sampler);
    for note in endpoints.notes() {
        progress.tell(Event::StageNote { stage: Stage::Deploy, note });
    }
    results.find(&spec.allow, endpoints.findings.clone());
    outages.enter(Stage::Stream);
    let watch = Watch { counters: &counters, progress: &progress, interrupt };
    let share = options.share();
    let extent = Extent { limit: options.limit, follow: options.follow || !share.leads(), share };
    let streaming = stream::stream(plan, &endpoints, extent, &watch);
    let streaming = stopped_or(Stage::Stream, &watch, Box::pin(streaming));
    let streamed = match journal.stage(Stage::Stream, streaming).await {
        Ok(streamed) => results.streamed.insert(streamed),
        Err(fault) => {
            // What the batches before the fault have written stands, and the report says so.
            let rows = counters.rows(endpoints.loaded());
            let interrupted = fault.outcome() == Outcome::Interrupted;
            let streamed = Streamed {
                rows,
                dead_letters: counters.examples(),
                cut_short: true,
                interrupted,
                ..Streamed::default()
            };
            if interrupted && share.leads() {
                results.find(&spec.allow, judge::stream(&streamed));
            }
            results.streamed = Some(streamed);
            // Where the server is away, its counts are not to be had; the fault itself must still be told, and soon.
            let counts = tokio::time::timeout(LAST_LOOK, report::counts(&*endpoints.store)).await;
            results.graph = counts.ok().and_then(Result::ok);
            return Err(fault);
        }
    };
    if !share.leads() {
        journal.skip(Stage::Analyse, "the first loader analyses");
        return Ok(());
    }
    let (whole, rows) = (!streamed.cut_short, streamed.rows);
    let judged = judge::stream(streamed);
    let graph = report::counts(&*endpoints.store).await?;
    results.graph = Some(graph.clone());
    if whole {
        streamed.checks.extend(judge::expected_counts(&spec.expect, &graph));
    }
    results.find(&spec.allow, judged);
    if whole {
        let judged = judge::expectations(&Path::of("spec.expect"), &spec.expect, &graph);
        results.find(&spec.allow, judged);
    }
    if interrupt.requested() {
        journal.skip(Stage::Analyse, "the run was stopped before it");
    } else if rows.already_loaded + rows.written + rows.other_loaders == 0 {
        journal.skip(Stage::Analyse, "no row is loaded");
    } else {
        outages.enter(Stage::Analyse);
        let analysing = analyse::analyse(
            plan,
            &*endpoints.store,
            options.target(plan),
            &watch,
            &outages,
            &mut results.analyses,
        );
        let analysing = stopped_or(Stage::Analyse, &watch, Box::pin(analysing));
        journal.stage(Stage::Analyse, analysing).await?;
        if whole {
            let judged = judge::assertions(&results.analyses);
            results.find(&spec.allow, judged);
        }
    }
    outages.enter(Stage::Report);
    results.picture = report::picture(plan, &*endpoints.store, &graph, &results.analyses).await?;
    if let Some(streamed) = &mut results.streamed {
        streamed.rows.retries = counters.retries.get();
    }
    Ok(())
}

/// A stage's work. Where a stop was asked for while a server was away, it has ended by that: the outage is told, and nothing is at fault.
async fn stopped_or<T>(
    stage: Stage,
    watch: &Watch<'_>,
    work: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    let outcome = work.await;
    match &outcome {
        Err(fault) if watch.interrupt.requested() && !fault.0.is_empty() && fault.may_pass() => {
            watch.progress.tell(Event::StageNote { stage, note: fault.summary() });
            Err(Fault::stopped())
        }
        _ => outcome,
    }
}

/// Makes the report of what was done, and writes it.
async fn conclude(
    document: &Document,
    plan: &Plan,
    options: &Options,
    interrupt: &Interrupt,
    mut journal: Journal,
    mut results: Results,
) -> Finished {
    // The report of the whole is the leading share's: another one's would take its place in the state folder.
    let state = results.state.as_ref().filter(|_| options.share().leads());
    let mut folder = options.report_dir.clone().or_else(|| state.map(StateDir::report));
    if let Some(sampler) = results.sampler.take() {
        results.usage = sampler.finish().await;
    }
    if folder.is_none() {
        let why = if options.share().leads() {
            "the state was not opened; the last report stays"
        } else {
            "the first loader reports"
        };
        journal.skip(Stage::Report, why);
    }
    let mut outcome = results.outcome(options, interrupt);
    let mut report = report::assemble(document, plan, options, &journal, &results, outcome);
    let mut faults = Vec::new();
    if let Some(to) = &folder {
        let writing = async { report::write(&report, to) };
        if let Err(fault) = journal.stage(Stage::Report, writing).await {
            report::not_written(&mut report, &fault);
            faults.extend(fault.0);
            folder = None;
        }
    }
    if is_job(plan, options)
        && let Err(Fault(not_kept)) = super::detach::keep(plan, options, &report).await
    {
        faults.extend(not_kept);
    }
    if !faults.is_empty() {
        outcome = Outcome::Failed;
        report.status = Status::Failed;
        report.findings.extend(faults.iter().map(|fault| report::finding(fault, document)));
        results.findings.extend(faults);
    }
    journal.finish(document, &results.findings, outcome, folder.as_deref());
    Finished { outcome, invalid: false, findings: results.findings, report: Some(report), report_dir: folder }
}

/// Whether this is the pod of a job that reports: its files go with it.
fn is_job(plan: &Plan, options: &Options) -> bool {
    let leads = options.share.is_some_and(Share::leads);
    leads && options.target(plan) == Target::Kubernetes && options.access.in_cluster
}
