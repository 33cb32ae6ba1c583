//! What is measured, what it is compared with, and how much it may cost.

use crate::{
    client::{Connection, Crowd},
    login,
};
use anyhow::Result;
use http::{Method, StatusCode, header, request};
use http_body_util::Full;
use std::{cell::RefCell, net::SocketAddr};

/// Something that browsers ask for again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Scenario {
    /// `GET /oauth/login`: state, PKCE and nonce made and sealed, the address of the provider composed.
    LoginStart,
    /// `POST /oauth/code`: the code exchanged, ID token and userinfo judged, the session begun.
    CodeExchange,
    /// `GET /session` of somebody who is signed in.
    SessionRead,
    /// A proxied call without a session: 401.
    Refused,
    /// `GET /auth` of somebody who is signed in, as a gateway asks it.
    ForwardAuth,
    /// A call through the proxy, with the token attached.
    Proxied,
    /// A whole login: start, exchange, ID token, userinfo, new session.
    Login,
}

/// What the cost is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reference {
    /// The bare axum route.
    Axum,
    /// nginx proxying to the same API.
    Nginx,
}

/// How much a scenario may cost.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// So many times what the reference costs.
    Times(f64),
    /// So many microseconds of processor time.
    Microseconds(f64),
}

impl Scenario {
    /// All of them.
    pub(crate) const ALL: [Self; 7] =
        [Self::LoginStart, Self::CodeExchange, Self::SessionRead, Self::Refused, Self::ForwardAuth, Self::Proxied, Self::Login];

    /// What people call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::LoginStart => "login start",
            Self::CodeExchange => "code exchange",
            Self::SessionRead => "session read",
            Self::Refused => "refused call",
            Self::ForwardAuth => "forward-auth",
            Self::Proxied => "proxied call",
            Self::Login => "complete login",
        }
    }

    /// What it is compared with.
    pub(crate) const fn reference(self) -> Reference {
        match self {
            Self::Proxied => Reference::Nginx,
            _ => Reference::Axum,
        }
    }

    /// What it may cost, if that is written down.
    pub(crate) const fn target(self) -> Option<Target> {
        match self {
            Self::LoginStart | Self::SessionRead => Some(Target::Times(2.0)),
            Self::Refused => Some(Target::Times(1.5)),
            Self::CodeExchange | Self::ForwardAuth => None,
            Self::Proxied => Some(Target::Times(3.0)),
            Self::Login => Some(Target::Microseconds(300.0)),
        }
    }

    /// How many times less often it is done than the others, because the provider's part takes long.
    pub(crate) const fn rarity(self) -> usize {
        match self {
            Self::CodeExchange | Self::Login => 10,
            _ => 1,
        }
    }

    /// Does beforehand, as many times, what is not to be measured.
    pub(crate) async fn prepare(self, crowd: &mut Crowd, subjects: &Subjects, times: usize) -> Result<()> {
        if self == Self::CodeExchange {
            let begin = async |connection: &mut Connection, index: usize| {
                let begun = login::begin(connection, &subjects.issuer, index).await?;
                subjects.begun.borrow_mut().push(begun);
                Ok(())
            };
            crowd.work(times, &begin).await?;
        }
        Ok(())
    }

    /// Does it once.
    pub(crate) async fn exchange(self, connection: &mut Connection, subjects: &Subjects, index: usize) -> Result<()> {
        let cookie = || subjects.cookie(index);
        let (request, status) = match self {
            Self::LoginStart => (connection.request(Method::GET, login::START).header("sec-fetch-mode", "navigate"), StatusCode::SEE_OTHER),
            Self::SessionRead => (signed_in(connection, "/api/v1/session", &cookie()), StatusCode::OK),
            Self::Refused => (connection.request(Method::GET, PROXIED).header("x-csrf", "1"), StatusCode::UNAUTHORIZED),
            Self::ForwardAuth => (signed_in(connection, "/api/v1/auth", &cookie()), StatusCode::OK),
            Self::Proxied => (signed_in(connection, PROXIED, &cookie()), StatusCode::OK),
            Self::CodeExchange => {
                let begun = subjects.begun.borrow_mut().pop();
                let begun = match begun {
                    Some(begun) => begun,
                    None => login::begin(connection, &subjects.issuer, index).await?,
                };
                begun.finish(connection).await?;
                return Ok(());
            }
            Self::Login => {
                login::sign_in(connection, &subjects.issuer, index).await?;
                return Ok(());
            }
        };
        connection.send(request.body(Full::default())?).await?.expect(status)?;
        Ok(())
    }
}

/// Where the API is found through the proxy, of the server and of nginx.
pub(crate) const PROXIED: &str = "/api/v1/proxy/bench/notes";

/// A request with a session and all that the API wants to see.
pub(crate) fn signed_in(connection: &Connection, path: &str, cookie: &str) -> request::Builder {
    connection.request(Method::GET, path).header("x-csrf", "1").header(header::COOKIE, cookie)
}

/// Who is signed in.
pub(crate) struct Subjects {
    issuer: String,
    /// Logins that wait for their exchange.
    begun: RefCell<Vec<login::Begun>>,
    sessions: Sessions,
}

enum Sessions {
    /// A few, by their cookies.
    Few(Vec<String>),
    /// So many that were put into the store; their cookies follow from their numbers.
    Many { count: usize, cookie: fn(usize) -> String },
}

impl Subjects {
    /// Signs a few people in.
    pub(crate) async fn sign_in(address: SocketAddr, issuer: &str, count: usize) -> Result<Self> {
        let mut connection = Connection::open(address).await?;
        let mut cookies = Vec::with_capacity(count);
        for user in 0..count {
            cookies.push(login::sign_in(&mut connection, issuer, user).await?);
        }
        Ok(Self { issuer: issuer.to_owned(), begun: RefCell::default(), sessions: Sessions::Few(cookies) })
    }

    /// The sessions that were put into the store.
    pub(crate) fn many(issuer: &str, count: usize, cookie: fn(usize) -> String) -> Self {
        Self { issuer: issuer.to_owned(), begun: RefCell::default(), sessions: Sessions::Many { count, cookie } }
    }

    /// The cookie for the request of this number. Of many sessions, the order is mixed up.
    pub(crate) fn cookie(&self, index: usize) -> String {
        match &self.sessions {
            Sessions::Few(cookies) => cookies[index % cookies.len()].clone(),
            Sessions::Many { count, cookie } => cookie(index.wrapping_mul(2_654_435_761) % count),
        }
    }
}

/// Whether a server can do it at all: one that does not know the address answers 404.
pub(crate) async fn is_there(scenario: Scenario, address: SocketAddr, subjects: &Subjects) -> Result<bool> {
    if scenario != Scenario::ForwardAuth {
        return Ok(true);
    }
    let mut connection = Connection::open(address).await?;
    let request = signed_in(&connection, "/api/v1/auth", &subjects.cookie(0)).body(Full::default())?;
    Ok(connection.send(request).await?.status != StatusCode::NOT_FOUND)
}

/// Connects a few browsers and lets them do it often enough that all is warm.
pub(crate) async fn warm_up(
    address: SocketAddr,
    connections: usize,
    exchange: &impl AsyncFn(&mut Connection, usize) -> Result<()>,
) -> Result<Crowd> {
    let mut crowd = Crowd::open(address, connections).await?;
    crowd.work(connections * 2, exchange).await?;
    Ok(crowd)
}
