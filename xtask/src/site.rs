//! The site: an app as WebAssembly with its script, the styles and the public files, as `target/site`.

use crate::cargo;
use crate::composition::Composition;
use crate::step::Step;
use crate::wasm_target::{TARGET, WasmTarget};
use crate::workspace::{empty_directory, remove_directory, shown};
use anyhow::{Context, Result};
use assets::Assets;
use serde::{Deserialize, Serialize};
use stamp::Stamp;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

mod assets;
mod bindings;
mod optimizer;
mod package;
mod split;
mod stamp;
mod styles;

pub(crate) use assets::{brotli, gzip};
pub(crate) use bindings::{Bind, bind, custom_section};
pub(crate) use package::{EXAMPLE, Package};
pub(crate) use stamp::digest;

/// Where a page finds the app: `manifest.json`, which the server reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// The script that starts the app.
    pub(crate) js: String,
    /// The app.
    pub(crate) wasm: String,
    /// The styles.
    pub(crate) css: String,
    /// Which state of the texts the app knows: it finds each by its place, so a server with others would have it say the wrong words.
    pub(crate) texts: String,
    /// What comes when it is gone to: the modules of each part of the app.
    pub(crate) parts: BTreeMap<String, Vec<String>>,
    /// The style sheets that come with parts of the app.
    pub(crate) sheets: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads the manifest of the site that is there.
    pub(crate) fn read(package: &Package) -> Result<Self> {
        let path = package.site().join("manifest.json");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is not a manifest", path.display()))
    }

    /// Whether all files it names are there, compressed ones too.
    fn is_whole(&self, package: &Package) -> bool {
        [&self.js, &self.wasm, &self.css].into_iter().chain(self.parts.values().flatten()).chain(self.sheets.values()).all(|file| {
            ["", ".br", ".gz"].iter().all(|suffix| package.site().join(format!("{}{suffix}", file.trim_start_matches('/'))).is_file())
        })
    }
}

/// Where the composition of the present site's WebAssembly is kept.
fn composition_file(package: &Package) -> PathBuf {
    package.cache().join("composition.json")
}

/// What the bytes of the site's WebAssembly are made of.
pub(crate) fn composition(package: &Package) -> Result<Composition> {
    let path = composition_file(package);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} cannot be understood", path.display()))
}

/// Makes the site unless it is there, from exactly the sources, settings and tools that are there.
pub(crate) fn ensure(target: &WasmTarget, package: &Package) -> Result<()> {
    let stamp_file = package.cache().join("site.stamp");
    let stamp = Stamp::of(target, package)?;
    let is_whole = || Manifest::read(package).is_ok_and(|manifest| manifest.is_whole(package));
    if stamp.is_in(&stamp_file) && composition_file(package).is_file() && is_whole() {
        Step::skipped("site", &format!("{} is up to date", shown(&package.site())));
        return Ok(());
    }
    fs::create_dir_all(package.cache())?;
    make(target, package)?;
    stamp.write(&stamp_file)
}

fn make(target: &WasmTarget, package: &Package) -> Result<()> {
    let Compiled { module, texts } = compile(target, package)?;

    let split = if package.is_own() {
        let step = Step::start("take its parts out");
        let pieces = package.cache().join("pieces");
        empty_directory(&pieces)?;
        let split = split::split(&module, &pieces)?;
        step.done();
        split
    } else {
        split::Split::whole(module)
    };

    let step = Step::start("bind it to JavaScript");
    let bound = bind(&split.main, if package.is_own() { Bind::SiteWithParts } else { Bind::Site })?;
    let composition = Composition::of(&bound.wasm)?;
    fs::write(composition_file(package), serde_json::to_string_pretty(&composition)?)?;
    step.done();

    let wasm = optimizer::optimize("the module", bindings::without_names(&bound.wasm)?)?;
    let mut modules = BTreeMap::new();
    for (name, module) in &split.modules {
        modules.insert(name, optimizer::optimize(name, bindings::without_names(module)?)?);
    }

    let step = Step::start("bundle the styles");
    let bundle = |name: &str| styles::bundle(&package.place("style").join(name).with_extension("css"));
    let css = bundle("main")?;
    step.done();

    let step = Step::start("name and compress the files");
    let fresh = package.site().with_extension("new");
    empty_directory(&fresh)?;
    let assets = Assets::new(&fresh);
    assets.copy_all(&package.place("public"))?;
    for (path, text) in &bound.snippets {
        assets.write(&Path::new("pkg/snippets").join(path), text.as_bytes())?;
    }
    let mut addresses = HashMap::new();
    for (name, module) in modules {
        addresses.insert(name.clone(), assets.write_hashed("pkg", name, "wasm", &module)?);
    }
    let mut sheets = BTreeMap::new();
    for (name, parts) in styles::SHEETS.into_iter().filter(|_| package.is_own()) {
        let address = assets.write_hashed("pkg", name, "css", bundle(name)?.as_bytes())?;
        sheets.extend(parts.iter().map(|part| ((*part).to_owned(), address.clone())));
    }
    let script = split.with_loader(&bound.js, &addresses, &sheets)?;
    let manifest = Manifest {
        js: assets.write_hashed("pkg", package.file_name(), "js", script.as_bytes())?,
        wasm: assets.write_hashed("pkg", package.file_name(), "wasm", &wasm)?,
        css: assets.write_hashed("pkg", package.file_name(), "css", css.as_bytes())?,
        texts,
        parts: split
            .parts
            .iter()
            .map(|(part, modules)| (part.clone(), modules.iter().filter_map(|name| addresses.get(name).cloned()).collect()))
            .collect(),
        sheets,
    };
    fs::write(fresh.join("manifest.json"), format!("{}\n", serde_json::to_string_pretty(&manifest)?))?;
    target.paths()?.check(&fresh)?;
    replace(&fresh, &package.site())?;
    step.done_with(&shown(&package.site()));
    Ok(())
}

/// What the compiler made of an app.
struct Compiled {
    module: PathBuf,
    /// Which state of the texts it was made with.
    texts: String,
}

fn compile(target: &WasmTarget, package: &Package) -> Result<Compiled> {
    let mut command = target.cargo();
    target.paths()?.hide(&mut command);
    command.args([
        "rustc",
        "--package",
        package.name(),
        "--lib",
        "--crate-type",
        "cdylib",
        "--target",
        TARGET,
        "--profile",
        "wasm-release",
    ]);
    command.args(["--no-default-features", "--features", package.features()]);
    // By these the module can be taken apart; they are not sent.
    let relocations: &[&str] = if package.is_own() { &["-C", "link-arg=--emit-relocs"] } else { &[] };
    let built = cargo::build_with(&format!("compile {} to WebAssembly", package.name()), &mut command, relocations)?;
    let module = built.wasm(&package.library()).context("cargo made no WebAssembly module")?.to_path_buf();
    let texts = built.variable("OAUTH2FLOW_TEXTS").context("the build script of the app does not tell which texts it has")?.to_owned();
    Ok(Compiled { module, texts })
}

/// Puts a finished directory in the place of another one; a server that is reading the old one never sees half of each.
fn replace(fresh: &Path, place: &Path) -> Result<()> {
    let old = place.with_extension("old");
    remove_directory(&old)?;
    if place.exists() {
        fs::rename(place, &old).with_context(|| format!("cannot move {} away", place.display()))?;
    }
    fs::rename(fresh, place).with_context(|| format!("cannot move {} to {}", fresh.display(), place.display()))?;
    remove_directory(&old)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::cache_directory;

    #[test]
    fn nothing_of_the_old_site_remains() {
        let directory = cache_directory().join("tests/replace");
        empty_directory(&directory).unwrap();
        let (fresh, place) = (directory.join("site.new"), directory.join("site"));
        for round in ["first", "second"] {
            fs::create_dir(&fresh).unwrap();
            fs::write(fresh.join(round), round).unwrap();
            replace(&fresh, &place).unwrap();
            assert_eq!(fs::read_to_string(place.join(round)).unwrap(), round);
            assert_eq!(fs::read_dir(&place).unwrap().count(), 1);
            assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
        }
    }

    #[test]
    fn the_manifest_is_what_the_server_reads() {
        let manifest = Manifest {
            js: "/pkg/a.js".into(),
            wasm: "/pkg/b.wasm".into(),
            css: "/pkg/c.css".into(),
            texts: "0a1b".into(),
            parts: BTreeMap::new(),
            sheets: BTreeMap::from([("flow".into(), "/pkg/d.css".into())]),
        };
        let expected =
            r#"{"js":"/pkg/a.js","wasm":"/pkg/b.wasm","css":"/pkg/c.css","texts":"0a1b","parts":{},"sheets":{"flow":"/pkg/d.css"}}"#;
        assert_eq!(serde_json::to_string(&manifest).unwrap(), expected);
    }
}
