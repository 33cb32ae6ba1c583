//! Waiting for what has to come about.

use std::{thread, time::Duration};

/// Far longer than anything takes that works, also on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// How long to wait before looking again.
const PAUSE: Duration = Duration::from_millis(10);

/// Looks until something is so.
#[track_caller]
pub(crate) fn wait_for(mut so: impl FnMut() -> bool) {
    let looks = PATIENCE.as_millis() / PAUSE.as_millis();
    for _ in 0..looks {
        if so() {
            return;
        }
        thread::sleep(PAUSE);
    }
    panic!("it has not come to that");
}
