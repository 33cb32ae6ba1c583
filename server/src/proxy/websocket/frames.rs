//! Where a WebSocket's frames begin and end, so that a close can be said between two of them.
//! [RFC 6455 §5.2](https://www.rfc-editor.org/rfc/rfc6455#section-5.2)

const CLOSE: u8 = 0x8;
const LONGEST_HEAD: usize = 14;

/// Follows the frames of one direction.
#[derive(Debug, Default)]
pub(super) struct Frames {
    head: [u8; LONGEST_HEAD],
    /// How much of the present frame's head has been seen.
    seen: usize,
    /// How much of its payload is still to come, once the head has been seen whole.
    payload_left: u64,
    said_close: bool,
}

impl Frames {
    /// Follows what goes over the wire.
    pub(super) fn pass(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.payload_left > 0 {
                let length = usize::try_from(self.payload_left).map_or(bytes.len(), |left| left.min(bytes.len()));
                self.payload_left -= length as u64;
                bytes = &bytes[length..];
                continue;
            }
            self.head[self.seen] = bytes[0];
            self.seen += 1;
            bytes = &bytes[1..];
            if self.seen >= 2 && self.seen == self.head_length() {
                self.said_close |= self.head[0] & 0x0f == CLOSE;
                self.payload_left = self.payload_length();
                self.seen = 0;
            }
        }
    }

    /// Whether a frame may be said now: between two others, and not after the last one.
    pub(super) const fn may_say(&self) -> bool {
        self.seen == 0 && self.payload_left == 0 && !self.said_close
    }

    fn head_length(&self) -> usize {
        let mask = if self.head[1] & 0x80 == 0 { 0 } else { 4 };
        mask + match self.head[1] & 0x7f {
            126 => 4,
            127 => 10,
            _ => 2,
        }
    }

    fn payload_length(&self) -> u64 {
        match self.head[1] & 0x7f {
            126 => u64::from(u16::from_be_bytes([self.head[2], self.head[3]])),
            127 => self.head[2..10].iter().fold(0, |length, byte| length << 8 | u64::from(*byte)),
            length => u64::from(length),
        }
    }
}

/// A frame that says that the connection is being closed, and why. [RFC 6455 §5.5.1](https://www.rfc-editor.org/rfc/rfc6455#section-5.5.1)
///
/// A client masks what it says with four random bytes, a server does not.
pub(super) fn close(code: u16, reason: &str, mask: Option<[u8; 4]>) -> Vec<u8> {
    let mut payload = code.to_be_bytes().to_vec();
    // A frame like this has at most 125 bytes.
    payload.extend(reason.bytes().take(123));
    let length = u8::try_from(payload.len()).unwrap_or(2);
    let mut frame = vec![0x80 | CLOSE];
    match mask {
        None => frame.push(length),
        Some(mask) => {
            frame.push(0x80 | length);
            frame.extend(mask);
            for (byte, mask) in payload.iter_mut().zip(mask.into_iter().cycle()) {
                *byte ^= mask;
            }
        }
    }
    frame.extend(payload);
    frame
}

#[cfg(test)]
mod tests {
    use super::{Frames, close};

    /// Frames with payloads of these lengths, unmasked and masked.
    fn frame(length: usize, masked: bool) -> Vec<u8> {
        let mask = if masked { 0x80 } else { 0 };
        let mut frame = vec![0x82];
        match length {
            0..126 => frame.push(mask | u8::try_from(length).unwrap()),
            126..65536 => {
                frame.push(mask | 0x7e);
                frame.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            _ => {
                frame.push(mask | 0x7f);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        if masked {
            frame.extend([1, 2, 3, 4]);
        }
        frame.extend(vec![0xff; length]);
        frame
    }

    #[test]
    fn the_ends_of_frames_are_found_however_they_are_cut() {
        for length in [0, 1, 125, 126, 127, 65535, 65536, 70000] {
            for masked in [false, true] {
                let frame = frame(length, masked);
                let mut frames = Frames::default();
                assert!(frames.may_say());
                for _ in 0..2 {
                    for byte in &frame[..frame.len() - 1] {
                        frames.pass(&[*byte]);
                        assert!(!frames.may_say(), "{length} {masked}");
                    }
                    frames.pass(&frame[frame.len() - 1..]);
                    assert!(frames.may_say(), "{length} {masked}");
                }
                frames.pass(&[frame.clone(), frame].concat());
                assert!(frames.may_say(), "{length} {masked}");
            }
        }
    }

    #[test]
    fn nothing_is_said_after_a_close() {
        let mut frames = Frames::default();
        frames.pass(&close(1000, "", None));
        assert!(!frames.may_say());
    }

    #[test]
    fn a_close_holds_its_code_and_its_reason() {
        assert_eq!(close(1008, "no", None), [0x88, 4, 0x03, 0xf0, b'n', b'o']);
        let masked = close(1008, "no", Some([1, 2, 3, 4]));
        assert_eq!(masked, [0x88, 0x84, 1, 2, 3, 4, 0x03 ^ 1, 0xf0 ^ 2, b'n' ^ 3, b'o' ^ 4]);
        assert_eq!(close(1001, &"x".repeat(200), None).len(), 127);
    }
}
