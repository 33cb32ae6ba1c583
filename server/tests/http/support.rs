//! What the tests are made of: the app, a browser, and everybody that the app talks to.

mod answer;
mod app;
mod browser;
mod clock;
mod cookie_jar;
mod event_stream;
mod github;
mod known_provider;
mod log;
mod names;
mod recording;
mod sign_in;
mod signing_key;
mod site;
mod stand_in;
mod tls;
mod tunnel;
mod upstream;

pub(crate) use answer::Answer;
pub(crate) use app::{TestApp, TestAppBuilder};
pub(crate) use browser::{Browser, Initiator, Request};
pub(crate) use clock::ManualClock;
pub(crate) use event_stream::EventStream;
pub(crate) use github::GitHubStandIn;
pub(crate) use known_provider::{Challenge, Client, KnownProvider, Quirks};
pub(crate) use log::Log;
pub(crate) use names::KnownNames;
pub(crate) use recording::{Gate, Received, Reply};
pub(crate) use sign_in::{Decision, SignIn, between, start_login};
pub(crate) use signing_key::{SigningKey, sign_with_secret, unsigned};
pub(crate) use stand_in::{Endpoint, StandInProvider};
pub(crate) use tls::{Authority, Certificate, TlsFront};
pub(crate) use tunnel::Tunnel;
pub(crate) use upstream::Upstream;
