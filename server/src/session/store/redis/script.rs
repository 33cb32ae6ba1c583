//! The scripts: each does its work whole, and touches one key only, so that it runs in a Cluster as well, also while slots move.

use redis::Script;
use std::sync::LazyLock;

macro_rules! scripts {
    ($($name:ident = $file:literal),+ $(,)?) => {
        $(pub(super) static $name: LazyLock<Source> = LazyLock::new(|| Source::new(include_str!($file)));)+

    };
}

scripts! {
    SWAP_LEASE = "swap_lease.lua",
    REPLACE_TOKENS = "replace_tokens.lua",
    TOUCH = "touch.lua",
    REMOVE = "remove.lua",
    DUE = "due.lua",
    POSTPONE = "postpone.lua",
    SWEEP_SESSION = "sweep_session.lua",
    ADD_TO_INDEX = "add_to_index.lua",
    BEGIN_TOKEN = "begin_token.lua",
    FINISH_TOKEN = "finish_token.lua",
    RELEASE_TOKEN = "release_token.lua",
    KEY_CHECK = "key_check.lua",
    REPLACE_KEY_CHECK = "replace_key_check.lua",
}

/// A script's text, and the hash by which Redis knows it once it has seen it.
pub(super) struct Source {
    pub(super) text: &'static str,
    pub(super) hash: String,
}

impl Source {
    fn new(text: &'static str) -> Self {
        Self { text, hash: Script::new(text).get_hash().to_owned() }
    }
}
