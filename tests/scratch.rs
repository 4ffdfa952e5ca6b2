//! Directories for tests.

use std::path::{Path, PathBuf};

/// An empty place for one test; the directory itself is not there yet.
pub(crate) fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    path
}
