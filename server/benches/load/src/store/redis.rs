//! Sessions into Redis.

use super::SEEN_AHEAD_SECONDS;
use anyhow::{Context as _, Result, ensure};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use redis::{AsyncCommands as _, Client, pipe};
use std::ops::Range;

/// How many go in by one pipeline.
const BATCH: usize = 2_000;

/// Where in the value it stands when the session was last used, in Unix seconds with the highest byte first.
const LAST_SEEN: Range<usize> = 26..34;

/// Copies the session under `template` to each of these keys.
pub(super) async fn fill(url: &str, template: [u8; 32], keys: &[[u8; 32]]) -> Result<()> {
    let client = Client::open(url)?;
    let mut connection = client.get_multiplexed_async_connection().await.context("cannot connect to Redis")?;
    let mut value: Vec<u8> = connection.get(name(&template)).await?;
    let last_seen = value.get_mut(LAST_SEEN).context("the session to copy is not in Redis")?;
    let seconds = i64::from_be_bytes(last_seen.try_into()?) + SEEN_AHEAD_SECONDS;
    last_seen.copy_from_slice(&seconds.to_be_bytes());
    let expiry: i64 = connection.pttl(name(&template)).await?;
    ensure!(expiry > 0, "the session to copy does not expire");
    for batch in keys.chunks(BATCH) {
        let mut pipeline = pipe();
        for key in batch {
            pipeline.cmd("SET").arg(name(key)).arg(value.as_slice()).arg("PX").arg(expiry).ignore();
            pipeline
                .cmd("ZADD")
                .arg(format!("oauth2flow:due:{:x}", key[0] % 16))
                .arg(seconds)
                .arg([b"s", key.as_slice()].concat())
                .ignore();
        }
        pipeline.query_async::<()>(&mut connection).await?;
    }
    Ok(())
}

/// What Redis knows a session by.
fn name(key: &[u8]) -> String {
    format!("oauth2flow:session:{}", URL_SAFE_NO_PAD.encode(key))
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn a_session_has_the_name_that_the_store_gives_it() {
        assert_eq!(name(&[0xa3; 32]), "oauth2flow:session:o6Ojo6Ojo6Ojo6Ojo6Ojo6Ojo6Ojo6Ojo6Ojo6Ojo6M");
    }
}
