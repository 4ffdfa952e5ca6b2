#!/usr/bin/env python3
"""How long an actor takes to compile, against kameo's macro for the same protocol.

Writes four crates: an actor with HANDLERS handlers with either library, alone and with a function
that sends each message once. Prints the medians of ROUNDS builds of the crate alone, in seconds.

    benches/compile_time.py [HANDLERS] [ROUNDS]
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

HANDLERS = int(sys.argv[1]) if len(sys.argv) > 1 else 100
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 7
ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "target" / "compile-time"

# Type and value of the second argument, in turn.
KINDS = [("u64", "1"), ("String", "String::new()"), ("Vec<u8>", "Vec::new()"), ("Option<u32>", "None")]


class Ours:
    name = "tpc-actors"
    dependency = f'tpc-actors = {{ path = "{ROOT}/tpc-actors" }}'
    head = """use tpc_actors::prelude::*;
#[core_actor]
pub struct Service { count: u64 }
#[core_actor]
impl Service {
    #[init]
    fn new() -> Self { Self { count: 0 } }
"""
    start = "pub fn start(system: &System) -> ServiceClient { system.spawn::<Service>(()).wait().unwrap() }\n"
    each = "pub async fn each(service: &ServiceClient) {\n"

    @staticmethod
    def attribute(tell):
        return "#[handler(tell)]" if tell else "#[handler]"

    @staticmethod
    def send(number, value, _tell):
        return f"drop(service.call_{number}(1, {value}).await);"


class Kameo:
    name = "kameo"
    dependency = 'kameo = "=0.20.0"'
    head = """use kameo::prelude::*;
#[derive(Actor)]
pub struct Service { count: u64 }
#[messages]
impl Service {
"""
    start = "pub fn start() -> ActorRef<Service> { Service::spawn(Service { count: 0 }) }\n"
    each = "pub async fn each(service: &ActorRef<Service>) {\n"

    @staticmethod
    def attribute(_tell):
        return "#[message]"

    @staticmethod
    def send(number, value, tell):
        verb = "tell" if tell else "ask"
        return f"drop(service.{verb}(Call{number} {{ key: 1, value: {value} }}).await);"


def source(library, used):
    text, sends = library.head, ""
    for number in range(HANDLERS):
        kind, value = KINDS[number % len(KINDS)]
        tell = number % 4 == 3
        answer, body = {0: (f" -> {kind}", "value"), 1: (f" -> {kind}", "value"),
                        2: (" -> Result<u64, Refused>", "Ok(self.count)"), 3: ("", "")}[number % 4]
        text += f"""    /// Handler {number}.
    {library.attribute(tell)}
    fn call_{number}(&mut self, key: u64, value: {kind}){answer} {{
        self.count += key;
        let _ = &value;
        {body}
    }}
"""
        sends += f"    {library.send(number, value, tell)}\n"
    text += "}\n#[derive(Debug)]\npub struct Refused;\n"
    if used:
        text += library.start + library.each + sends + "}\n"
    return text


def cargo(command, crate, library):
    environment = dict(os.environ, CARGO_INCREMENTAL="0", CARGO_TARGET_DIR=str(OUT / library.name))
    subprocess.run(["cargo", command, "--quiet"], cwd=crate, env=environment, check=True)


def measure(command, crate, library):
    cargo(command, crate, library)
    times = []
    for number in range(ROUNDS):
        # Touching it would do, but for file systems with coarse clocks.
        with (crate / "src/lib.rs").open("a") as file:
            file.write(f"// Round {number} of {command}.\n")
        before = time.monotonic()
        cargo(command, crate, library)
        times.append(time.monotonic() - before)
    return statistics.median(times)


def main():
    rows = []
    for used in (False, True):
        for command in ("check", "build"):
            times = []
            for library in (Ours, Kameo):
                crate = OUT / f"{library.name}-{'used' if used else 'alone'}"
                (crate / "src").mkdir(parents=True, exist_ok=True)
                (crate / "Cargo.toml").write_text(
                    f'[package]\nname = "{crate.name}"\nversion = "0.0.0"\nedition = "2024"\n'
                    f"[workspace]\n[dependencies]\n{library.dependency}\n"
                )
                (crate / "src/lib.rs").write_text(source(library, used))
                times.append(measure(command, crate, library))
            what = "with each message sent once" if used else "alone"
            rows.append((what, f"cargo {command}", *times))
    print(f"{HANDLERS} handlers, medians of {ROUNDS} builds of the crate alone, seconds")
    print("| actor | command | tpc-actors | kameo | ratio |\n|---|---|---|---|---|")
    for what, command, ours, theirs in rows:
        print(f"| {what} | `{command}` | {ours:.2f} | {theirs:.2f} | {ours / theirs:.2f} |")


main()
