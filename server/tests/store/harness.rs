//! What the rules need of a store, and the tests they become.

use oauth2flow::session::{record::Key, store::Store};
use std::sync::Arc;

/// A place with nothing in it, where stores can be opened. Whatever runs for it ends when it is dropped.
pub(crate) trait Harness: Sized {
    /// Whether a store says of the change that another process has made what it was, and not only that there was one.
    const TELLS_WHAT: bool = true;

    /// Makes the place.
    fn start() -> Self;

    /// Opens what is there, as one more process would.
    async fn open(&self) -> Arc<dyn Store>;
}

/// A place that somebody else can write to.
pub(crate) trait Written: Harness {
    /// Puts something in the place of the session's record, or of a part of it, that cannot be read.
    async fn damage(&self, key: Key);
}

/// A place that can be gone for a while.
pub(crate) trait Server: Harness {
    /// Ends the server without giving it a chance to do anything about it, and waits for its end.
    fn kill(&mut self);

    /// Starts it once more, at the same address and with what it had written, and waits until it answers.
    fn start_again(&mut self);
}

/// Makes a test of a rule, for one store.
macro_rules! rule {
    ([$($attribute:meta)?] $harness:ty: $module:ident::$rule:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        $(#[$attribute])?
        async fn $rule() {
            $crate::contract::$module::$rule(<$harness as $crate::harness::Harness>::start()).await;
        }
    };
}

/// Makes a test of each rule, for one store; the attribute, if there is one, is for each.
macro_rules! rules {
    ($attribute:tt $harness:ty: $($module:ident::{$($rule:ident),+ $(,)?};)+) => {
        $($($crate::harness::rule! { $attribute $harness: $module::$rule })+)+
    };
}

/// The contract of every store.
macro_rules! contract {
    ($harness:ty $(, $attribute:meta)?) => {
        $crate::harness::rules! { [$($attribute)?] $harness:
            sessions::{
                a_session_comes_back_as_it_was_written,
                a_session_that_is_not_there_is_none,
                a_session_is_written_once,
                new_tokens_raise_the_version_and_take_the_lease_away,
                of_fifty_writers_of_one_version_one_wins,
                a_session_is_touched_forwards_only,
                the_sessions_of_a_user_come_youngest_first,
                several_stores_begin_at_once,
            };
            leases::{
                a_lease_goes_only_from_the_hand_that_holds_it,
                of_fifty_who_want_the_lease_one_gets_it,
            };
            ends::{
                a_session_ends_for_one_caller_only,
                an_ended_session_never_comes_back,
                everything_of_a_user_ends_but_one,
                a_logout_token_ends_what_it_names,
                a_logout_token_works_once,
                a_logout_token_works_once_whoever_brings_it,
                what_has_expired_is_swept_and_nothing_else,
            };
            claims::{
                a_claim_is_made_once,
                a_claim_remembers_where_it_led,
                the_first_key_check_stays,
                a_key_check_is_replaced_by_who_knows_it,
            };
            changes::{
                every_change_is_announced_here,
                every_change_is_announced_elsewhere,
                what_did_not_happen_is_not_announced,
                whoever_falls_behind_is_told,
                a_caller_who_goes_away_leaves_nothing_unannounced,
            };
        }
    };
}

/// The contract of a store that is not in the memory of this process, where what was written may be damaged.
macro_rules! contract_of_what_is_written {
    ($harness:ty $(, $attribute:meta)?) => {
        $crate::harness::rules! { [$($attribute)?] $harness:
            ends::{
                a_damaged_session_can_be_ended_and_keeps_no_other_from_it,
            };
        }
    };
}

/// The contract of a store that is another program, which may be gone for a while.
macro_rules! contract_of_servers {
    ($harness:ty $(, $attribute:meta)?) => {
        $crate::harness::rules! { [$($attribute)?] $harness:
            ends::{
                a_clock_that_is_ahead_sweeps_nothing_that_is_alive,
            };
            outages::{
                a_server_that_is_gone_fails_every_call_soon_and_loses_nothing,
                a_listener_is_told_that_it_may_have_missed_something,
            };
        }
    };
}

/// The contract of a store that is another program, where what was written may be damaged.
macro_rules! whole_contract {
    ($harness:ty $(, $attribute:meta)?) => {
        $crate::harness::contract!($harness $(, $attribute)?);
        $crate::harness::contract_of_servers!($harness $(, $attribute)?);
        $crate::harness::contract_of_what_is_written!($harness $(, $attribute)?);
    };
}

pub(crate) use {contract, contract_of_servers, contract_of_what_is_written, rule, rules, whole_contract};
