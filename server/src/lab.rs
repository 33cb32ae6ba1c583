//! The attack lab: what happens to a sign-in that leaves one defence out, tried in a sandbox.
//!
//! Nothing that a real login goes through can be switched off, here or anywhere. An experiment has an app of its own
//! (`lab/app.rs`), which is made of the same checks as the real one ([`oauth2flow_protocol`]) and leaves out the one that it is told to,
//! and a demo provider of its own (`lab/sandbox.rs`), which nobody else can reach: it has no socket, keeps everything in memory, and is
//! gone when the experiment is over. The lab plays everybody in it. It has no HTTP client, so that whatever is configured, no provider
//! but that one can be reached from it; and it is there only beside the demo provider.

mod app;
mod attack;
mod sandbox;
mod trace;

use crate::{clock::Clock, entropy::Entropy};
use app::App;
use axum::http;
use oauth2flow_app::lab::{Attack, Experiment, LabOutcome, LabRun};
use oauth2flow_demo_provider::{DemoProvider, DemoProviderError};
use oauth2flow_protocol::{
    Context, authorize::AuthorizationRequestError, callback::CallbackError, discovery::DiscoveryError, jwks::JwksError, token::TokenError,
};
use sandbox::Sandbox;
use std::{sync::Arc, time::Duration};
use thiserror::Error;
use tokio::sync::Semaphore;
use trace::Trace;

/// How many experiments go on at a time: each has a provider of its own.
const MAXIMUM_RUNS: usize = 2;
/// How long one may take: it takes some milliseconds.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Where experiments are made.
pub struct Lab {
    surroundings: Surroundings,
    places: Semaphore,
}

/// What an experiment draws on.
#[derive(Clone)]
struct Surroundings {
    /// What the sandbox's provider calls itself.
    issuer: String,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Surroundings {
    /// Runs an operation of the protocol with the time and randomness of this server.
    fn with_context<T>(&self, operation: impl FnOnce(&mut Context<'_>) -> T) -> T {
        operation(&mut Context::new(self.clock.now(), &mut |bytes| self.entropy.fill(bytes)))
    }
}

/// Why there is nothing to show.
#[derive(Debug, Error)]
pub enum LabError {
    /// As many experiments are going on as there may be.
    #[error("too many experiments are going on")]
    Busy,
    /// It took longer than it may.
    #[error("the experiment took too long")]
    TooLong,
    /// The sandbox's provider cannot be made.
    #[error("the sandbox's provider cannot be made")]
    Provider(#[from] DemoProviderError),
    /// Something wanted to go out of the sandbox.
    #[error("nothing in the sandbox is at that address")]
    OutOfBounds,
    /// Somebody in the sandbox did not do what was expected.
    #[error("in the sandbox, {0}")]
    Unexpected(&'static str),
    /// A request cannot be made.
    #[error("a request in the sandbox cannot be made")]
    Http(#[from] http::Error),
    /// An address is none.
    #[error("an address in the sandbox is none")]
    Address(#[from] url::ParseError),
    /// The provider's metadata cannot be used.
    #[error("the sandbox's metadata cannot be used")]
    Metadata(#[from] DiscoveryError),
    /// Its keys cannot be used.
    #[error("the sandbox's keys cannot be used")]
    Keys(#[from] JwksError),
    /// The app cannot ask.
    #[error("the sandbox's app cannot ask")]
    Request(#[from] AuthorizationRequestError),
    /// The app cannot read the answer.
    #[error("the sandbox's app cannot read the answer")]
    Response(#[from] CallbackError),
    /// The app cannot exchange a code.
    #[error("the sandbox's app cannot exchange a code")]
    Exchange(#[from] TokenError),
}

impl Lab {
    /// A lab beside the demo provider that this process has opened: nobody else can have one. That provider itself has nothing to do with
    /// the experiments.
    pub fn beside(demo: &DemoProvider, clock: &Arc<dyn Clock>, entropy: &Arc<dyn Entropy>) -> Self {
        let surroundings =
            Surroundings { issuer: format!("{}{}", demo.issuer(), sandbox::PATH), clock: Arc::clone(clock), entropy: Arc::clone(entropy) };
        Self { surroundings, places: Semaphore::new(MAXIMUM_RUNS) }
    }

    /// Makes an experiment.
    ///
    /// # Errors
    /// [`LabError::Busy`]; anything else is a mistake in the sandbox.
    pub async fn run(&self, experiment: Experiment) -> Result<LabRun, LabError> {
        let _place = self.places.try_acquire().map_err(|_| LabError::Busy)?;
        // On the heap: so much happens in it.
        tokio::time::timeout(TIME_LIMIT, Box::pin(run(&self.surroundings, experiment))).await.map_err(|_| LabError::TooLong)?
    }
}

async fn run(surroundings: &Surroundings, experiment: Experiment) -> Result<LabRun, LabError> {
    let defences = app::Defences::of(experiment);
    let sandbox = Sandbox::open(surroundings, &defences).await?;
    let mut stage = Stage { app: App::open(&sandbox, defences).await?, trace: Trace::new(&*surroundings.entropy) };
    let outcome = match experiment.attack {
        Attack::StolenCode | Attack::ReplayedToken => attack::stolen_code::run(&mut stage).await?,
        Attack::LoginCsrf => attack::login_csrf::run(&mut stage).await?,
        Attack::MixUp => attack::mix_up::run(&mut stage).await?,
        Attack::OpenRedirect => attack::open_redirect::run(&mut stage).await?,
    };
    Ok(LabRun { experiment, outcome, messages: stage.trace.into_messages() })
}

/// Where an attack is played: the app, with its provider behind it, and what was said so far.
struct Stage<'run> {
    app: App<'run>,
    trace: Trace,
}

/// An outcome about which there is nothing more to say.
const fn outcome(attack_succeeded: bool, decided_at: u32) -> LabOutcome {
    LabOutcome {
        attack_succeeded,
        decided_at,
        stopped_by: None,
        victim_signed_in_as: None,
        attacker_signed_in_as: None,
        victim_ended_at: None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Lab, LabError, MAXIMUM_RUNS, app::Defences, sandbox::Sandbox};
    use crate::{
        clock::{Clock, SystemClock},
        entropy::{Entropy, SystemEntropy},
    };
    use oauth2flow_app::lab::{Attack, Defence, Experiment};
    use oauth2flow_demo_provider::{DemoProvider, DemoProviderConfig};
    use oauth2flow_protocol::{Method, OutboundRequest};
    use std::sync::Arc;
    use url::Url;

    const EXPERIMENT: Experiment = Experiment { attack: Attack::OpenRedirect, defence: Defence::On };

    async fn lab() -> Lab {
        let demo = DemoProvider::open(DemoProviderConfig::new("http://127.0.0.1:4000", "app", "secret")).await.unwrap();
        let (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>) = (Arc::new(SystemClock::start()), Arc::new(SystemEntropy));
        Lab::beside(&demo, &clock, &entropy)
    }

    #[tokio::test]
    async fn only_so_many_experiments_go_on_at_a_time() {
        let lab = lab().await;
        let taken: Vec<_> = (0..MAXIMUM_RUNS).map(|_| lab.places.try_acquire().unwrap()).collect();
        assert!(matches!(lab.run(EXPERIMENT).await, Err(LabError::Busy)));
        drop(taken);
        assert!(lab.run(EXPERIMENT).await.is_ok());
    }

    #[tokio::test]
    async fn nothing_gets_out_of_the_sandbox() {
        let surroundings = lab().await.surroundings;
        let sandbox = Sandbox::open(&surroundings, &Defences::of(EXPERIMENT)).await.unwrap();
        let ask = async |url: &str| {
            let request = OutboundRequest { method: Method::Get, url: Url::parse(url).unwrap(), headers: Vec::new(), body: None };
            sandbox.deliver(&request).await
        };
        assert_eq!(ask("http://127.0.0.1:4000/lab/jwks").await.unwrap().status, 200);
        for url in [
            "http://127.0.0.1:4000/jwks",
            "http://127.0.0.1:4000/laboratory/jwks",
            "http://127.0.0.1:4000/lab/../jwks",
            "http://127.0.0.1:4000@evil.example/lab/jwks",
            "http://127.0.0.1:40001/lab/jwks",
            "http://localhost:4000/lab/jwks",
            "https://accounts.google.com/token",
            "https://attacker.example.org/token",
        ] {
            assert!(matches!(ask(url).await, Err(LabError::OutOfBounds)), "{url}");
        }
    }
}
