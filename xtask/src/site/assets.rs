//! Files as the server sends them: named by their content, with brotli and gzip beside each.

use super::stamp::digest;
use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// How many characters of the content's digest are in a file's name: 64 bits, enough never to meet the same one twice.
const HASH_LENGTH: usize = 16;

/// Formats that are compressed already; compressing them again only costs time.
const COMPRESSED_FORMATS: [&str; 9] = ["avif", "br", "gif", "gz", "jpeg", "jpg", "png", "webp", "woff2"];

/// A site in the making.
pub(super) struct Assets {
    directory: PathBuf,
}

impl Assets {
    /// A site in this directory.
    pub(super) fn new(directory: &Path) -> Self {
        Self { directory: directory.to_path_buf() }
    }

    /// Writes a file under a name that changes with its content, and gives its address.
    pub(super) fn write_hashed(&self, directory: &str, name: &str, extension: &str, content: &[u8]) -> Result<String> {
        let hash = digest(content);
        let path = format!("{directory}/{name}.{}.{extension}", hash.get(..HASH_LENGTH).unwrap_or(&hash));
        self.write(Path::new(&path), content)?;
        Ok(format!("/{path}"))
    }

    /// Writes a file and its compressed forms.
    pub(super) fn write(&self, path: &Path, content: &[u8]) -> Result<()> {
        let path = self.directory.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
        }
        write(&path, content)?;
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        if !COMPRESSED_FORMATS.contains(&extension) {
            write(&with_suffix(&path, ".br"), &brotli(content)?)?;
            write(&with_suffix(&path, ".gz"), &gzip(content)?)?;
        }
        Ok(())
    }

    /// Writes all files of a directory under their own names.
    pub(super) fn copy_all(&self, source: &Path) -> Result<()> {
        self.copy_below(source, Path::new(""))
    }

    fn copy_below(&self, source: &Path, below: &Path) -> Result<()> {
        let directory = source.join(below);
        if !directory.is_dir() {
            return Ok(());
        }
        for entry in fs::read_dir(&directory).with_context(|| format!("cannot read {}", directory.display()))? {
            let entry = entry?;
            let path = below.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                self.copy_below(source, &path)?;
            } else {
                self.write(&path, &fs::read(entry.path()).with_context(|| format!("cannot read {}", entry.path().display()))?)?;
            }
        }
        Ok(())
    }
}

fn write(path: &Path, content: &[u8]) -> Result<()> {
    fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The content in brotli's best quality.
pub(crate) fn brotli(content: &[u8]) -> Result<Vec<u8>> {
    let parameters = ::brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, size_hint: content.len(), ..Default::default() };
    let mut compressed = Vec::new();
    ::brotli::BrotliCompress(&mut &content[..], &mut compressed, &parameters).context("brotli failed")?;
    Ok(compressed)
}

/// The content in gzip's best quality.
pub(crate) fn gzip(content: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).context("gzip failed")?;
    encoder.finish().context("gzip failed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::{cache_directory, empty_directory};
    use std::io::Read;

    fn assets(name: &str) -> (Assets, PathBuf) {
        let directory = cache_directory().join("tests").join(name);
        empty_directory(&directory).unwrap();
        (Assets::new(&directory), directory)
    }

    #[test]
    fn the_name_changes_with_the_content_only() {
        let (assets, directory) = assets("hashed");
        let address = assets.write_hashed("pkg", "app", "js", b"abc").unwrap();
        assert_eq!(address, "/pkg/app.ba7816bf8f01cfea.js");
        assert_eq!(assets.write_hashed("pkg", "app", "js", b"abc").unwrap(), address);
        assert_ne!(assets.write_hashed("pkg", "app", "js", b"abd").unwrap(), address);
        assert_eq!(fs::read(directory.join(address.trim_start_matches('/'))).unwrap(), b"abc");
    }

    #[test]
    fn both_compressed_forms_give_the_content_back() {
        let (assets, directory) = assets("compressed");
        let content = "the same words, the same words, the same words".as_bytes();
        assets.write(Path::new("deep/a.txt"), content).unwrap();
        let mut unpacked = Vec::new();
        ::brotli::BrotliDecompress(&mut &fs::read(directory.join("deep/a.txt.br")).unwrap()[..], &mut unpacked).unwrap();
        assert_eq!(unpacked, content);
        unpacked.clear();
        flate2::read::GzDecoder::new(&fs::read(directory.join("deep/a.txt.gz")).unwrap()[..]).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, content);
    }

    #[test]
    fn pictures_are_copied_as_they_are() {
        let (assets, directory) = assets("pictures");
        let source = directory.join("source");
        fs::create_dir_all(source.join("icons")).unwrap();
        fs::write(source.join("icons/a.png"), "png").unwrap();
        fs::write(source.join("robots.txt"), "User-agent: *").unwrap();
        assets.copy_all(&source).unwrap();
        assert!(directory.join("icons/a.png").is_file());
        assert!(!directory.join("icons/a.png.br").exists());
        assert!(directory.join("robots.txt.br").is_file());
        assets.copy_all(&directory.join("nowhere")).unwrap();
    }
}
