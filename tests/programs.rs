//! Programs that must compile and run, a file each. Those that need a crate of their own are in
//! `ui/pass` and `consumers`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[path = "programs"]
#[allow(clippy::all, clippy::pedantic, reason = "they show what is possible, not what is pretty")]
mod programs {
    pub mod all_shards;
    pub mod arguments;
    pub mod boxed;
    pub mod client_travels;
    pub mod conditional;
    pub mod conditional_arguments;
    pub mod conditional_roles;
    pub mod data_handle_travels;
    pub mod deprecated;
    pub mod from_macro_rules;
    pub mod generic_cache;
    pub mod generic_concrete;
    pub mod generic_const;
    pub mod generic_everything;
    pub mod generic_lifetime;
    pub mod generic_pinned;
    pub mod generic_sharded;
    pub mod generic_unmentioned;
    pub mod generic_users;
    pub mod generic_where;
    pub mod hooks;
    pub mod impl_first;
    pub mod imported_by_name;
    pub mod init_forms;
    pub mod keyed_tell;
    pub mod pinned_in_task;
    pub mod places;
    pub mod raw_identifiers;
    pub mod result_aliases;
    pub mod same_handler_names;
}

macro_rules! run {
    ($($program:ident)*) => {
        $(
            #[test]
            fn $program() {
                succeeds(programs::$program::main());
            }
        )*

        /// Programs that are run.
        const RUN: &[&str] = &[$(stringify!($program)),*];
    };
}

run! {
    all_shards
    arguments
    boxed
    client_travels
    conditional
    conditional_arguments
    conditional_roles
    data_handle_travels
    deprecated
    from_macro_rules
    generic_cache
    generic_concrete
    generic_const
    generic_everything
    generic_lifetime
    generic_pinned
    generic_sharded
    generic_unmentioned
    generic_users
    generic_where
    hooks
    impl_first
    imported_by_name
    init_forms
    keyed_tell
    pinned_in_task
    places
    raw_identifiers
    result_aliases
    same_handler_names
}

/// A failed assertion panics; a program may return an error instead.
fn succeeds(returned: impl std::process::Termination) {
    let code = format!("{:?}", returned.report());
    assert_eq!(code, format!("{:?}", std::process::ExitCode::SUCCESS));
}

#[test]
fn every_program_is_run() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("programs");
    let files = fs::read_dir(directory).expect("the programs");
    let stem = |entry: fs::DirEntry| entry.path().file_stem().map(std::ffi::OsStr::to_os_string);
    let found: BTreeSet<String> = files
        .filter_map(|entry| stem(entry.expect("a program")))
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    let run: BTreeSet<String> = RUN.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(found, run);
}
