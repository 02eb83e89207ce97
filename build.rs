//! What the linker does to the released program, where it is the one that Rust brings: it folds functions whose code is the same (a
//! twentieth of the program), and writes relative relocations in their short form (another fifteenth). Neither costs anything.

use std::env;
use std::process::Command;

/// The first C library that reads the short form. One that does not refuses the program.
const READS_SHORT_RELOCATIONS: (u32, u32) = (2, 36);

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |variable: &str, value: &str| env::var(variable).is_ok_and(|found| found == value);
    if !is("TARGET", "x86_64-unknown-linux-gnu") || !is("PROFILE", "release") {
        return;
    }
    println!("cargo::rustc-link-arg-bins=-Wl,--icf=all");
    // What is built for another machine runs on who knows what.
    let is_for_here = env::var("HOST").is_ok_and(|host| is("TARGET", &host));
    if is_for_here && c_library().is_some_and(|version| version >= READS_SHORT_RELOCATIONS) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// The version of this machine's C library, if it is glibc.
fn c_library() -> Option<(u32, u32)> {
    let said = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let said = String::from_utf8(said.stdout).ok()?;
    let (major, minor) = said.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
