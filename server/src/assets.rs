//! The site: what `cargo xtask` built, held in memory with its compressed forms.
//!
//! A few hundred kilobytes whose names carry their content's hash: read once, served without a system call.

use anyhow::{Context as _, bail};
use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
};
use oauth2flow_app::{shell::SiteAssets, texts::VERSION};
use serde::Deserialize;
use sha2::{Digest, Sha256};
#[cfg(feature = "embedded-site")]
use std::borrow::Cow;
use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::Path,
};

const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");

/// The files of the site by URL path.
pub struct Assets {
    files: HashMap<String, File>,
    /// The names of script, wasm and styles.
    pub site: SiteAssets,
    /// Which texts it was built with.
    texts: String,
}

struct File {
    content_type: HeaderValue,
    cache_control: HeaderValue,
    etag: HeaderValue,
    identity: Bytes,
    brotli: Option<Bytes>,
    gzip: Option<Bytes>,
}

/// What is in a file of the site.
struct Content {
    data: Bytes,
    sha256: [u8; 32],
}

impl Content {
    fn read(data: Vec<u8>) -> Self {
        Self { sha256: Sha256::digest(&data).into(), data: data.into() }
    }

    /// It stays where it is in the binary, and its hash is known: what nobody asks for is never brought into memory.
    #[cfg(feature = "embedded-site")]
    fn of_embedded(file: rust_embed::EmbeddedFile) -> Self {
        let sha256 = file.metadata.sha256_hash();
        let data = match file.data {
            Cow::Borrowed(data) => Bytes::from_static(data),
            Cow::Owned(data) => data.into(),
        };
        Self { data, sha256 }
    }
}

#[derive(Deserialize)]
struct Manifest {
    js: String,
    wasm: String,
    css: String,
    /// Which texts it was built with. A site that does not tell is an old one.
    #[serde(default)]
    texts: String,
    #[serde(default)]
    sheets: BTreeMap<String, String>,
}

impl Manifest {
    /// `cargo leptos watch` writes the files under plain names and no manifest.
    fn of_cargo_leptos() -> Self {
        Self {
            js: "/pkg/oauth2flow.js".to_owned(),
            wasm: "/pkg/oauth2flow.wasm".to_owned(),
            css: "/pkg/oauth2flow.css".to_owned(),
            // It builds both together.
            texts: VERSION.to_owned(),
            sheets: BTreeMap::new(),
        }
    }
}

#[cfg(feature = "embedded-site")]
#[derive(rust_embed::RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../target/site"]
struct Embedded;

impl Assets {
    /// Reads the site from a directory.
    ///
    /// # Errors
    /// When the directory holds no built site, or one that belongs to another program.
    pub fn from_directory(directory: &Path) -> anyhow::Result<Self> {
        let mut contents = Vec::new();
        read_directory(directory, directory, &mut contents).with_context(|| {
            format!("the site in {} cannot be read. Build it with `cargo xtask run` or `cargo xtask build`", directory.display())
        })?;
        let place = || format!("the site in {}", directory.display());
        Self::new(contents).with_context(|| format!("{} is not complete", place()))?.with_own_texts(place)
    }

    /// The site that was compiled in.
    ///
    /// # Errors
    /// When this binary has none, or that of another one.
    pub fn embedded() -> anyhow::Result<Self> {
        #[cfg(feature = "embedded-site")]
        return Self::new(
            Embedded::iter().filter_map(|path| Some((path.to_string(), Content::of_embedded(Embedded::get(&path)?)))).collect(),
        )?
        .with_own_texts(|| "the site in this binary".to_owned());
        #[cfg(not(feature = "embedded-site"))]
        bail!("this binary holds no site. Start it with `cargo xtask run`, or name the site's directory: --site-dir target/site")
    }

    fn new(contents: Vec<(String, Content)>) -> anyhow::Result<Self> {
        let mut contents: HashMap<String, Content> = contents.into_iter().collect();
        let manifest = match contents.remove("manifest.json") {
            Some(manifest) => serde_json::from_slice(&manifest.data).context("manifest.json cannot be read")?,
            None if contents.contains_key("pkg/oauth2flow.js") => Manifest::of_cargo_leptos(),
            None => bail!("manifest.json is missing"),
        };
        let files: HashMap<String, File> = contents
            .iter()
            .filter(|(path, _)| !matches!(extension(path), Some("br" | "gz")))
            .map(|(path, content)| (format!("/{path}"), File::new(path, content, &contents)))
            .collect();
        for name in [&manifest.js, &manifest.wasm, &manifest.css].into_iter().chain(manifest.sheets.values()) {
            if !files.contains_key(name) {
                bail!("manifest.json names {name}, which is missing");
            }
        }
        let Manifest { js, wasm, css, texts, sheets } = manifest;
        Ok(Self { files, site: SiteAssets { js, wasm, css, sheets, origin: String::new() }, texts })
    }

    /// Refuses a site that was built with other texts than this program: it finds each by its place among all, and would show another one.
    fn with_own_texts(self, place: impl FnOnce() -> String) -> anyhow::Result<Self> {
        if self.texts != VERSION {
            bail!(
                "{} was built with other texts than this program, and its pages would say the wrong words. Build both from the same sources \
                 with `cargo xtask run` or `cargo xtask build` (or the site alone with `cargo xtask site`), or name the site that was built \
                 with this program: --site-dir DIRECTORY or server.site_dir",
                place()
            );
        }
        Ok(self)
    }

    /// The file at a path, in the smallest form that the browser takes.
    pub fn serve(&self, path: &str, headers: &HeaderMap) -> Option<Response<Body>> {
        let file = self.files.get(path)?;
        let mut response = Response::new(Body::empty());
        let out = response.headers_mut();
        out.insert(header::CONTENT_TYPE, file.content_type.clone());
        out.insert(header::CACHE_CONTROL, file.cache_control.clone());
        out.insert(header::ETAG, file.etag.clone());
        out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if headers.get(header::IF_NONE_MATCH).is_some_and(|tag| tag == file.etag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return Some(response);
        }
        let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let accepts = |coding: &str| {
            accepted.split(',').any(|offer| {
                let (name, quality) = offer.split_once(';').unwrap_or((offer, ""));
                name.trim() == coding && !matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
            })
        };
        let (data, coding) = match (&file.brotli, &file.gzip) {
            (Some(brotli), _) if accepts("br") => (brotli, Some("br")),
            (_, Some(gzip)) if accepts("gzip") => (gzip, Some("gzip")),
            _ => (&file.identity, None),
        };
        if let Some(coding) = coding {
            out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        *response.body_mut() = Body::from(data.clone());
        Some(response)
    }
}

impl File {
    fn new(path: &str, content: &Content, contents: &HashMap<String, Content>) -> Self {
        let hash = content.sha256;
        let etag = format!("W/\"{:016x}\"", u64::from_be_bytes([hash[0], hash[1], hash[2], hash[3], hash[4], hash[5], hash[6], hash[7]]));
        Self {
            content_type: HeaderValue::from_static(content_type(path)),
            cache_control: if is_hashed(path) { IMMUTABLE } else { REVALIDATE },
            etag: HeaderValue::try_from(etag).unwrap_or(HeaderValue::from_static("W/\"0\"")),
            identity: content.data.clone(),
            brotli: contents.get(&format!("{path}.br")).map(|content| content.data.clone()),
            gzip: contents.get(&format!("{path}.gz")).map(|content| content.data.clone()),
        }
    }
}

/// Whether the name changes with the content: `pkg/name.hash.extension`.
fn is_hashed(path: &str) -> bool {
    path.strip_prefix("pkg/").is_some_and(|name| name.split('.').count() > 2)
}

fn extension(path: &str) -> Option<&str> {
    path.rsplit_once('.').map(|(_, extension)| extension)
}

fn content_type(path: &str) -> &'static str {
    match extension(path) {
        Some("css") => "text/css; charset=utf-8",
        Some("html") => "text/html; charset=utf-8",
        Some("ico") => "image/x-icon",
        Some("js") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("png") => "image/png",
        Some("svg") => "image/svg+xml",
        Some("txt") => "text/plain; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("webmanifest") => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

fn read_directory(top: &Path, directory: &Path, contents: &mut Vec<(String, Content)>) -> anyhow::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            read_directory(top, &path, contents)?;
        } else if let Some(name) = path.strip_prefix(top)?.to_str() {
            contents.push((name.replace('\\', "/"), Content::read(fs::read(&path)?)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Assets, Content};
    use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
    use oauth2flow_app::texts::VERSION;

    fn assets(files: &[(&str, &str)]) -> anyhow::Result<Assets> {
        Assets::new(files.iter().map(|(path, data)| ((*path).to_owned(), Content::read(data.as_bytes().to_vec()))).collect())
    }

    fn built() -> Assets {
        let manifest = r#"{"js": "/pkg/a.1.js", "wasm": "/pkg/a.2.wasm", "css": "/pkg/a.3.css"}"#;
        let files = [
            ("manifest.json", manifest),
            ("pkg/a.1.js", "js"),
            ("pkg/a.1.js.br", "br"),
            ("pkg/a.1.js.gz", "gz"),
            ("pkg/a.2.wasm", ""),
            ("pkg/a.3.css", ""),
        ];
        assets(&files).unwrap()
    }

    fn accepting(codings: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(codings))])
    }

    #[test]
    fn the_smallest_form_that_the_browser_takes_is_served() {
        for (codings, expected) in [("gzip, br", Some("br")), ("gzip", Some("gzip")), ("br;q=0, gzip;q=0.5", Some("gzip")), ("", None)] {
            let answer = built().serve("/pkg/a.1.js", &accepting(codings)).unwrap();
            assert_eq!(answer.headers().get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap()), expected, "{codings}");
            assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/javascript; charset=utf-8");
        }
    }

    #[test]
    fn what_the_browser_has_is_not_sent_again() {
        let answer = built().serve("/pkg/a.1.js", &HeaderMap::new()).unwrap();
        assert_eq!(answer.headers()[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
        let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, answer.headers()[header::ETAG].clone())]);
        assert_eq!(built().serve("/pkg/a.1.js", &headers).unwrap().status(), StatusCode::NOT_MODIFIED);
    }

    #[test]
    fn neither_the_manifest_nor_a_compressed_form_is_a_file_of_its_own() {
        for path in ["/manifest.json", "/pkg/a.1.js.br", "/pkg/../manifest.json", "/"] {
            assert!(built().serve(path, &HeaderMap::new()).is_none(), "{path}");
        }
    }

    #[test]
    fn a_site_without_the_style_sheet_of_a_part_is_refused() {
        let manifest = r#"{"js": "/pkg/a.js", "wasm": "/pkg/a.wasm", "css": "/pkg/a.css", "sheets": {"flow": "/pkg/flow.css"}}"#;
        let files = [("manifest.json", manifest), ("pkg/a.js", ""), ("pkg/a.wasm", ""), ("pkg/a.css", "")];
        let error = assets(&files).err().unwrap();
        assert!(error.to_string().contains("/pkg/flow.css"), "{error}");
        let whole = assets(&[&files[..], &[("pkg/flow.css", "")]].concat()).unwrap();
        assert_eq!(whole.site.sheets["flow"], "/pkg/flow.css");
    }

    #[test]
    fn a_site_with_other_texts_is_refused() {
        let manifest = |texts: &str| format!(r#"{{"js": "/pkg/a.js", "wasm": "/pkg/a.wasm", "css": "/pkg/a.css"{texts}}}"#);
        let read = |texts: &str| {
            let manifest = manifest(texts);
            let files = [("manifest.json", manifest.as_str()), ("pkg/a.js", ""), ("pkg/a.wasm", ""), ("pkg/a.css", "")];
            assets(&files).unwrap().with_own_texts(|| "the site in old".to_owned())
        };
        for other in ["", r#", "texts": "0000000000000000""#] {
            let error = read(other).err().unwrap().to_string();
            assert!(error.starts_with("the site in old was built with other texts") && error.contains("`cargo xtask site`"), "{error}");
        }
        assert!(read(&format!(r#", "texts": "{VERSION}""#)).is_ok());
    }

    #[test]
    fn an_incomplete_site_is_refused_and_that_of_cargo_leptos_is_taken() {
        assert!(assets(&[("manifest.json", r#"{"js": "/pkg/a.js", "wasm": "/pkg/a.wasm", "css": "/pkg/a.css"}"#)]).is_err());
        assert!(assets(&[]).is_err());
        let plain = assets(&[("pkg/oauth2flow.js", ""), ("pkg/oauth2flow.wasm", ""), ("pkg/oauth2flow.css", "")]).unwrap();
        assert_eq!(plain.serve("/pkg/oauth2flow.js", &HeaderMap::new()).unwrap().headers()[header::CACHE_CONTROL], "no-cache");
        assert!(plain.with_own_texts(String::new).is_ok());
    }
}
