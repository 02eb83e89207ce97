//! A run inside the cluster: checked and deployed from here, then a job of its own, which goes on when this process has ended.

mod baggage;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::journal::{Journal, Summary};
use super::patience::Outages;
use super::run::Options;
use super::validate::{self, Plan};
use super::{Fault, Origin, Target, deploy, fault};
use crate::diagnostic::Diagnostic;
use crate::infrastructure::access::{self, Undertaking};
use crate::infrastructure::job::{JobState, Jobs};
use crate::infrastructure::manifests::job;
use crate::progress::{Interrupt, Outcome, Progress, Stage};
use crate::report::Report;
use crate::spec::Password;
use crate::spec::load::{self, Document};

/// The most bytes of a report that a config map takes: it holds 1 MiB, with what else is in it.
const REPORT_BYTES: usize = 900 * 1024;
/// How many rows of an analysis are kept where all are too many.
const ROWS_KEPT: usize = 100;

/// How a run was begun.
#[derive(Debug)]
pub struct Detached {
    /// How that ended.
    pub outcome: Outcome,
    /// Whether it was the file that was at fault.
    pub invalid: bool,
    /// All that was found, warnings included.
    pub findings: Vec<Diagnostic>,
    /// The job; none where it was not begun.
    pub begun: Option<Begun>,
}

/// A job that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// Its name.
    pub job: String,
    /// The namespace that it is in.
    pub namespace: String,
    /// How many pods load.
    pub loaders: u32,
}

impl Summary for Begun {
    fn summary(&self) -> String {
        let loaders = match self.loaders {
            1 => "1 loader".to_owned(),
            loaders => format!("{loaders} loaders"),
        };
        format!("job `{}` with {loaders} in namespace `{}`", self.job, self.namespace)
    }
}

/// Checks a file, deploys its servers, and begins a job in the cluster that does the rest.
pub async fn detach(
    document: &Document,
    origin: &Origin,
    options: &Options,
    progress: &Progress,
    interrupt: &Interrupt,
) -> Detached {
    let mut journal = Journal::new(progress.clone());
    let validated = Box::pin(validate::validate(document, origin, options.deny_warnings));
    let plan = match journal.stage(Stage::Validate, validated).await {
        Ok(plan) => plan,
        Err(Fault(findings)) => {
            return Detached { outcome: Outcome::Failed, invalid: true, findings, begun: None };
        }
    };
    let mut findings = plan.warnings.clone();
    let (outcome, begun) = match Box::pin(begin(&plan, origin, options, interrupt, &mut journal)).await {
        Ok(begun) => (Outcome::Done, Some(begun)),
        Err(fault) => {
            let outcome = fault.outcome();
            findings.extend(fault.in_cluster(&plan.pipeline.spec.infrastructure, &[]).0);
            (outcome, None)
        }
    };
    journal.finish(document, &findings, outcome, None);
    Detached { outcome, invalid: false, findings, begun }
}

async fn begin(
    plan: &Plan,
    origin: &Origin,
    options: &Options,
    interrupt: &Interrupt,
    journal: &mut Journal,
) -> Result<Begun, Fault> {
    let spec = plan.pipeline.spec.infrastructure.kubernetes.as_ref();
    let spec = spec.filter(|_| options.target(plan) == Target::Kubernetes).ok_or_else(fault::no_cluster)?;
    // What cannot be sent along is told before anything is deployed.
    let mut baggage = baggage::pack(plan, spec, origin)?;
    baggage.environment = variables(plan, origin);
    if let Some(limit) = options.limit {
        baggage.arguments.extend(["--limit".to_owned(), limit.to_string()]);
    }
    let objects = job::run(&plan.pipeline, &baggage)?;
    let site = deploy::Site::open(plan, options, spec).await?;
    access::check(&site.cluster, Undertaking::RunInside).await?;
    let jobs = Jobs { cluster: &site.cluster, names: &site.names };
    refuse_second(jobs).await?;
    let progress = journal.progress.clone();
    let outages = Outages::of(plan, &Arc::default(), &progress, interrupt);
    if options.fresh {
        // What was loaded is thrown away once, and from here: a pod that comes again must not do so.
        let mut folder = None;
        let deploying = Box::pin(deploy::deploy(plan, options, &outages, &mut folder));
        journal.stage(Stage::Deploy, deploying).await?;
    } else {
        // The pods reach the servers, and by names that may say nothing here.
        let applying = Box::pin(site.apply(options, &progress));
        journal.stage(Stage::Deploy, outages.until_stopped(applying)).await?;
    }
    if interrupt.requested() {
        return Err(Fault::stopped());
    }
    let begun = Begun {
        job: site.names.run(),
        namespace: spec.namespace.clone(),
        loaders: plan.pipeline.spec.stream.loaders,
    };
    let beginning = async {
        // Somebody else may have begun one while the servers were deployed.
        refuse_second(jobs).await?;
        jobs.begin(&objects, options.conflicts).await?;
        Ok(begun)
    };
    journal.stage(Stage::Stream, beginning).await
}

/// Refuses a run beside one that is under way.
async fn refuse_second(jobs: Jobs<'_>) -> Result<(), Fault> {
    match jobs.look().await? {
        Some(job) if job.state == JobState::UnderWay => {
            Err(fault::job_under_way(&jobs.names.run(), &jobs.names.namespace, &job))
        }
        _ => Ok(()),
    }
}

/// The environment variables that the file names, with their values.
fn variables(plan: &Plan, origin: &Origin) -> BTreeMap<String, Password> {
    let spec = &plan.pipeline.spec;
    let found = RefCell::new(BTreeMap::new());
    let take = |name: &str| {
        let value = std::env::var(name).ok()?;
        found.borrow_mut().insert(name.to_owned(), Password::from(value.clone()));
        Some(value)
    };
    drop(load::read(&origin.path, &take));
    for (_, source) in baggage::secret_sources(spec) {
        if let Some(name) = &source.env {
            take(name);
        }
    }
    // What the file leaves out of an object store comes from these.
    let files = spec.source.iter().flat_map(|source| source.parquet.as_slice());
    if files.into_iter().any(|file| file.starts_with("s3://")) {
        std::env::vars().filter(|(name, _)| name.starts_with("AWS_")).for_each(|(name, _)| drop(take(&name)));
    }
    found.into_inner()
}

/// Keeps the report of a run inside the cluster where it is found from outside.
pub(super) async fn keep(plan: &Plan, options: &Options, report: &Report) -> Result<(), Fault> {
    let Some(spec) = &plan.pipeline.spec.infrastructure.kubernetes else { return Ok(()) };
    let site = deploy::Site::open(plan, options, spec).await?;
    let text = bounded(report.clone()).map_err(|error| fault::report_not_kept(&error))?;
    let jobs = Jobs { cluster: &site.cluster, names: &site.names };
    Ok(jobs.keep_report(&text).await?)
}

/// The report as JSON; of one that is too large, what can be done without is left out, and that is said.
fn bounded(mut report: Report) -> Result<String, serde_json::Error> {
    let whole = serde_json::to_string(&report)?;
    if whole.len() <= REPORT_BYTES {
        return Ok(whole);
    }
    report.picture = None;
    report.findings.push(fault::report_cut("the picture"));
    let pictureless = serde_json::to_string(&report)?;
    if pictureless.len() <= REPORT_BYTES {
        return Ok(pictureless);
    }
    for analysis in &mut report.analyses {
        analysis.rows.truncate(ROWS_KEPT);
    }
    report.findings.push(fault::report_cut(&format!("all but the first {ROWS_KEPT} rows of each analysis")));
    serde_json::to_string(&report)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::json;

    use super::*;

    #[test]
    fn a_report_that_is_too_large_says_what_was_left_out() {
        let mut report = crate::report::fixtures::bronx();
        assert_eq!(bounded(report.clone()).unwrap(), serde_json::to_string(&report).unwrap());
        let many = (0..200_000).map(|row| vec![json!(row), json!(0.5)]).collect();
        if let Some(analysis) = report.analyses.first_mut() {
            analysis.rows = many;
        }
        let text = bounded(report).unwrap();
        assert!(text.len() <= REPORT_BYTES);
        let cut: Report = serde_json::from_str(&text).unwrap();
        assert!(
            cut.picture.is_none() && cut.analyses.iter().all(|analysis| analysis.rows.len() <= ROWS_KEPT)
        );
        assert_eq!(cut.findings.iter().filter(|finding| finding.code == "report-cut").count(), 2);
    }
}
