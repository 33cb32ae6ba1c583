//! Other programs: started without an input, watched line by line.

use crate::step::{Step, Stopwatch, print};
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::PoisonError;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// What a program did.
pub(crate) struct Finished {
    /// How it ended.
    pub(crate) status: ExitStatus,
    /// All lines of its standard output.
    pub(crate) stdout: Vec<String>,
    /// All lines of its standard error.
    pub(crate) stderr: Vec<String>,
    /// The lines of both, in the order they came.
    pub(crate) transcript: String,
}

/// Runs a program and keeps its output back; on a terminal the step's line shows the latest.
pub(crate) fn run_quietly(command: &mut Command, step: &Step) -> Result<Finished> {
    run_within(command, Duration::MAX, step)
}

/// The same, but no longer than this: then the program is killed.
pub(crate) fn run_within(command: &mut Command, limit: Duration, step: &Step) -> Result<Finished> {
    let news = step.news();
    run(command, limit, |source, line| {
        if source == Source::Stderr
            && let Some(news) = &news
        {
            line.clone_into(&mut news.lock().unwrap_or_else(PoisonError::into_inner));
        }
    })
}

/// Runs a program and shows its output as it comes.
pub(crate) fn run_streaming(command: &mut Command) -> Result<Finished> {
    if std::io::stdout().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always").env("FORCE_COLOR", "1");
    }
    run(command, Duration::MAX, |_, line| print(&format!("{line}\n")))
}

/// A step that is one program: says so, and fails with the program's output.
pub(crate) fn run_step(name: &str, command: &mut Command) -> Result<Finished> {
    let step = Step::start(name);
    let finished = run_quietly(command, &step)?;
    if finished.status.success() {
        step.done();
        Ok(finished)
    } else {
        step.failed(&finished.transcript);
        bail!("{}", ended(command, finished.status))
    }
}

/// The first line that a short program prints, or nothing when it fails or is not there.
pub(crate) fn first_line(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.lines().next().unwrap_or_default().to_owned())
}

/// Whether a short program ends well; its output is of no interest.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// How a program ended, in words.
pub(crate) fn ended(command: &Command, status: ExitStatus) -> String {
    format!("`{}` ended with {status}", shown(command))
}

/// A command as one would type it, without the directories of its program.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let words = std::iter::once(program.file_name().unwrap_or(program.as_os_str())).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Which of a program's two outputs a line came from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Stdout,
    Stderr,
}

fn run(command: &mut Command, limit: Duration, mut on_line: impl FnMut(Source, &str)) -> Result<Finished> {
    let stopwatch = Stopwatch::start();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot start `{}`", shown(command)))?;
    let lines = read_both(&mut child);
    let (mut stdout, mut stderr, mut transcript) = (Vec::new(), Vec::new(), String::new());
    loop {
        match lines.recv_timeout(limit.saturating_sub(stopwatch.elapsed())) {
            Ok((source, line)) => {
                on_line(source, &line);
                transcript.push_str(&line);
                transcript.push('\n');
                if source == Source::Stdout { stdout.push(line) } else { stderr.push(line) }
            }
            // Both outputs are closed: the program is done.
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                child.kill().context("cannot end a program that hangs")?;
                child.wait()?;
                bail!("`{}` did not end within {} s", shown(command), limit.as_secs());
            }
        }
    }
    Ok(Finished { status: child.wait()?, stdout, stderr, transcript })
}

fn read_both(child: &mut Child) -> std::sync::mpsc::Receiver<(Source, String)> {
    let (sender, lines) = channel();
    if let Some(stdout) = child.stdout.take() {
        read(stdout, Source::Stdout, sender.clone());
    }
    if let Some(stderr) = child.stderr.take() {
        read(stderr, Source::Stderr, sender);
    }
    lines
}

fn read(stream: impl Read + Send + 'static, source: Source, lines: Sender<(Source, String)>) {
    std::thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        while matches!(stream.read_until(b'\n', &mut line), Ok(length) if length > 0) {
            let text = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
            line.clear();
            if lines.send((source, text)).is_err() {
                break;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn both_outputs_are_gathered_and_the_exit_code_is_kept() {
        let finished = run(&mut shell("echo one; echo two >&2; printf three; exit 4"), Duration::MAX, |_, _| {}).unwrap();
        assert_eq!(finished.stdout, ["one", "three"]);
        assert_eq!(finished.stderr, ["two"]);
        assert_eq!(finished.status.code(), Some(4));
    }

    #[test]
    fn a_program_has_no_input_to_wait_for() {
        assert_eq!(run(&mut shell("read line"), Duration::MAX, |_, _| {}).unwrap().status.code(), Some(1));
    }

    #[test]
    fn a_program_that_hangs_is_ended() {
        let error = run(Command::new("sleep").arg("600"), Duration::from_millis(50), |_, _| {}).err().unwrap();
        assert!(error.to_string().contains("did not end within"), "{error}");
    }

    #[test]
    fn a_program_that_is_missing_is_named() {
        let error = run(&mut Command::new("no-such-program"), Duration::MAX, |_, _| {}).err().unwrap();
        assert!(error.to_string().contains("no-such-program"), "{error}");
        assert_eq!(first_line(&mut Command::new("no-such-program")), None);
    }
}
