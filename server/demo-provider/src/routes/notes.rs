//! The notes API: something worth having an access token for.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    bearer::{self, Bearer, BearerError, Call},
    failure::Failure,
    form::media_type,
    scope::Scope,
    state::AppState,
    store::note::Note,
};

/// The longest note.
const MAX_CHARACTERS: usize = 500;

#[derive(Deserialize)]
struct NewNote {
    text: String,
}

/// Why a note is not listed, added or deleted.
#[derive(Debug)]
pub(crate) enum NoteError {
    Bearer(BearerError),
    UnsupportedMediaType,
    Malformed,
    Empty,
    TooLong,
    TooMany,
    NotFound,
}

impl From<BearerError> for NoteError {
    fn from(error: BearerError) -> Self {
        Self::Bearer(error)
    }
}

impl From<Failure> for NoteError {
    fn from(failure: Failure) -> Self {
        Self::Bearer(failure.into())
    }
}

impl IntoResponse for NoteError {
    fn into_response(self) -> Response {
        let (status, error, description) = match self {
            Self::Bearer(error) => return error.into_response(),
            Self::UnsupportedMediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "A note is sent as JSON."),
            Self::Malformed => (StatusCode::BAD_REQUEST, "malformed", "A note is an object with a text."),
            Self::Empty => (StatusCode::UNPROCESSABLE_ENTITY, "empty", "A note needs some text."),
            Self::TooLong => (StatusCode::UNPROCESSABLE_ENTITY, "too_long", "A note has at most 500 characters."),
            Self::TooMany => (StatusCode::CONFLICT, "too_many", "There are too many notes. Delete one first."),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found", "There is no such note."),
        };
        (status, Json(json!({ "error": error, "error_description": description }))).into_response()
    }
}

fn wire(note: &Note) -> Value {
    let created_at = Timestamp::from_second(note.created_at).unwrap_or_default();
    json!({ "id": note.id, "text": note.text, "created_at": created_at.to_string() })
}

/// Who calls, after a login that is good enough for notes.
async fn authenticate(state: &AppState, call: &Call, required: Scope) -> Result<Bearer, BearerError> {
    bearer::authenticate(state, call, required).await?.stepped_up(state)
}

/// `GET /notes`: the account's notes, the oldest first.
pub(crate) async fn list(State(state): State<AppState>, call: Call) -> Result<Json<Vec<Value>>, NoteError> {
    let bearer = authenticate(&state, &call, Scope::NotesRead).await?;
    let notes = state.store.notes(bearer.account.sub).await?;
    Ok(Json(notes.iter().map(wire).collect()))
}

/// `POST /notes`: adds a note.
pub(crate) async fn create(State(state): State<AppState>, call: Call, headers: HeaderMap, body: Bytes) -> Result<Response, NoteError> {
    let bearer = authenticate(&state, &call, Scope::NotesWrite).await?;
    if !media_type(&headers).is_some_and(|media_type| media_type.eq_ignore_ascii_case("application/json")) {
        return Err(NoteError::UnsupportedMediaType);
    }
    let NewNote { text } = serde_json::from_slice(&body).map_err(|_| NoteError::Malformed)?;
    let text = text.trim();
    if text.is_empty() {
        return Err(NoteError::Empty);
    }
    if text.chars().count() > MAX_CHARACTERS {
        return Err(NoteError::TooLong);
    }
    let note = Note { id: state.identifier()?, text: text.to_owned(), created_at: state.now() };
    if !state.store.add_note(bearer.account.sub, &note).await? {
        return Err(NoteError::TooMany);
    }
    let location = state.path(&format!("/notes/{}", note.id));
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(wire(&note))).into_response())
}

/// `DELETE /notes/{id}`: deletes a note.
pub(crate) async fn delete(State(state): State<AppState>, Path(id): Path<String>, call: Call) -> Result<StatusCode, NoteError> {
    let bearer = authenticate(&state, &call, Scope::NotesWrite).await?;
    if state.store.delete_note(bearer.account.sub, &id).await? { Ok(StatusCode::NO_CONTENT) } else { Err(NoteError::NotFound) }
}
