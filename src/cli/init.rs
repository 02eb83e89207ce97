//! `runner init`

mod starter;

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::PathBuf;

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
    let source = Source {
        parquet: OneOrMany::One(args.parquet.clone()),
        tables: indexmap::IndexMap::new(),
        select: Vec::new(),
        filter: None,
        object_store: None,
    };
    let runtime = super::runtime()?;
    let opened =
        runtime.block_on(source::open(&source, std::path::Path::new("."), &|_| Err("no secret".to_owned())));
    let dataset = opened.map_err(|errors| {
        let reasons: Vec<String> = errors.iter().map(ToString::to_string).collect();
        CommandError::usage(reasons.join("; "), "give a parquet file, a folder of them, or an address")
    })?;
    let name = args.name.clone().unwrap_or_else(|| starter::name_from(&args.parquet));
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

/// The parquet path as the pipeline file will name it: relative to the pipeline file's own folder.
fn parquet_from(args: &Args) -> String {
    let Some(folder) = args.file.as_deref().and_then(std::path::Path::parent) else {
        return args.parquet.clone();
    };
    if folder.as_os_str().is_empty() || args.parquet.contains("://") {
        return args.parquet.clone();
    }
    if let Ok(inside) = std::path::Path::new(&args.parquet).strip_prefix(folder) {
        return inside.display().to_string();
    }
    std::path::absolute(&args.parquet)
        .map_or_else(|_| args.parquet.clone(), |path| path.display().to_string())
}
