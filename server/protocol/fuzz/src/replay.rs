//! The seeds, replayed without a fuzzer: as they are, and with simple changes that are the same at every run.

use std::path::Path;

/// How many changes of each seed are tried, for targets that take long.
pub const FEW: usize = 40;
/// How many changes of each seed are tried.
pub const MANY: usize = 200;

/// What attacks and mistakes are made of.
const FRAGMENTS: [&[u8]; 28] = [
    b"\0",
    b"\n",
    b"\r\n",
    b"\t",
    b" ",
    b"\"",
    b"'",
    b"\\",
    b"/",
    b"//",
    b"%",
    b"%00",
    b"%2f",
    b"&",
    b"=",
    b"&code=x",
    b"&error=x",
    b"?",
    b"#",
    b".",
    b"..",
    b"null",
    b"{}",
    b"[]",
    b"-1",
    b"1e999",
    b"\xff",
    b"\xe2\x80\xae",
];

/// Gives the target every seed in its directory, each also changed so many times. A seed whose name begins with `accepted` has
/// to be accepted as it is, one that begins with `refused` has to be refused.
pub fn replay(directory: &Path, target: fn(&[u8]) -> bool, changes: usize) {
    let mut seeds: Vec<(String, Vec<u8>)> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .collect();
    seeds.sort();
    assert!(seeds.len() >= 3, "{} seeds in {}", seeds.len(), directory.display());
    for (name, seed) in &seeds {
        let accepted = target(seed);
        match name.split('-').next() {
            Some("accepted") => assert!(accepted, "{name} is not accepted"),
            Some("refused") => assert!(!accepted, "{name} is accepted"),
            _ => panic!("{name} says neither that it is accepted nor that it is refused"),
        }
    }
    for (index, (_, seed)) in seeds.iter().enumerate() {
        // Always the same changes: the number of the seed is all the chance there is.
        let mut chance = Chance(0x9e37_79b9_7f4a_7c15 ^ (index as u64 + 1));
        for _ in 0..changes {
            let other = &seeds[chance.below(seeds.len())].1;
            target(&changed(seed, other, &mut chance));
        }
    }
}

/// The seed with one to three changes.
fn changed(seed: &[u8], other: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=chance.below(3) {
        let place = chance.below(bytes.len() + 1);
        match chance.below(7) {
            0 => bytes.truncate(place),
            1 => {
                if let Some(byte) = bytes.get_mut(place) {
                    *byte ^= 1 << chance.below(8);
                }
            }
            2 => {
                let end = (place + chance.below(16)).min(bytes.len());
                bytes.drain(place..end);
            }
            3 => {
                let end = (place + chance.below(64)).min(bytes.len());
                let copy = bytes[place..end].to_vec();
                bytes.splice(place..place, copy);
            }
            4 => {
                let cut = chance.below(other.len() + 1);
                bytes.splice(place.., other[cut..].iter().copied());
            }
            5 => {
                if let Some(byte) = bytes.get_mut(place) {
                    *byte = FRAGMENTS[chance.below(FRAGMENTS.len())][0];
                }
            }
            _ => {
                bytes.splice(place..place, FRAGMENTS[chance.below(FRAGMENTS.len())].iter().copied());
            }
        }
    }
    bytes
}

/// Numbers that look like chance and are none. [Xorshift](https://www.jstatsoft.org/article/view/v008i14)
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}
