//! How the program is linked.

use std::{env, process::Command};

/// The first version of the GNU C library that reads relocations in their short form.
const READS_SHORT_RELOCATIONS: (u32, u32) = (2, 36);

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |variable: &str, value: &str| env::var(variable).is_ok_and(|is| is == value);
    let is_native = env::var("HOST").is_ok_and(|host| is("TARGET", &host));
    let is_gnu_linux = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    // There the compiler brings the linker along that can do it.
    if is_gnu_linux && is("CARGO_CFG_TARGET_ARCH", "x86_64") {
        // What hardly ever runs lies by itself, and not between what does: the kernel brings both into memory by the neighbourhood.
        println!("cargo::rustc-link-arg-bins=-Wl,-z,keep-text-section-prefix");
    }
    if is_native && is_gnu_linux && c_library() >= Some(READS_SHORT_RELOCATIONS) {
        // They are read at every start and stay in memory: 10 KiB of them instead of 1.2 MiB.
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// The version of this machine's C library. What is built here runs with this one or a later one.
fn c_library() -> Option<(u32, u32)> {
    let said = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let said = String::from_utf8(said.stdout).ok()?;
    let (major, minor) = said.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
}
