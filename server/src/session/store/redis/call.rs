//! What is asked of Redis, and what its errors mean.

use super::script::Source;
use crate::session::store::StoreError;
use redis::{Arg, Cmd, ErrorKind, RedisError, ServerErrorKind, ToRedisArgs};
use std::{fmt, io};

/// Something to ask of Redis. It touches one key, or none.
pub(super) struct Call {
    pub(super) command: Cmd,
    /// Where in a Cluster the key is; anywhere if there is none.
    pub(super) slot: Option<u16>,
    /// Whether it may be done twice.
    pub(super) repeatable: bool,
    script: Option<&'static str>,
}

impl Call {
    /// A command that may be repeated when nobody knows whether it was done: one that reads, or that comes to the same the second time.
    pub(super) fn repeatable(name: &str, key: &str) -> Self {
        Self { repeatable: true, ..Self::once(name, key) }
    }

    /// A command that is not repeated.
    pub(super) fn once(name: &str, key: &str) -> Self {
        let mut command = redis::cmd(name);
        command.arg(key);
        Self { command, slot: Some(slot(key.as_bytes())), repeatable: false, script: None }
    }

    /// A command that any node understands.
    pub(super) fn anywhere(name: &str) -> Self {
        Self { command: redis::cmd(name), slot: None, repeatable: true, script: None }
    }

    /// A script, which is not repeated.
    pub(super) fn script(source: &'static Source, key: &str) -> Self {
        let mut command = redis::cmd("EVALSHA");
        command.arg(&source.hash).arg(1).arg(key);
        Self { command, slot: Some(slot(key.as_bytes())), repeatable: false, script: Some(source.text) }
    }

    /// A script that may be repeated, as for [`Call::repeatable`].
    pub(super) fn repeatable_script(source: &'static Source, key: &str) -> Self {
        Self { repeatable: true, ..Self::script(source, key) }
    }

    /// With one more argument.
    pub(super) fn arg(mut self, argument: impl ToRedisArgs) -> Self {
        self.command.arg(argument);
        self
    }

    /// The same for a server that does not know the script yet.
    pub(super) fn with_text(&self) -> Option<Cmd> {
        let mut command = redis::cmd("EVAL");
        command.arg(self.script?);
        for argument in self.command.args_iter().skip(2) {
            if let Arg::Simple(argument) = argument {
                command.arg(argument);
            }
        }
        Some(command)
    }
}

/// The slot of a key in a Cluster; none of ours has a hash tag.
/// [Redis Cluster specification, key distribution model](https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#key-distribution-model)
fn slot(key: &[u8]) -> u16 {
    let checksum = key.iter().fold(0_u16, |checksum, byte| {
        (0..8).fold(checksum ^ (u16::from(*byte) << 8), |checksum, _| {
            let shifted = checksum << 1;
            if checksum & 0x8000 == 0 { shifted } else { shifted ^ 0x1021 }
        })
    });
    checksum % SLOTS
}

/// How many slots a Cluster has.
pub(super) const SLOTS: u16 = 16_384;

/// Why Redis did not do what it was asked: a kind of error, and of the rest what repeats nothing that was sent there.
#[derive(Debug)]
pub(super) struct Trouble {
    what: String,
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.what)
    }
}

impl std::error::Error for Trouble {}

impl From<&RedisError> for Trouble {
    fn from(error: &RedisError) -> Self {
        let what = match (error.kind(), error.code()) {
            (ErrorKind::Server(_) | ErrorKind::Extension, code) => {
                // A server that does not know a command repeats its arguments.
                let detail = error.detail().and_then(|detail| detail.split(", with args").next()).unwrap_or_default();
                format!("{} {detail}", code.unwrap_or("an error"))
            }
            (ErrorKind::Parse | ErrorKind::UnexpectedReturnType, _) => "Redis answered something else than expected".to_owned(),
            _ => error.to_string(),
        };
        Self { what }
    }
}

pub(super) fn failed(error: &RedisError) -> StoreError {
    StoreError::new(Trouble::from(error))
}

pub(super) fn too_late() -> RedisError {
    io::Error::new(io::ErrorKind::TimedOut, "Redis did not answer in time").into()
}

/// What an error means for whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It was not done, and may be soon.
    NotYet,
    /// It was not done, and will not be on this connection.
    NotHere,
    /// It was not done, because another node is to do it, this time or from now on.
    Elsewhere {
        /// Whether only this time.
        asking: bool,
    },
    /// Nobody knows whether it was done.
    Lost,
    /// It was refused.
    Refused,
}

impl Meaning {
    pub(super) fn of(error: &RedisError) -> Self {
        match error.kind() {
            ErrorKind::Server(ServerErrorKind::TryAgain | ServerErrorKind::ClusterDown | ServerErrorKind::BusyLoading) => Self::NotYet,
            ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown) => Self::NotHere,
            ErrorKind::Server(ServerErrorKind::Moved) => Self::Elsewhere { asking: false },
            ErrorKind::Server(ServerErrorKind::Ask) => Self::Elsewhere { asking: true },
            ErrorKind::Io | ErrorKind::Parse => Self::Lost,
            _ => Self::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::script, Call, Trouble, slot};
    use redis::RedisError;

    #[test]
    fn keys_lie_in_the_slots_of_the_specification() {
        // The checksum of the first is in the specification, the others are what a server answers.
        assert_eq!(slot(b"123456789"), 0x31c3);
        assert_eq!(slot(b"foo"), 12_182);
        assert_eq!(slot(b""), 0);
    }

    #[test]
    fn a_script_is_sent_whole_to_a_server_that_does_not_know_it() {
        let call = Call::script(&script::REMOVE, "key").arg("channel").arg(&b"\0\xff"[..]);
        let text = call.with_text().unwrap();
        let packed = text.get_packed_command();
        assert!(packed.starts_with(b"*6\r\n$4\r\nEVAL\r\n"));
        assert!(packed.ends_with(b"$1\r\n1\r\n$3\r\nkey\r\n$7\r\nchannel\r\n$2\r\n\0\xff\r\n"));
        assert!(Call::repeatable("GET", "key").with_text().is_none());
    }

    #[test]
    fn what_was_sent_is_in_no_error() {
        let refused = redis::parse_redis_value(b"-ERR unknown command 'EVALSHA', with args beginning with: 'sealed'\r\n").unwrap();
        let error: RedisError = refused.extract_error().unwrap_err();
        let trouble = Trouble::from(&error);
        assert_eq!(trouble.to_string(), "ERR unknown command 'EVALSHA'");
        assert!(!format!("{trouble:?}").contains("sealed"));
    }
}
