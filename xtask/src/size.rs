//! What a person's first visit costs, and how much it may cost.

use crate::site::{Manifest, Package, brotli, gzip};
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

/// The most that the first page with everything it needs may take, in brotli.
pub(crate) const BUDGET_BYTES: usize = 160 * 1024;

/// One file of the first visit, as it is and as it travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    /// What it is.
    pub(crate) name: String,
    /// As it is.
    pub(crate) raw: usize,
    /// In brotli.
    pub(crate) brotli: usize,
    /// In gzip.
    pub(crate) gzip: usize,
}

impl Size {
    /// Measures a page that the server makes.
    pub(crate) fn of_page(name: &str, page: &[u8]) -> Result<Self> {
        Ok(Self { name: name.to_owned(), raw: page.len(), brotli: brotli(page)?.len(), gzip: gzip(page)?.len() })
    }

    fn of_file(name: String, package: &Package, address: &str) -> Result<Self> {
        let length = |suffix: &str| {
            let path = package.site().join(format!("{}{suffix}", address.trim_start_matches('/')));
            let metadata = fs::metadata(&path).with_context(|| format!("cannot measure {}", path.display()))?;
            usize::try_from(metadata.len()).context("a file beyond all measure")
        };
        Ok(Self { name, raw: length("")?, brotli: length(".br")?, gzip: length(".gz")? })
    }
}

/// All that a first visit loads.
pub(crate) struct FirstLoad {
    sizes: Vec<Size>,
    /// What comes only with the page that needs it.
    later: Vec<Size>,
}

impl FirstLoad {
    /// The site's files and the page, where a server has made one.
    pub(crate) fn new(package: &Package, manifest: &Manifest, page: Option<Size>) -> Result<Self> {
        let mut sizes = vec![
            Size::of_file("WebAssembly".to_owned(), package, &manifest.wasm)?,
            Size::of_file("script".to_owned(), package, &manifest.js)?,
            Size::of_file("styles".to_owned(), package, &manifest.css)?,
        ];
        sizes.extend(page);
        let modules = manifest.parts.iter().flat_map(|(part, modules)| modules.iter().map(move |address| (address, part.as_str())));
        let sheets = manifest.sheets.iter().map(|(part, address)| (address, part.as_str()));
        let mut users: BTreeMap<&String, Vec<&str>> = BTreeMap::new();
        for (address, part) in modules.chain(sheets) {
            users.entry(address).or_default().push(part);
        }
        let later = users.into_iter().map(|(address, parts)| Size::of_file(parts.join(" + "), package, address));
        Ok(Self { sizes, later: later.collect::<Result<_>>()? })
    }

    fn total(&self) -> Size {
        let sum = |part: fn(&Size) -> usize| self.sizes.iter().map(part).sum();
        Size { name: "first load".to_owned(), raw: sum(|size| size.raw), brotli: sum(|size| size.brotli), gzip: sum(|size| size.gzip) }
    }

    /// How many bytes of brotli are too many.
    pub(crate) fn over_budget_bytes(&self) -> Option<usize> {
        self.total().brotli.checked_sub(BUDGET_BYTES).filter(|excess| *excess > 0)
    }

    /// The table for people.
    pub(crate) fn table(&self) -> String {
        let mut table = format!("  {:<16}{:>12}{:>12}{:>12}\n", "bytes", "raw", "brotli", "gzip");
        for size in self.sizes.iter().chain([&self.total()]) {
            // Cannot fail: it writes into memory.
            let _ = writeln!(table, "  {:<16}{:>12}{:>12}{:>12}", size.name, size.raw, size.brotli, size.gzip);
        }
        for size in &self.later {
            let _ = writeln!(table, "  {:<16}{:>12}{:>12}{:>12}  on demand", size.name, size.raw, size.brotli, size.gzip);
        }
        let used = self.total().brotli * 100 / BUDGET_BYTES;
        let _ = writeln!(table, "  {used} % of the budget of {BUDGET_BYTES} bytes ({} KiB) of brotli", BUDGET_BYTES / 1024);
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_load(brotli: usize) -> FirstLoad {
        let page = Size { name: "page".to_owned(), raw: 2_000, brotli: 800, gzip: 900 };
        let module = Size { name: "WebAssembly".to_owned(), raw: 400_000, brotli, gzip: 150_000 };
        let later = vec![Size { name: "account".to_owned(), raw: 900, brotli: 700, gzip: 800 }];
        FirstLoad { sizes: vec![module, page], later }
    }

    #[test]
    fn exactly_the_budget_is_fine_and_one_byte_more_is_not() {
        assert_eq!(first_load(BUDGET_BYTES - 800).over_budget_bytes(), None);
        assert_eq!(first_load(BUDGET_BYTES - 799).over_budget_bytes(), Some(1));
    }

    #[test]
    fn the_table_ends_with_the_sum_and_its_share_of_the_budget() {
        let table = first_load(BUDGET_BYTES / 2 - 800).table();
        let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[3], ["first", "load", "402000", "81920", "150900"]);
        assert!(table.contains("50 % of the budget of 163840 bytes (160 KiB)"), "{table}");
    }

    #[test]
    fn a_page_is_measured_in_all_three_forms() {
        let size = Size::of_page("page", "hello ".repeat(100).as_bytes()).unwrap();
        assert_eq!(size.raw, 600);
        assert!(size.brotli < size.gzip && size.gzip < size.raw, "{size:?}");
    }
}
