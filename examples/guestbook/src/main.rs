//! The guestbook's server: oauth2flow with the guestbook's app, and a book in a file.

use anyhow::Context as _;
use axum::{Router, extract::State, routing::get};
use guestbook::{App, Entry};
use oauth2flow::{CurrentUser, Failure, Json, ProblemCode, Program, Site};
use std::{fs, io, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};
use tokio::sync::Mutex;

/// The entries, each with whoever wrote it: the issuer, and its name for the user.
type Entries = Vec<(String, String, Entry)>;
type Book = (Mutex<Entries>, PathBuf);
type Shared = State<Arc<Book>>;

async fn read(State(book): Shared) -> Json<Vec<Entry>> {
    Json(book.0.lock().await.iter().map(|(_, _, entry)| entry.clone()).collect())
}

async fn write(State(book): Shared, user: CurrentUser, Json(text): Json<String>) -> Result<Json<Entry>, Failure> {
    if text.trim().is_empty() || text.chars().count() > 280 {
        return Err(Failure::new(ProblemCode::InvalidRequest).detail("An entry has between 1 and 280 characters."));
    }
    let (entry, (issuer, subject)) = ((user.name().to_owned(), text), user.id());
    change(&book, |book| book.push((issuer.to_owned(), subject.to_owned(), entry.clone()))).await?;
    Ok(Json(entry))
}

async fn forget(State(book): Shared, user: CurrentUser) -> Result<Json<usize>, Failure> {
    user.require_recent(Duration::from_mins(5))?;
    let removed = change(&book, |book| book.extract_if(.., |(issuer, subject, _)| user.id() == (issuer, subject)).count());
    Ok(Json(removed.await?))
}

async fn change<T>((entries, file): &Book, change: impl FnOnce(&mut Entries) -> T) -> Result<T, Failure> {
    let mut entries = entries.lock().await;
    let (mut changed, new) = (entries.clone(), file.with_extension("new"));
    let result = change(&mut changed);
    // Put in the place of the old one when all of it is there, so that the file is whole whatever happens.
    let written = serde_json::to_vec(&changed).map_err(io::Error::from).and_then(|text| fs::write(&new, text));
    let kept = written.and_then(|()| fs::File::open(&new)?.sync_all()).and_then(|()| fs::rename(new, file));
    kept.map_err(|error| Failure::new(ProblemCode::InternalError).source(error))?;
    *entries = changed;
    Ok(result)
}

fn main() -> ExitCode {
    let program = Program::new(Site::new("Guestbook", || leptos::prelude::IntoAny::into_any(App())));
    let program = program.routes_with(|config| {
        let file = config.server.data_dir.join("guestbook.json");
        let text = if file.try_exists()? { fs::read(&file)? } else { b"[]".to_vec() };
        let entries = serde_json::from_slice(&text).with_context(|| format!("{} holds no guestbook", file.display()))?;
        Ok(Router::new().route("/entries", get(read).post(write).delete(forget)).with_state(Arc::new((Mutex::new(entries), file))))
    });
    program.main()
}
