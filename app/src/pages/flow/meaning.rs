//! What everything in a login is for, in plain words, with the section that says so.

mod check;
mod message;
mod parameter;
mod reference;

pub(crate) use check::{check, skip_reason};
pub(crate) use message::message;
pub(crate) use parameter::{ParameterMeaning, claim, metadata, parameter};
pub(crate) use reference::{Reference, core, rfc};
