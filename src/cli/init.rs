//! `runner init`

mod starter;

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};

use super::exit::{CommandError, Exit};
use super::ui::Ui;
use crate::source;
use crate::spec::{OneOrMany, Source};

/// Make a commented starter file from the columns of a parquet file.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The parquet file, folder or address.
    parquet: String,

    /// The pipeline's name; without it, one made from the file's.
    #[arg(long)]
    name: Option<String>,

    /// Write it here instead of to stdout; a file that is there already is left as it is.
    #[arg(long, short, value_name = "FILE")]
    file: Option<PathBuf>,
}

pub fn run(ui: &Ui, args: &Args) -> Result<Exit, CommandError> {
    let name = name(args)?;
    let source = Source {
        parquet: OneOrMany::One(args.parquet.clone()),
        tables: indexmap::IndexMap::new(),
        select: Vec::new(),
        filter: None,
        object_store: None,
    };
    let runtime = super::runtime()?;
    let opened = runtime.block_on(source::open(&source, Path::new("."), &|_| Err("no secret".to_owned())));
    let dataset = opened.map_err(|errors| {
        let reasons: Vec<String> = errors.iter().map(ToString::to_string).collect();
        CommandError::usage(reasons.join("; "), "give a parquet file, a folder of them, or an address")
    })?;
    let text = starter::pipeline(&name, &parquet_from(args), &dataset.file_columns());
    let Some(path) = &args.file else {
        ui.data(&text)?;
        return Ok(Exit::Done);
    };
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => {
            let what = format!("`{}` cannot be written", path.display());
            file.write_all(text.as_bytes()).map_err(|error| CommandError::io(what, error))?;
            ui.words(&format!("wrote {0}\ntry it: runner run {0}\n", path.display()));
            Ok(Exit::Done)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(CommandError::usage(
            format!("`{}` is there already, and no command rewrites a file of yours", path.display()),
            "give another name with --file",
        )),
        Err(error) => Err(CommandError::io(format!("`{}` cannot be made", path.display()), error)),
    }
}

/// The pipeline's name, which a file must not have wrong.
fn name(args: &Args) -> Result<String, CommandError> {
    let Some(name) = &args.name else { return Ok(starter::name_from(&args.parquet)) };
    let spelled = starter::name_from(name);
    if spelled == *name {
        return Ok(spelled);
    }
    Err(CommandError::usage(
        format!("`{name}` is no name of a pipeline"),
        format!("lower-case letters, digits and `-`, at most 63, such as `{spelled}`"),
    ))
}

/// The parquet path as the pipeline file will name it: relative to the pipeline file's own folder, unless it is given from the root.
fn parquet_from(args: &Args) -> String {
    let Some(folder) = args.file.as_deref().and_then(Path::parent) else {
        return args.parquet.clone();
    };
    if folder.as_os_str().is_empty() || args.parquet.contains("://") || Path::new(&args.parquet).is_absolute()
    {
        return args.parquet.clone();
    }
    let from_root =
        || Some((folder.canonicalize().ok()?, Path::new(".").canonicalize().ok()?.join(&args.parquet)));
    from_root().map_or_else(
        || args.parquet.clone(),
        |(folder, parquet)| relative(&folder, &parquet).display().to_string(),
    )
}

/// The way from a folder to a file, both given from the root.
fn relative(folder: &Path, file: &Path) -> PathBuf {
    let mut steps: Vec<Component<'_>> = Vec::new();
    for step in file.components() {
        match step {
            Component::ParentDir => drop(steps.pop()),
            step => steps.push(step),
        }
    }
    let common = folder.components().zip(&steps).take_while(|(folder, file)| folder == *file).count();
    let upward = folder.components().skip(common).map(|_| Component::ParentDir);
    upward.chain(steps.iter().skip(common).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::{Path, relative};

    #[test]
    fn a_file_is_named_from_the_folder_of_the_pipeline() {
        for (folder, file, expected) in [
            ("/w/sub", "/w/data/a.parquet", "../data/a.parquet"),
            ("/w/sub", "/w/sub/data/a.parquet", "data/a.parquet"),
            ("/w/sub", "/w/x/../../data/*.parquet", "../../data/*.parquet"),
            ("/w", "/w/a.parquet", "a.parquet"),
        ] {
            assert_eq!(relative(Path::new(folder), Path::new(file)), Path::new(expected));
        }
    }
}
