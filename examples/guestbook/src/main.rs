//! The guestbook's server: oauth2flow with the guestbook's app, and a book in a file.

use axum::{Json, Router, extract::State, routing::get};
use guestbook::{App, Entry};
use oauth2flow::{CurrentUser, Failure, ProblemCode, Program, Site};
use std::{fs, io, process::ExitCode, sync::Arc, time::Duration};
use tokio::sync::Mutex;

const FILE: &str = "data/guestbook.json";
/// The entries, each with whoever wrote it: the issuer, and its name for the user.
type Book = Vec<(String, String, Entry)>;
type Shared = State<Arc<Mutex<Book>>>;

async fn read(State(book): Shared) -> Json<Vec<Entry>> {
    Json(book.lock().await.iter().map(|(_, _, entry)| entry.clone()).collect())
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

async fn change<T>(book: &Mutex<Book>, change: impl FnOnce(&mut Book) -> T) -> Result<T, Failure> {
    let mut book = book.lock().await;
    let (mut changed, failed) = (book.clone(), |error| Failure::new(ProblemCode::InternalError).source(error));
    let result = change(&mut changed);
    serde_json::to_vec(&changed).map_err(io::Error::from).and_then(|text| fs::write(FILE, text)).map_err(failed)?;
    *book = changed;
    Ok(result)
}

fn main() -> ExitCode {
    let book: Book = fs::read(FILE).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
    let routes = Router::new().route("/entries", get(read).post(write).delete(forget)).with_state(Arc::new(Mutex::new(book)));
    Program::new(Site::new("Guestbook", || leptos::prelude::IntoAny::into_any(App()))).routes(routes).main()
}
