//! Rules for `allow:`.

use crate::diagnostic::{Code, Diagnostic, Path, did_you_mean};
use crate::spec::Spec;

pub(super) fn check(spec: &Spec, found: &mut Vec<Diagnostic>) {
    let at = Path::of("spec.allow");
    for (index, name) in spec.allow.iter().enumerate() {
        match name.parse::<Code>() {
            Ok(code) if code.can_be_allowed() => {}
            Ok(_) => found.push(
                Diagnostic::new(Code::UnknownCode, format!("`{name}` is an error and cannot be allowed"))
                    .at(at.index(index))
                    .help(format!("`runner explain {name}` says what to do about it")),
            ),
            Err(_) => {
                let names: Vec<String> =
                    Code::all().filter(|code| code.can_be_allowed()).map(|code| code.to_string()).collect();
                let help = did_you_mean(name, names.iter().map(String::as_str));
                found.push(
                    Diagnostic::new(Code::UnknownCode, format!("there is no code `{name}`"))
                        .at(at.index(index))
                        .help(help.unwrap_or_else(|| "`runner explain` lists all codes".to_owned())),
                );
            }
        }
    }
}
