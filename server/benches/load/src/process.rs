//! Processes under observation: their processor time and memory, as the kernel counts them.

use anyhow::{Context as _, Result, bail};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};
use tokio::time::Instant;

/// How long a process may take until it listens.
const START_LIMIT: Duration = Duration::from_secs(30);

/// A running process; it is ended when this is dropped.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
    started: Instant,
}

impl Process {
    /// Starts it, with everything that it says in a file.
    pub(crate) fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let started = Instant::now();
        let child = command.spawn().with_context(|| format!("cannot start {}", command.get_program().display()))?;
        Ok(Self { child, log: log.to_owned(), started })
    }

    /// Waits until it answers a request for this path with 200, and says how long after the start that was.
    pub(crate) fn wait_for_answer(&mut self, address: SocketAddr, path: &str) -> Result<Duration> {
        self.wait(|| answers(address, path))
    }

    /// Waits until somebody listens.
    pub(crate) fn wait_for_listener(&mut self, address: SocketAddr) -> Result<Duration> {
        self.wait(|| TcpStream::connect(address).is_ok())
    }

    fn wait(&mut self, is_there: impl Fn() -> bool) -> Result<Duration> {
        loop {
            if is_there() {
                return Ok(self.started.elapsed());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("a process ended with {status}:\n{}", self.said());
            }
            if self.started.elapsed() > START_LIMIT {
                bail!("a process does not answer:\n{}", self.said());
            }
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    /// What it printed.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its processor time so far.
    pub(crate) fn time(&self) -> Result<ProcessorTime> {
        ProcessorTime::of(self.child.id())
    }

    /// Its processor time so far and that of all processes it has started.
    pub(crate) fn time_of_family(&self) -> Result<FamilyTime> {
        let mut times = BTreeMap::new();
        for process in family(self.child.id())? {
            // One that ends just now does nothing more that would be worth counting.
            times.extend(ProcessorTime::of(process).ok().map(|time| (process, time)));
        }
        Ok(FamilyTime(times))
    }

    /// Waits until it has printed this.
    pub(crate) fn wait_until_said(&self, text: &str) -> Result<()> {
        while !self.said().contains(text) {
            if self.started.elapsed() > START_LIMIT {
                bail!("a process does not get ready:\n{}", self.said());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Asks it to end, and waits for that no longer than this.
    pub(crate) fn interrupt(&mut self, limit: Duration) {
        let asked = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        let since = Instant::now();
        while asked.as_ref().is_ok_and(std::process::ExitStatus::success) && since.elapsed() < limit {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Its memory now.
    pub(crate) fn memory(&self) -> Result<Memory> {
        Memory::of(self.child.id())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; there is nobody to tell here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The processor time of a process, in user space and in the kernel.
#[derive(Clone, Debug)]
pub(crate) struct ProcessorTime {
    /// Of each thread, to the nanosecond.
    threads: BTreeMap<u32, Duration>,
    /// Of all threads, those that have ended among them, to the hundredth of a second.
    whole: Duration,
}

impl ProcessorTime {
    fn of(process: u32) -> Result<Self> {
        let mut threads = BTreeMap::new();
        for entry in fs::read_dir(format!("/proc/{process}/task")).context("the process is gone")? {
            let name = entry?.file_name();
            let Some(thread) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
            // A thread may end between the listing and this.
            let Ok(text) = fs::read_to_string(format!("/proc/{process}/task/{thread}/schedstat")) else { continue };
            threads.insert(thread, on_processor(&text).context("schedstat cannot be read")?);
        }
        let text = fs::read_to_string(format!("/proc/{process}/stat")).context("the process is gone")?;
        Ok(Self { threads, whole: ticks(&text).context("stat cannot be read")? })
    }

    /// What was used since `earlier`. A thread that has ended meanwhile is in the coarser count only.
    pub(crate) fn since(&self, earlier: &Self) -> Duration {
        if earlier.threads.keys().any(|thread| !self.threads.contains_key(thread)) {
            return self.whole.saturating_sub(earlier.whole);
        }
        self.all().saturating_sub(earlier.all())
    }

    fn all(&self) -> Duration {
        self.threads.values().sum()
    }
}

/// The first number: nanoseconds on a processor.
fn on_processor(schedstat: &str) -> Option<Duration> {
    schedstat.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

/// `utime` and `stime`, the 14th and 15th field; Linux shows them in hundredths of a second on every architecture.
fn ticks(stat: &str) -> Option<Duration> {
    // The second field is the program's name in parentheses, which may hold anything.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11).map(str::parse::<u64>);
    Some(Duration::from_millis((fields.next()?.ok()? + fields.next()?.ok()?) * 10))
}

/// The processor time of several processes.
pub(crate) struct FamilyTime(BTreeMap<u32, ProcessorTime>);

impl FamilyTime {
    /// What was used since `earlier`. A process that was not there then has used all that it has.
    pub(crate) fn since(&self, earlier: &Self) -> Duration {
        let used = |(process, time): (&u32, &ProcessorTime)| earlier.0.get(process).map_or_else(|| time.all(), |before| time.since(before));
        self.0.iter().map(used).sum()
    }
}

/// A process and all below it.
fn family(root: u32) -> Result<Vec<u32>> {
    let mut parents = BTreeMap::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(process) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let Ok(text) = fs::read_to_string(format!("/proc/{process}/stat")) else { continue };
        let parent = text.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
        parents.extend(parent.map(|parent| (process, parent)));
    }
    let is_below = |process: u32| std::iter::successors(Some(process), |process| parents.get(process).copied()).any(|each| each == root);
    Ok(parents.keys().copied().filter(|process| is_below(*process)).collect())
}

/// What a process has in memory, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// Everything that is mapped and present, the program's own file among it.
    pub(crate) resident: u64,
    /// The same without what other processes share with it.
    pub(crate) proportional: u64,
    /// What is not a file's content: heap, stacks, relocated tables.
    pub(crate) anonymous: u64,
}

impl Memory {
    fn of(process: u32) -> Result<Self> {
        let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).context("the process is gone")?;
        let field = |name: &str| kibibytes(&text, name).with_context(|| format!("smaps_rollup has no {name}"));
        Ok(Self { resident: field("Rss")?, proportional: field("Pss")?, anonymous: field("Anonymous")? })
    }
}

fn kibibytes(smaps: &str, name: &str) -> Option<u64> {
    let rest = smaps.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    Some(rest.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

/// A loopback address that nobody listened on a moment ago.
pub(crate) fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(listener.local_addr()?)
}

fn answers(address: SocketAddr, path: &str) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(START_LIMIT))?;
        // HTTP/1.0, so that the end of the answer is the end of the connection.
        stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.split(' ').nth(1) == Some("200"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_as_the_kernel_writes_it() {
        assert_eq!(on_processor("3711924 81 12\n"), Some(Duration::from_nanos(3_711_924)));
        let stat = "42 (a) name) S 1 42 42 0 -1 4194560 100 0 0 0 7 5 0 0 20 0 3 0 1000 1 1";
        assert_eq!(ticks(stat), Some(Duration::from_millis(120)));
        assert_eq!(ticks("nothing"), None);
    }

    #[test]
    fn the_time_of_a_thread_that_has_ended_is_not_lost() {
        let time = |threads: &[(u32, u64)], whole| ProcessorTime {
            threads: threads.iter().map(|(thread, micros)| (*thread, Duration::from_micros(*micros))).collect(),
            whole: Duration::from_millis(whole),
        };
        let before = time(&[(1, 100), (2, 200)], 10);
        assert_eq!(time(&[(1, 150), (2, 250), (3, 7)], 10).since(&before), Duration::from_micros(107));
        assert_eq!(time(&[(1, 150)], 40).since(&before), Duration::from_millis(30));
    }

    #[test]
    fn memory_is_read_as_the_kernel_writes_it() {
        let smaps = "55d0-7ffe ---p 00000000 00:00 0  [rollup]\nRss:               19404 kB\nPss_Dirty:            1 kB\nPss:                 2 kB\n";
        assert_eq!(kibibytes(smaps, "Rss"), Some(19_404 * 1024));
        assert_eq!(kibibytes(smaps, "Pss"), Some(2048));
        assert_eq!(kibibytes(smaps, "Anonymous"), None);
    }

    #[test]
    fn this_process_has_used_time_and_memory() {
        let process = std::process::id();
        let before = ProcessorTime::of(process).unwrap();
        let sum = (0..2_000_000_u64).fold(0, |sum: u64, number| sum ^ number.wrapping_mul(sum | 1));
        assert_ne!(sum, 1);
        assert!(ProcessorTime::of(process).unwrap().since(&before) > Duration::ZERO);
        let memory = Memory::of(process).unwrap();
        assert!(memory.anonymous > 0 && memory.anonymous < memory.resident);
        assert!(family(process).unwrap().contains(&process));
    }
}
