//! Room for so many connections. When all of it is taken, a connection that does nothing makes way for a new one, and one that has
//! paused for long in the middle of a body: whoever opens thousands and sends nothing, or half of something, pushes out their own.

use super::activity::Activity;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// How many connections are looked at for one that has been idle for long; each time others.
const LOOKED_AT: usize = 64;

/// The connections that are open.
pub(super) struct Places {
    maximum: usize,
    taken: Mutex<Taken>,
    emptied: Notify,
}

#[derive(Default)]
struct Taken {
    next: u64,
    looked_up_to: u64,
    connections: BTreeMap<u64, Arc<Activity>>,
}

/// Room for a connection, until it is dropped.
pub(super) struct Place {
    number: u64,
    places: Arc<Places>,
    activity: Arc<Activity>,
}

impl Places {
    /// Room for so many.
    pub(super) fn new(maximum: usize) -> Self {
        Self { maximum, taken: Mutex::default(), emptied: Notify::new() }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes room for a connection, if need be that of one that is idle. None when all are at work.
    pub(super) fn take(self: &Arc<Self>) -> Option<Place> {
        let mut taken = self.taken();
        if taken.connections.len() >= self.maximum {
            let leaving = taken.idle()?;
            if let Some(activity) = taken.connections.remove(&leaving) {
                activity.leave();
            }
        }
        let (number, activity) = (taken.next, Activity::new());
        taken.next += 1;
        taken.connections.insert(number, Arc::clone(&activity));
        Some(Place { number, places: Arc::clone(self), activity })
    }

    /// Tells all connections to end after what they are doing.
    pub(super) fn finish(&self) {
        self.taken().connections.values().for_each(|activity| activity.finish());
    }

    /// Tells all connections to end now.
    pub(super) fn cut(&self) {
        self.taken().connections.values().for_each(|activity| activity.leave());
    }

    /// Waits until there are none.
    pub(super) async fn empty(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.taken().connections.is_empty() {
                return;
            }
            emptied.await;
        }
    }
}

impl Taken {
    /// One that is idle: of a few the one that has been so for longest, or else of all.
    fn idle(&mut self) -> Option<u64> {
        let idle = |(number, activity): (&u64, &Arc<Activity>)| activity.idle_since().map(|since| (since, *number));
        let after = self.connections.range(self.looked_up_to..).chain(self.connections.range(..self.looked_up_to));
        let longest = after.clone().take(LOOKED_AT).filter_map(idle).min().or_else(|| after.clone().filter_map(idle).min());
        self.looked_up_to = after.clone().nth(LOOKED_AT).map_or(0, |(number, _)| *number);
        longest.map(|(_, number)| number)
    }
}

impl Place {
    /// What the connection is doing.
    pub(super) fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.connections.remove(&self.number);
        if taken.connections.is_empty() {
            self.places.emptied.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Places;
    use crate::serve::activity::{SENDS_NOTHING, TAKES_NOTHING};
    use std::{sync::Arc, time::Duration};

    #[tokio::test(start_paused = true)]
    async fn whoever_is_idle_for_longest_makes_way_and_nobody_who_is_at_work() {
        let places = Arc::new(Places::new(3));
        let [first, second, third] = [0; 3].map(|_| places.take().unwrap());
        for place in [&first, &second, &third] {
            place.activity().answers();
        }
        assert!(places.take().is_none());
        tokio::time::advance(Duration::from_millis(5)).await;
        second.activity().has_answered();
        tokio::time::advance(Duration::from_millis(5)).await;
        first.activity().has_answered();
        let fourth = places.take().unwrap();
        assert!(!places.taken().connections.contains_key(&second.number));
        drop(second);
        fourth.activity().answers();
        let _fifth = places.take().unwrap();
        assert!(!places.taken().connections.contains_key(&first.number));
        assert_eq!(places.taken().connections.len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_transfer_that_pauses_stays_while_somebody_has_nothing_under_way() {
        let places = Arc::new(Places::new(2));
        let [uploads, idle] = [0; 2].map(|_| places.take().unwrap());
        idle.activity().answers();
        uploads.activity().handles();
        uploads.activity().receives(true);
        tokio::time::advance(Duration::from_secs(1)).await;
        idle.activity().has_answered();
        tokio::time::advance(SENDS_NOTHING.saturating_sub(Duration::from_millis(900))).await;
        let _third = places.take().unwrap();
        assert!(places.taken().connections.contains_key(&uploads.number));
        assert!(!places.taken().connections.contains_key(&idle.number));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_stops_in_the_middle_of_a_body_makes_way_before_whoever_goes_on() {
        let places = Arc::new(Places::new(3));
        let [goes_on, stops, reads_nothing] = [0; 3].map(|_| places.take().unwrap());
        for place in [&goes_on, &stops, &reads_nothing] {
            place.activity().handles();
        }
        for place in [&goes_on, &stops] {
            place.activity().receives(true);
        }
        tokio::time::advance(SENDS_NOTHING.saturating_sub(Duration::from_millis(1))).await;
        goes_on.activity().receives(false);
        goes_on.activity().receives(true);
        assert!(places.take().is_none());
        tokio::time::advance(Duration::from_millis(5)).await;
        let fourth = places.take().unwrap();
        assert!(!places.taken().connections.contains_key(&stops.number));
        drop(stops);
        fourth.activity().handles();
        assert!(places.take().is_none());
        tokio::time::advance(SENDS_NOTHING).await;
        let fifth = places.take().unwrap();
        assert!(!places.taken().connections.contains_key(&goes_on.number));
        fifth.activity().handles();
        assert!(places.take().is_none());
    }

    #[tokio::test]
    async fn who_is_answered_before_the_body_is_there_does_not_make_way() {
        let places = Arc::new(Places::new(1));
        let place = places.take().unwrap();
        place.activity().handles();
        place.activity().receives(true);
        place.activity().answers();
        assert!(places.take().is_none());
        place.activity().receives(false);
        place.activity().receives(true);
        assert!(places.take().is_none());
        place.activity().has_answered();
        assert!(places.take().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_of_an_answer_for_a_while_makes_way() {
        let places = Arc::new(Places::new(1));
        let place = places.take().unwrap();
        place.activity().handles();
        place.activity().answers();
        for stalls in [true, false, true] {
            place.activity().writes(stalls);
            tokio::time::advance(TAKES_NOTHING.saturating_sub(Duration::from_millis(1))).await;
            assert!(places.take().is_none());
        }
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(places.take().is_some());
    }

    #[tokio::test]
    async fn the_last_one_to_leave_says_so() {
        let places = Arc::new(Places::new(2));
        places.empty().await;
        let (first, second) = (places.take().unwrap(), places.take().unwrap());
        let emptied = tokio::spawn({
            let places = Arc::clone(&places);
            async move { places.empty().await }
        });
        drop(first);
        drop(second);
        emptied.await.unwrap();
    }
}
