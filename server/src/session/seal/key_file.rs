//! The file with the keys: made once, never overwritten by a server, and replaced as a whole when a key is added.

use super::{
    KeyError,
    key_list::{self, ListedKey, MalformedLine},
};
use crate::entropy::{Entropy, random};
use jiff::{SignedDuration, Timestamp};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::Path,
    time::Duration,
};
use zeroize::Zeroizing;

/// Clocks of servers differ, and a login that has begun takes some minutes: an old key is kept for that much longer.
const KEPT_LONGER: SignedDuration = SignedDuration::from_hours(1);

/// Reads the keys of a file.
///
/// # Errors
/// When it cannot be read or holds something else.
pub fn read(path: &Path) -> Result<Vec<ListedKey>, KeyError> {
    let text = read_text(path).map_err(|source| KeyError::Unreadable { path: path.to_owned(), source })?;
    parse(&text, path)
}

/// The text of the file. One that is not text comes back as one that no key is in.
pub(super) fn read_text(path: &Path) -> io::Result<Zeroizing<String>> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(Zeroizing::default()),
        other => other.map(Zeroizing::new),
    }
}

pub(super) fn parse(text: &str, path: &Path) -> Result<Vec<ListedKey>, KeyError> {
    key_list::parse(text).map_err(|MalformedLine(line)| KeyError::Malformed { origin: format!("the key file {}", path.display()), line })
}

/// Makes the file with one key, readable by its owner only. It is written beside its place under a name of its own and linked in, so
/// that a crash leaves either no file or a whole one, and of two processes that start at once one wins.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] when there is one, and when it cannot be made.
pub fn create(path: &Path, key: &ListedKey, entropy: &dyn Entropy) -> io::Result<()> {
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        fs::create_dir_all(directory)?;
    }
    // By chance, and not by the number of the process: in containers that share a directory, every server is process 1.
    let unfinished = path.with_extension(format!("unfinished-{:016x}", u64::from_be_bytes(random(entropy))));
    let mut file = open_new(&unfinished).map_err(|error| match error.kind() {
        // It is not the key file that exists.
        io::ErrorKind::AlreadyExists => io::Error::other(format!("{} is in the way", unfinished.display())),
        _ => error,
    })?;
    let written = file.write_all(key_list::write(std::slice::from_ref(key)).as_bytes()).and_then(|()| file.sync_all());
    // A link and not a new name, which would replace the file of another.
    let linked = written.and_then(|()| fs::hard_link(&unfinished, path));
    let _ = fs::remove_file(&unfinished);
    linked.map(|()| sync_directory_of(path))
}

/// A name is on the disk when its directory is. Not every file system can be told so.
fn sync_directory_of(path: &Path) {
    // That of a bare name is the one we are in.
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let _ = File::open(directory).and_then(|directory| directory.sync_all());
}

fn open_new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// What a rotation did.
#[derive(Debug)]
pub struct Rotation {
    /// The new key.
    pub new: ListedKey,
    /// Those that it follows on, which go on opening what they have sealed.
    pub kept: Vec<ListedKey>,
    /// Those that have sealed nothing for so long that they can open nothing any more.
    pub dropped: Vec<ListedKey>,
}

/// Puts a new key on top of those in the file, and drops those that can open nothing any more. The file is replaced whole: a server
/// reads the old one or the new one. Its owner and mode stay.
///
/// # Errors
/// When the file cannot be read or replaced; it is as it was then.
pub fn rotate(path: &Path, new: ListedKey, longest_session: Duration, now: Timestamp) -> Result<Rotation, KeyError> {
    // A link leads to the file that is to be replaced, not away from it.
    let path = fs::canonicalize(path).map_err(|source| KeyError::Unreadable { path: path.to_owned(), source })?;
    let unfinished = path.with_extension("rotating");
    let not_replaced = |source| KeyError::NotReplaced { path: path.clone(), source };
    // Who has this file rotates, and nobody else until it is gone; so it is there before the keys are read.
    let file = open_new(&unfinished).map_err(not_replaced)?;
    let rotated = read(&path).and_then(|keys| {
        let (kept, dropped) = divide(keys, longest_session, now);
        let keys: Vec<_> = std::iter::once(&new).chain(&kept).cloned().collect();
        replace(&path, &unfinished, file, key_list::write(&keys).as_bytes()).map_err(not_replaced)?;
        Ok(Rotation { new, kept, dropped })
    });
    if rotated.is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    rotated
}

/// The keys that may still be needed, and the others: a key's last seal is as old as the time from which on its successor seals.
fn divide(mut keys: Vec<ListedKey>, longest_session: Duration, now: Timestamp) -> (Vec<ListedKey>, Vec<ListedKey>) {
    let longest = SignedDuration::try_from(longest_session).unwrap_or(SignedDuration::MAX).saturating_add(KEPT_LONGER);
    let superseded = |successor: &ListedKey| {
        let last_needed = successor.sealing_from.and_then(|from| from.checked_add(longest).ok());
        last_needed.is_some_and(|last_needed| last_needed < now)
    };
    match keys.iter().position(superseded) {
        Some(successor) => {
            let dropped = keys.split_off(successor + 1);
            (keys, dropped)
        }
        None => (keys, Vec::new()),
    }
}

fn replace(path: &Path, unfinished: &Path, mut file: File, content: &[u8]) -> io::Result<()> {
    let as_it_was = fs::metadata(path)?;
    file.set_permissions(as_it_was.permissions())?;
    #[cfg(unix)]
    keep_owner(&file, &as_it_was)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(unfinished, path)?;
    sync_directory_of(path);
    Ok(())
}

/// The administrator rotates, and the server reads.
#[cfg(unix)]
fn keep_owner(file: &File, as_it_was: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let is = file.metadata()?;
    if (is.uid(), is.gid()) == (as_it_was.uid(), as_it_was.gid()) {
        return Ok(());
    }
    fchown(file, Some(as_it_was.uid()), Some(as_it_was.gid()))
}

#[cfg(test)]
mod tests {
    use super::{create, divide, read, rotate};
    use crate::{
        entropy::{Entropy, SystemEntropy},
        session::seal::{
            KeyError,
            key_list::{KEY_BYTES, ListedKey},
        },
    };
    use jiff::Timestamp;
    use std::{fs, io::ErrorKind, sync::Barrier, thread, time::Duration};
    use zeroize::Zeroizing;

    const DAY: Duration = Duration::from_hours(24);

    fn time(hours: i64) -> Timestamp {
        Timestamp::from_second(hours * 3600).unwrap()
    }

    fn key(number: u8, sealing_from: Option<i64>) -> ListedKey {
        ListedKey::new(Zeroizing::new([number; KEY_BYTES]), sealing_from.map(time))
    }

    #[test]
    fn a_key_goes_once_its_successor_has_sealed_for_longer_than_any_session() {
        let keys = || vec![key(4, Some(200)), key(3, Some(100)), key(2, Some(50)), key(1, None)];
        for (now, kept) in [(60, 4), (75, 4), (76, 3), (125, 3), (126, 2), (225, 2), (226, 1), (1000, 1)] {
            let (stays, goes) = divide(keys(), DAY, time(now));
            assert_eq!((stays.len(), goes.len()), (kept, 4 - kept), "{now}");
        }
        // Nobody knows when a key without a date began to seal.
        assert_eq!(divide(vec![key(2, None), key(1, None)], DAY, time(1000)).0.len(), 2);
    }

    #[test]
    fn of_many_who_make_the_file_at_once_in_one_process_one_wins_and_nothing_is_left_over() {
        for _ in 0..20 {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("session.key");
            let all_are_here = Barrier::new(16);
            let make = |number| {
                all_are_here.wait();
                create(&path, &key(number, None), &SystemEntropy).map_err(|error| error.kind())
            };
            let outcomes: Vec<_> = thread::scope(|scope| {
                let makers: Vec<_> = (0..16).map(|number| scope.spawn(move || make(number))).collect();
                makers.into_iter().map(|maker| maker.join().unwrap()).collect()
            });
            let winner = outcomes.iter().position(Result::is_ok).unwrap();
            let expected: Vec<_> = (0..16).map(|number| if number == winner { Ok(()) } else { Err(ErrorKind::AlreadyExists) }).collect();
            assert_eq!(outcomes, expected);
            assert_eq!(read(&path).unwrap()[0].id, key(u8::try_from(winner).unwrap(), None).id);
            assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        }
    }

    /// Always draws the same.
    struct Same;

    impl Entropy for Same {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0x5a);
        }
    }

    #[test]
    fn what_somebody_else_is_writing_stays_and_does_not_pass_for_the_key_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("session.key");
        let theirs = directory.path().join("session.unfinished-5a5a5a5a5a5a5a5a");
        fs::write(&theirs, "of somebody else").unwrap();
        let error = create(&path, &key(1, None), &Same).unwrap_err();
        assert_ne!(error.kind(), ErrorKind::AlreadyExists);
        assert!(error.to_string().contains("session.unfinished-5a5a5a5a5a5a5a5a"), "{error}");
        assert_eq!(fs::read_to_string(theirs).unwrap(), "of somebody else");
        assert!(!path.exists());
    }

    #[test]
    fn a_rotation_replaces_the_file_whole_and_keeps_its_mode() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("session.key");
        create(&path, &key(1, None), &SystemEntropy).unwrap();
        assert_eq!(create(&path, &key(9, None), &SystemEntropy).unwrap_err().kind(), ErrorKind::AlreadyExists);
        #[cfg(unix)]
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
        let rotation = rotate(&path, key(2, Some(100)), DAY, time(100)).unwrap();
        assert_eq!((rotation.kept.len(), rotation.dropped.len()), (1, 0));
        let keys: Vec<_> = read(&path).unwrap().iter().map(|key| key.id).collect();
        assert_eq!(keys, [key(2, None).id, key(1, None).id]);
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions()) & 0o777, 0o640);
        let rotation = rotate(&path, key(3, Some(200)), DAY, time(200)).unwrap();
        assert_eq!((rotation.kept.len(), rotation.dropped.len()), (1, 1));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_rotation_follows_a_link_and_leaves_it() {
        let directory = tempfile::tempdir().unwrap();
        let (path, link) = (directory.path().join("session.key"), directory.path().join("link"));
        create(&path, &key(1, None), &SystemEntropy).unwrap();
        std::os::unix::fs::symlink("session.key", &link).unwrap();
        rotate(&link, key(2, None), DAY, time(0)).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(read(&path).unwrap().len(), 2);
    }

    #[test]
    fn two_rotations_at_once_do_not_mix() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("session.key");
        create(&path, &key(1, None), &SystemEntropy).unwrap();
        fs::write(path.with_extension("rotating"), "of somebody else").unwrap();
        let error = rotate(&path, key(2, None), DAY, time(0)).unwrap_err();
        assert!(matches!(error, KeyError::NotReplaced { .. }), "{error}");
        assert_eq!(read(&path).unwrap().len(), 1);
        assert_eq!(fs::read_to_string(path.with_extension("rotating")).unwrap(), "of somebody else");
    }
}
