//! `wasm-opt`, for those who have it, where it makes the module smaller on its way to the browser.

use super::assets::brotli;
use crate::child::{first_line, run_quietly};
use crate::step::Step;
use crate::workspace::{cache_directory, end2end_directory, program};
use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// What every browser of the last years has and the compiler uses; anything newer would be a choice for people to make.
const FEATURES: [&str; 7] = [
    "--enable-bulk-memory",
    "--enable-extended-const",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

fn find() -> Option<PathBuf> {
    let of_end2end = end2end_directory().join("node_modules/.bin/wasm-opt");
    program("wasm-opt").or_else(|| of_end2end.is_file().then_some(of_end2end))
}

/// Which version there is, if any.
pub(super) fn version() -> Option<String> {
    first_line(Command::new(find()?).arg("--version"))
}

/// The module made smaller, or as it was where there is no wasm-opt.
pub(super) fn optimize(name: &str, module: Vec<u8>) -> Result<Vec<u8>> {
    let step_name = format!("make {name} smaller with wasm-opt");
    let Some(wasm_opt) = find() else {
        Step::skipped(&step_name, "wasm-opt is not installed, and the site is complete without it");
        return Ok(module);
    };
    let (before, after) = (cache_directory().join("before.wasm"), cache_directory().join("after.wasm"));
    fs::write(&before, &module).with_context(|| format!("cannot write {}", before.display()))?;
    let step = Step::start(step_name);
    let finished = run_quietly(Command::new(wasm_opt).arg("-Oz").args(FEATURES).arg(&before).arg("-o").arg(&after), &step)?;
    if !finished.status.success() {
        step.failed(&finished.transcript);
        anyhow::bail!("wasm-opt does not accept the module");
    }
    let optimized = fs::read(&after).with_context(|| format!("cannot read {}", after.display()))?;
    // What it saves before compression it can cost after it, and people wait for what travels.
    let (with, without) = (brotli(&optimized)?.len(), brotli(&module)?.len());
    let sizes = format!("{without} → {with} bytes of brotli");
    if with < without {
        step.done_with(&sizes);
        Ok(optimized)
    } else {
        step.done_with(&format!("{sizes}: the module stays as it was"));
        Ok(module)
    }
}
