//! A provider that gives each refresh token away once, and ends the whole family when one comes back.

use crate::{
    random::Random,
    world::{Life, World},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep, timeout},
};

/// How long an access token lives, in seconds.
pub(crate) const LIFE_SECONDS: i64 = 15;
/// How long a replica waits for an answer.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// How the provider is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    Slow,
    Failing,
    Unreachable,
    /// It takes the request, and the answer never comes.
    Mute,
}

/// New tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub(crate) access: u64,
    pub(crate) refresh: u64,
}

/// Why there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    InvalidGrant,
    /// It said so, and has done nothing.
    InTrouble,
    /// Nobody knows what it has done.
    NoAnswer,
}

/// What is known of a request with a refresh token.
struct Attempt {
    replica: usize,
    life: Arc<Life>,
    began: Instant,
    end: Option<End>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// The refresh token is what it was.
    Harmless,
    AnswerLost,
    Answered,
}

/// Why a refresh token may have been shown twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Excuse {
    HolderDied,
    StoreLost,
    LeaseLost,
    AnswerLost,
}

/// The tokens of one login.
struct Family {
    session: usize,
    current: u64,
    generation: u64,
    issued_at: Option<Instant>,
    dead: Option<&'static str>,
    /// The request that brought the current tokens.
    last: Option<(u64, usize)>,
    written: bool,
}

#[derive(Default)]
struct Content {
    families: Vec<Family>,
    /// The family and the generation of every token.
    refresh_tokens: HashMap<u64, (usize, u64)>,
    access_tokens: HashMap<u64, (usize, u64)>,
    attempts: HashMap<u64, Vec<Attempt>>,
    excuses: HashMap<u64, Excuse>,
    issued: u64,
}

/// The provider.
pub(crate) struct Provider {
    content: Mutex<Content>,
    mood: Mutex<Mood>,
    random: Random,
}

impl Provider {
    pub(crate) fn new(random: Random) -> Self {
        Self { content: Mutex::default(), mood: Mutex::new(Mood::Well), random }
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap()
    }

    pub(crate) fn set_mood(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn mood(&self) -> Mood {
        *self.mood.lock().unwrap()
    }

    /// A login.
    pub(crate) fn sign_in(&self, session: usize) -> Pair {
        let mut content = self.content();
        let family = content.families.len();
        content.families.push(Family { session, current: 0, generation: 0, issued_at: None, dead: None, last: None, written: true });
        content.issue(family)
    }

    /// A refresh, as a replica does it.
    pub(crate) async fn refresh(&self, world: &Arc<World>, replica: usize, life: &Arc<Life>, refresh: u64) -> Result<Pair, Refused> {
        let number = self.begin(world, replica, life, refresh);
        let (mood, (answer, answered)) = (self.mood(), oneshot::channel());
        let trip = match mood {
            Mood::Slow => self.random.milliseconds(500..9_000),
            _ => self.random.milliseconds(1..150),
        };
        let way_back = self.random.milliseconds(1..100);
        let does_nothing = self.random.percent(50);
        // The provider goes on when the replica dies.
        let world_of_provider = Arc::clone(world);
        tokio::spawn(async move {
            sleep(trip).await;
            let provider = &world_of_provider.provider;
            let result = match mood {
                Mood::Well | Mood::Slow => provider.rotate(&world_of_provider, refresh, number),
                Mood::Failing | Mood::Unreachable => Err(Refused::InTrouble),
                Mood::Mute if does_nothing => return drop((sleep(TIMEOUT * 2).await, answer)),
                Mood::Mute => {
                    let _ = provider.rotate(&world_of_provider, refresh, number);
                    return drop((sleep(TIMEOUT * 2).await, answer));
                }
            };
            sleep(way_back).await;
            let _ = answer.send(result);
        });
        let result = timeout(TIMEOUT, answered).await.map_or(Err(Refused::NoAnswer), |answer| answer.unwrap_or(Err(Refused::NoAnswer)));
        let end = match result {
            Ok(_) | Err(Refused::InvalidGrant) => End::Answered,
            Err(Refused::InTrouble) => End::Harmless,
            Err(Refused::NoAnswer) => End::AnswerLost,
        };
        self.content().attempts.get_mut(&refresh).unwrap()[number].end = Some(end);
        world.note(|| format!("replica {replica} hears {result:?} for refresh token {refresh}"));
        result
    }

    /// A request goes out. No other may be under way with the same token, nor have been answered, but with an excuse.
    fn begin(&self, world: &World, replica: usize, life: &Arc<Life>, refresh: u64) -> usize {
        world.note(|| format!("replica {replica} shows refresh token {refresh}"));
        let mut content = self.content();
        let family = content.refresh_tokens[&refresh].0;
        let session = content.families[family].session;
        let attempts = content.attempts.entry(refresh).or_default();
        let mut excuse = None;
        for earlier in attempts.iter() {
            excuse = match earlier.end {
                Some(End::Harmless) => continue,
                Some(End::AnswerLost) => Some(Excuse::AnswerLost),
                Some(End::Answered) | None if !earlier.life.is_alive() => Some(Excuse::HolderDied),
                Some(End::Answered) | None if world.store_was_lost(earlier.replica, earlier.began) => Some(Excuse::StoreLost),
                Some(End::Answered) | None if world.lease_was_lost(session, earlier.began) => Some(Excuse::LeaseLost),
                Some(End::Answered) | None => {
                    world.violation(format!(
                        "replica {replica} shows refresh token {refresh}, which replica {} has shown, lives, and has its store",
                        earlier.replica
                    ));
                    None
                }
            };
        }
        attempts.push(Attempt { replica, life: Arc::clone(life), began: Instant::now(), end: None });
        let number = attempts.len() - 1;
        if let Some(excuse) = excuse {
            content.excuses.insert(refresh, excuse);
        }
        number
    }

    fn rotate(&self, world: &World, refresh: u64, number: usize) -> Result<Pair, Refused> {
        let mut content = self.content();
        let (family, _) = content.refresh_tokens[&refresh];
        if content.families[family].dead.is_some() {
            return Err(Refused::InvalidGrant);
        }
        if content.families[family].current != refresh {
            content.families[family].dead = Some("a refresh token came back");
            match content.excuses.get(&refresh).copied() {
                Some(excuse) => world.count_reuse(excuse),
                None => world.violation(format!("refresh token {refresh} came back, and there is no excuse")),
            }
            return Err(Refused::InvalidGrant);
        }
        let pair = content.issue(family);
        content.families[family].last = Some((refresh, number));
        content.families[family].written = false;
        world.count_renewal();
        Ok(pair)
    }

    /// The store has these tokens now.
    pub(crate) fn written(&self, refresh: u64) {
        let mut content = self.content();
        if let Some((family, _)) = content.refresh_tokens.get(&refresh).copied()
            && content.families[family].current == refresh
        {
            content.families[family].written = true;
        }
    }

    /// Ends a family when its current refresh token is taken back; a spent one is nothing to take back.
    pub(crate) fn revoke(&self, refresh: u64) {
        let mut content = self.content();
        let family = content.refresh_tokens[&refresh].0;
        let family = &mut content.families[family];
        if family.current == refresh {
            family.dead.get_or_insert("revoked");
        }
    }

    /// Takes a grant back by itself.
    pub(crate) fn end_grant(&self, session: usize) {
        for family in &mut self.content().families {
            if family.session == session {
                family.dead.get_or_insert("ended by the provider");
            }
        }
    }

    /// Whether an API takes this access token now.
    pub(crate) fn is_good(&self, access: u64) -> bool {
        let content = self.content();
        let (family, generation) = content.access_tokens[&access];
        let family = &content.families[family];
        let lives = family.issued_at.is_some_and(|at| at.elapsed().as_secs() < LIFE_SECONDS.unsigned_abs());
        family.dead.is_none() && family.generation == generation && lives
    }

    /// Why the grant of a session is no more, if it is not.
    pub(crate) fn death(&self, session: usize) -> Option<&'static str> {
        self.content().families.iter().find(|family| family.session == session).and_then(|family| family.dead)
    }

    /// The session and the generation of an access token.
    pub(crate) fn access(&self, access: u64) -> Option<(usize, u64)> {
        let content = self.content();
        let (family, generation) = *content.access_tokens.get(&access)?;
        Some((content.families[family].session, generation))
    }

    /// Whether somebody is excused for not taking the current tokens of a session back: they were in the hand of a replica that died,
    /// or in nobody's.
    pub(crate) fn tokens_were_lost(&self, session: usize) -> bool {
        let content = self.content();
        let Some(family) = content.families.iter().find(|family| family.session == session) else { return false };
        let Some((refresh, number)) = family.last else { return false };
        let attempt = &content.attempts[&refresh][number];
        !family.written && (attempt.end != Some(End::Answered) || !attempt.life.is_alive())
    }
}

impl Content {
    fn issue(&mut self, family: usize) -> Pair {
        let (access, refresh) = (self.issued + 1, self.issued + 2);
        self.issued += 2;
        let known = &mut self.families[family];
        known.current = refresh;
        known.generation += 1;
        known.issued_at = Some(Instant::now());
        let generation = known.generation;
        self.refresh_tokens.insert(refresh, (family, generation));
        self.access_tokens.insert(access, (family, generation));
        Pair { access, refresh }
    }
}
