//! What has happened, line by line, up to a bound.

use std::collections::VecDeque;

/// The latest lines.
#[derive(Debug)]
pub(super) struct Trace {
    lines: VecDeque<String>,
    lines_max: usize,
    /// Older lines that there was no room for.
    forgotten: u64,
}

impl Trace {
    pub(super) fn new(lines_max: usize) -> Self {
        Self { lines: VecDeque::new(), lines_max, forgotten: 0 }
    }

    pub(super) fn add(&mut self, line: String) {
        self.lines.push_back(line);
        while self.lines.len() > self.lines_max {
            self.lines.pop_front();
            self.forgotten += 1;
        }
    }

    /// All lines that are left, after one that says how many are not.
    pub(super) fn lines(&self) -> Vec<String> {
        let forgotten = (self.forgotten > 0).then(|| format!("{} earlier lines", self.forgotten));
        forgotten.into_iter().chain(self.lines.iter().cloned()).collect()
    }
}
