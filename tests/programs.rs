//! Programs that must compile and run, a file each. Those that need a crate of their own are in
//! `ui/pass` and `consumers`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[path = "programs"]
#[allow(clippy::all, clippy::pedantic, reason = "they show what is possible, not what is pretty")]
mod programs {
    pub mod actors_know_each_other;
    pub mod actors_with_prelude_names;
    pub mod all_options;
    pub mod all_shards;
    pub mod argument_names;
    pub mod arguments;
    pub mod attributes_on_handlers;
    pub mod batches;
    pub mod boxed;
    pub mod client_travels;
    pub mod complex_types;
    pub mod conditional;
    pub mod conditional_arguments;
    pub mod conditional_roles;
    pub mod data_handle_travels;
    pub mod deprecated;
    pub mod fallible_answers;
    pub mod forbids_unsafe;
    pub mod from_macro_rules;
    pub mod generic_boxed;
    pub mod generic_cache;
    pub mod generic_concrete;
    pub mod generic_const;
    pub mod generic_engine;
    pub mod generic_everything;
    pub mod generic_in_macro;
    pub mod generic_lifetime;
    pub mod generic_pinned;
    pub mod generic_restart;
    pub mod generic_sharded;
    pub mod generic_trait_objects;
    pub mod generic_unmentioned;
    pub mod generic_users;
    pub mod generic_where;
    pub mod handed_back;
    pub mod handler_names;
    pub mod hooks;
    pub mod impl_elsewhere;
    pub mod impl_first;
    pub mod imported_by_name;
    pub mod in_strange_places;
    pub mod init_forms;
    pub mod keyed_tell;
    pub mod keys_in_fields;
    pub mod local_core_and_std;
    pub mod many_arguments;
    pub mod no_handlers;
    pub mod one_name_in_many_modules;
    pub mod other_impls;
    pub mod pinned_in_task;
    pub mod places;
    pub mod raw_identifiers;
    pub mod result_aliases;
    pub mod same_handler_names;
    pub mod shapes_of_structs;
    pub mod slices_and_checkpoints;
    pub mod state_that_stays;
    pub mod tell_only;
    pub mod three_verbs;
    pub mod unused_and_private;
    pub mod visibilities;
    pub mod written_by_macros;
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
    actors_know_each_other
    actors_with_prelude_names
    all_options
    all_shards
    argument_names
    arguments
    attributes_on_handlers
    batches
    boxed
    client_travels
    complex_types
    conditional
    conditional_arguments
    conditional_roles
    data_handle_travels
    deprecated
    fallible_answers
    forbids_unsafe
    from_macro_rules
    generic_boxed
    generic_cache
    generic_concrete
    generic_const
    generic_engine
    generic_everything
    generic_in_macro
    generic_lifetime
    generic_pinned
    generic_restart
    generic_sharded
    generic_trait_objects
    generic_unmentioned
    generic_users
    generic_where
    handed_back
    handler_names
    hooks
    impl_elsewhere
    impl_first
    imported_by_name
    in_strange_places
    init_forms
    keyed_tell
    keys_in_fields
    local_core_and_std
    many_arguments
    no_handlers
    one_name_in_many_modules
    other_impls
    pinned_in_task
    places
    raw_identifiers
    result_aliases
    same_handler_names
    shapes_of_structs
    slices_and_checkpoints
    state_that_stays
    tell_only
    three_verbs
    unused_and_private
    visibilities
    written_by_macros
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
