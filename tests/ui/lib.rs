//! Nothing but tests: a package needs something to build.
