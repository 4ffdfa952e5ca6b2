#!/usr/bin/env python3
"""The checks behind check.sh: check.py PATH-OF-KV_SERVER.

Every check gets a running server and fails by an exception. A server is started for each group of
checks, on a port that the system chooses, and is stopped by a signal, whose outcome is a check too.
"""

import contextlib
import ctypes
import os
import random
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback

MIB = 1 << 20
TICKS = os.sysconf("SC_CLK_TCK")


# ---- a client ------------------------------------------------------------------------------------


class Refused(str):
    """An error reply; equal to its text."""


class Map(list):
    """A map reply of the third protocol version, as a flat list."""


class Null3:
    """The null of the third protocol version."""

    def __repr__(self):
        return "NULL3"


NULL3 = Null3()


def encode(*args):
    parts = [b"*%d\r\n" % len(args)]
    for arg in args:
        data = arg if isinstance(arg, bytes) else str(arg).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
    return b"".join(parts)


class Client:
    def __init__(self, port, timeout=20):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb", 1 << 16)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def die(self):
        """Closes without a farewell: the server sees a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close()

    def send(self, data):
        self.socket.sendall(data)

    def read(self):
        line = self.file.readline()
        if not line:
            raise EOFError("the server closed the connection")
        if not line.endswith(b"\r\n"):
            raise EOFError(f"half a reply: {line!r}")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return Refused(rest.decode(errors="replace"))
        if kind == b":":
            return int(rest)
        if kind == b"_":
            return NULL3
        if kind == b"$":
            return None if rest == b"-1" else self.read_bulk(int(rest))
        if kind == b"*":
            return [self.read() for _ in range(int(rest))]
        if kind == b"%":
            return Map(self.read() for _ in range(2 * int(rest)))
        raise ValueError(f"not a reply: {line!r}")

    def read_bulk(self, size):
        data = self.file.read(size + 2)
        if len(data) != size + 2 or data[-2:] != b"\r\n":
            raise EOFError(f"half a value of {size} bytes")
        return data[:-2]

    def __call__(self, *args):
        self.send(encode(*args))
        return self.read()

    def is_closed(self):
        try:
            return self.file.read(1) == b""
        except ConnectionResetError:
            return True


def same(got, wanted, what=""):
    if type(got) is not type(wanted) or got != wanted:
        what = f"{what}: " if what else ""
        raise AssertionError(f"{what}got {got!r:.300}, expected {wanted!r:.300}")


def holds(condition, what):
    if not condition:
        raise AssertionError(what)


def eventually(condition, what, seconds=5):
    end = time.monotonic() + seconds
    while not condition():
        holds(time.monotonic() < end, what)
        time.sleep(0.02)


# ---- the server ----------------------------------------------------------------------------------


PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def in_the_child(descriptors):
    """What a server does before it is one: it must not outlive the checker, however that ends."""

    def prepare():
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if descriptors:
            resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

    return prepare


class Server:
    def __init__(self, binary, flags, descriptors=None):
        self.process = subprocess.Popen(
            [binary, "--port", "0", *flags],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=in_the_child(descriptors),
        )
        self.lines = [self.process.stdout.readline()]
        found = re.search(r"listening on 127\.0\.0\.1:(\d+)", self.lines[0])
        if not found:
            self.kill()
            raise AssertionError(f"the server did not start: {self.lines[0]!r}")
        self.port = int(found[1])
        self.pid = self.process.pid

    def client(self, timeout=20):
        return Client(self.port, timeout)

    def info(self, client, section="shards"):
        """The lines of a section; those of shards as dictionaries of numbers."""
        text = client("INFO", section).decode()
        lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        for name, line in lines.items():
            if re.fullmatch(r"shard\d+", name):
                fields = (field.split("=") for field in line.split(","))
                lines[name] = {field: int(value) for field, value in fields}
        return lines

    def wait_until_alone(self, client):
        """Returns when every other connection has ended, as far as the server is concerned."""
        eventually(
            lambda: self.info(client, "clients")["connected_clients"] == "1",
            "ended connections are still counted",
        )

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def resident(self):
        with open(f"/proc/{self.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1]) << 10

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def switches(self):
        """How often each thread went to sleep, by thread and name."""
        switches = {}
        for task in os.listdir(f"/proc/{self.pid}/task"):
            # A thread may end at any moment.
            with contextlib.suppress(FileNotFoundError), open(
                f"/proc/{self.pid}/task/{task}/status"
            ) as status:
                text = status.read()
                name = re.search(r"Name:\s+(.*)", text)[1]
                count = int(re.search(r"\nvoluntary_ctxt_switches:\s+(\d+)", text)[1])
                switches[task, name] = count
        return switches

    def stop(self, how, seconds=15):
        """Sends a signal; exit code and everything that was printed."""
        self.process.send_signal(how)
        rest, _ = self.process.communicate(timeout=seconds)
        return self.process.returncode, "".join(self.lines) + rest

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


# ---- commands ------------------------------------------------------------------------------------

NOT_A_NUMBER = Refused("ERR value is not an integer or out of range")
SYNTAX = Refused("ERR syntax error")


def arity(name):
    return Refused(f"ERR wrong number of arguments for '{name}' command")


def ping_and_echo(server):
    with server.client() as c:
        same(c("PING"), "PONG")
        same(c("ping", "hi"), b"hi")
        same(c("ECHO", "x y"), b"x y")
        same(c("SELECT", "0"), "OK")
        same(c("SELECT", "1"), Refused("ERR DB index is out of range"))


def set_with_its_options(server):
    with server.client() as c:
        same(c("FLUSHALL"), "OK")
        same(c("GET", "a"), None)
        same(c("SET", "a", "1"), "OK")
        same(c("GET", "a"), b"1")
        same(c("SET", "a", "2", "NX"), None)
        same(c("SET", "b", "2", "XX"), None)
        same(c("SET", "b", "2", "NX"), "OK")
        same(c("SET", "a", "2", "XX", "GET"), b"1")
        same(c("SET", "new", "1", "GET"), None)
        same(c("SET", "a", "3", "NX", "GET"), b"2")
        same(c("GET", "a"), b"2")
        same(c("SET", "a", "v", "EX", "100"), "OK")
        same(c("TTL", "a"), 100)
        same(c("SET", "a", "w", "KEEPTTL"), "OK")
        same(c("TTL", "a"), 100)
        same(c("SET", "a", "w"), "OK")
        same(c("TTL", "a"), -1)
        same(c("SET", "a", "v", "PX", "5000"), "OK")
        holds(4000 < c("PTTL", "a") <= 5000, "PTTL after PX 5000")
        for wrong in (("NX", "XX"), ("EX",), ("EX", "1", "PX", "1"), ("what",)):
            same(c("SET", "a", "v", *wrong), SYNTAX, wrong)
        same(c("SET", "a", "v", "EX", "x"), NOT_A_NUMBER)
        expire = Refused("ERR invalid expire time in 'set' command")
        for wrong in ("0", "-1", "9223372036854775807"):
            same(c("SET", "a", "v", "EX", wrong), expire)


def counters_and_strings(server):
    with server.client() as c:
        c("FLUSHALL")
        same([c("INCR", "n"), c("INCRBY", "n", "41")], [1, 42])
        same([c("DECR", "n"), c("DECRBY", "n", "-9")], [41, 50])
        same(c("GET", "n"), b"50")
        same(c("SET", "n", str(2**63 - 1)), "OK")
        same(c("INCR", "n"), Refused("ERR increment or decrement would overflow"))
        same(c("DECRBY", "n", str(-(2**63))), Refused("ERR decrement would overflow"))
        same(c("INCRBY", "n", "1.5"), NOT_A_NUMBER)
        same([c("APPEND", "s", "abc"), c("APPEND", "s", "def")], [3, 6])
        same([c("STRLEN", "s"), c("STRLEN", "none")], [6, 0])
        same(c("GET", "s"), b"abcdef")
        same(c("INCR", "s"), NOT_A_NUMBER)
        same([c("TYPE", "s"), c("TYPE", "none")], ["string", "none"])


def lifetimes(server):
    with server.client() as c:
        c("FLUSHALL")
        same([c("TTL", "k"), c("PTTL", "k"), c("EXPIRE", "k", "1")], [-2, -2, 0])
        c("SET", "k", "v")
        same([c("TTL", "k"), c("PERSIST", "k")], [-1, 0])
        same([c("EXPIRE", "k", "10"), c("TTL", "k")], [1, 10])
        same([c("PEXPIRE", "k", "70000"), c("TTL", "k")], [1, 70])
        same([c("PERSIST", "k"), c("TTL", "k")], [1, -1])
        same([c("PEXPIRE", "k", "-1"), c("EXISTS", "k")], [1, 0])
        same(c("EXPIRE", "k", "x"), NOT_A_NUMBER)
        wrong = Refused("ERR invalid expire time in 'expire' command")
        same(c("EXPIRE", "k", "9223372036854775807"), wrong)


def several_keys_at_once(server):
    with server.client() as c:
        c("FLUSHALL")
        count = 3000
        pairs = [part for i in range(count) for part in (f"k{i}", f"v{i}")]
        same(c("MSET", *pairs), "OK")
        keys = [f"k{i}" for i in reversed(range(-1, count))]
        values = [f"v{i}".encode() for i in reversed(range(count))]
        same(c("MGET", *keys), [*values, None])
        same(c("MSET", "twice", "1", "twice", "2"), "OK")
        same(c("GET", "twice"), b"2")
        same(c("EXISTS", "k0", "k1", "k0", "none"), 3)
        same(c("DEL", "k0", "k1", "k0", "none"), 2)
        same(c("DBSIZE"), count - 1)
        same(c("MSET", "a", "1", "b"), arity("mset"))
        shards = [line for line in server.info(c).values() if isinstance(line, dict)]
        same(sum(shard["keys"] for shard in shards), count - 1)
        holds(all(shard["keys"] > 0 for shard in shards), f"a shard without keys: {shards}")
        same(c("FLUSHALL", "ASYNC"), "OK")
        same(c("DBSIZE"), 0)


def keys_and_scan(server):
    with server.client() as c:
        c("FLUSHALL")
        names = sorted(f"key:{i}".encode() for i in range(2000))
        c("MSET", *(part for name in [*names, b"other"] for part in (name, b"")))
        same(sorted(c("KEYS", "key:*")), names)
        same(sorted(c("KEYS", "key:1[0-1]")), [b"key:10", b"key:11"])
        same(c("KEYS", r"key\:?x*"), [])
        for count in ("10", "137", "100000"):
            cursor, found = b"0", []
            while True:
                cursor, page = c("SCAN", cursor, "MATCH", "key:*", "COUNT", count)
                found += page
                if cursor == b"0":
                    break
            same(sorted(found), names, f"SCAN COUNT {count}")
        same(c("SCAN", "0", "TYPE", "hash")[1], [])
        same(c("SCAN", "x"), Refused("ERR invalid cursor"))
        same(c("SCAN", str(2**64 - 1)), [b"0", []])
        same(c("SCAN", "0", "COUNT", "0"), SYNTAX)


def commands_about_the_connection(server):
    with server.client() as c:
        same(c("CLIENT", "GETNAME"), None)
        same(c("CLIENT", "SETNAME", "me"), "OK")
        same(c("CLIENT", "GETNAME"), b"me")
        same(c("CLIENT", "SETINFO", "LIB-NAME", "check"), "OK")
        holds(c("CLIENT", "ID") > 0, "CLIENT ID")
        same(c("CLIENT", "what"), Refused("ERR unknown subcommand 'what'. Try CLIENT HELP."))
        same(c("CONFIG", "GET", "save"), [b"save", b""])
        same(c("CONFIG", "GET", "appendonly"), [b"appendonly", b"no"])
        same(c("CONFIG", "GET", "unknown"), [])
        same([c("COMMAND"), c("COMMAND", "DOCS")], [[], []])
        same(c("QUIT"), "OK")
        holds(c.is_closed(), "open after QUIT")


def hello_switches_the_protocol(server):
    with server.client() as c:
        c("FLUSHALL")
        hello = c("HELLO", "3")
        holds(isinstance(hello, Map), "a map is expected")
        same(hello[4:6], [b"proto", 3])
        holds(c("GET", "none") is NULL3, "null of version 3")
        same(c("CONFIG", "GET", "save"), Map([b"save", b""]))
        same(c("HELLO", "4"), Refused("NOPROTO unsupported protocol version"))
        same(c("HELLO", "2", "SETNAME", "you")[4:6], [b"proto", 2])
        same(c("CLIENT", "GETNAME"), b"you")
        # Replies keep the version that was spoken when their command came.
        get, hello3, hello2 = encode("GET", "none"), encode("HELLO", 3), encode("HELLO", 2)
        c.send(get + hello3 + get + hello2 + get)
        replies = [c.read() for _ in range(5)]
        same([replies[0], replies[4]], [None, None])
        holds(replies[2] is NULL3, "null of version 3 in a pipeline")


def errors_in_redis_words(server):
    with server.client() as c:
        unknown = "ERR unknown command 'foo', with args beginning with: 'a' 'b' "
        same(c("foo", "a", "b"), Refused(unknown))
        names = "get set incr decrby append strlen expire ttl del mget keys scan echo select config"
        for name in names.split():
            same(c(name.upper()), arity(name))
        same(c("GET", "a", "b"), arity("get"))
        same(c("CLIENT", "SETNAME"), arity("client|setname"))
        same(c("foo\r\n+OK"), Refused("ERR unknown command 'foo  +OK', with args beginning with: "))
        same(c("PING"), "PONG")


def inline_commands(server):
    with server.client() as c:
        c.send(b'SET in "a b\\x41"\r\nGET in\r\n\r\nPING\n')
        same([c.read() for _ in range(3)], ["OK", b"a bA", "PONG"])


def info_of_the_shards(server):
    with server.client() as c:
        c("FLUSHALL")
        before = server.info(c)
        same(c("SET", "x", "1"), "OK")
        same([c("GET", "x"), c("GET", "none")], [b"1", None])
        after = server.info(c)
        shards = [name for name in after if re.fullmatch(r"shard\d+", name)]
        for field in "core keys expires hits misses expired queue_depth restarts panics".split():
            holds(all(field in after[name] for name in shards), f"{field} is missing")
        for field in ("keys", "hits", "misses"):
            grown = sum(after[name][field] - before[name][field] for name in shards)
            same(grown, 1, field)
        same([after[name]["restarts"] for name in shards], [0] * len(shards))
        server.wait_until_alone(c)
        text = c("INFO").decode()
        holds("# Server\r\nredis_version:" in text and "# Keyspace\r\ndb0:keys=1" in text, text)


COMMANDS = [
    ping_and_echo,
    set_with_its_options,
    counters_and_strings,
    lifetimes,
    several_keys_at_once,
    keys_and_scan,
    commands_about_the_connection,
    hello_switches_the_protocol,
    errors_in_redis_words,
    inline_commands,
    info_of_the_shards,
]


# ---- Redis' own tools ----------------------------------------------------------------------------


def tool(name, server, *args, data=None, seconds=60):
    command = [name, "-h", "127.0.0.1", "-p", str(server.port), *args]
    done = subprocess.run(command, input=data, capture_output=True, timeout=seconds)
    output = done.stdout + done.stderr
    holds(done.returncode == 0, f"{name} ends with {done.returncode}: {output!r:.300}")
    holds(b"WARNING" not in output, f"{name} warns: {output!r:.300}")
    return done.stdout


def redis_cli(server):
    def cli(*args, data=None):
        return tool("redis-cli", server, *args, data=data)

    same(cli("flushall"), b"OK\n")
    same(cli("set", "greeting", "hello"), b"OK\n")
    same(cli("get", "greeting"), b"hello\n")
    same(cli("-3", "get", "none"), b"\n")
    same(cli("incr", "greeting").strip(), NOT_A_NUMBER.encode())
    value = random.randbytes(16 * MIB)
    same(cli("-x", "set", "big", data=value), b"OK\n")
    holds(cli("--raw", "get", "big") == value + b"\n", "16 MiB through redis-cli differ")
    many = b"".join(encode("SET", f"piped:{i}", i) for i in range(20000))
    holds(b"errors: 0, replies: 20000" in cli("--pipe", data=many), "redis-cli --pipe")
    found = cli("--scan", "--pattern", "piped:*").split()
    same(len(set(found)), 20000, "redis-cli --scan")
    holds(b"Biggest string found" in cli("--bigkeys"), "redis-cli --bigkeys")
    holds(b"shard0:core=" in cli("info", "shards"), "redis-cli info")
    cli("flushall")


def redis_benchmark(server):
    tool("redis-cli", server, "flushall")
    flags = "-t set,get -n 100000 -c 50 -P 16 -r 10000 --csv".split()
    lines = tool("redis-benchmark", server, *flags).decode().splitlines()
    rates = [float(line.split('","')[1]) for line in lines if line[:4] in ('"SET', '"GET')]
    holds(len(rates) == 2 and all(rate > 0 for rate in rates), lines)
    with server.client() as c:
        # 100,000 draws from 10,000 keys leave out hardly any, and certainly make no more.
        holds(9000 < c("DBSIZE") <= 10000, f"{c('DBSIZE')} keys after redis-benchmark")
        c("FLUSHALL")
    return "{:,.0f} SET/s, {:,.0f} GET/s".format(*rates)


# ---- values, pipelines, order --------------------------------------------------------------------


def values_of_all_sizes(server):
    with server.client() as c:
        for size in (0, 1, 64 << 10, 16 * MIB):
            value = random.randbytes(size)
            same(c("SET", "value", value), "OK")
            holds(c("GET", "value") == value, f"{size} bytes differ")
            same(c("STRLEN", "value"), size)
        c("DEL", "value")


def binary_keys(server):
    with server.client() as c:
        c("FLUSHALL")
        keys = [b"", b"\0", b"\r\n", b"$5\r\nhello", bytes(range(256)), b"\xff" * 4096]
        for number, key in enumerate(keys):
            same(c("SET", key, str(number)), "OK")
        same(c("MGET", *keys), [str(number).encode() for number in range(len(keys))])
        same(sorted(c("KEYS", "*")), sorted(keys))
        same(c("DEL", *keys), len(keys))


def frames_in_pieces(server):
    with server.client() as c:
        for byte in encode("SET", "piece", "\r\n$5") + encode("GET", "piece"):
            c.send(bytes([byte]))
        same([c.read(), c.read()], ["OK", b"\r\n$5"])
        value = random.randbytes(MIB)
        frame = encode("SET", "piece", value)
        for at in range(0, len(frame), 1000):
            c.send(frame[at : at + 1000])
        same(c.read(), "OK")
        holds(c("GET", "piece") == value, "1 MiB in pieces differs")
        c("DEL", "piece")


def pipelines_of_a_thousand(server):
    with server.client() as c:
        c("FLUSHALL")
        frames, wanted = [], []
        for i in range(1000):
            frames += [encode("INCR", "n"), encode("SET", f"k{i % 10}", i)]
            frames += [encode("GET", f"k{i % 10}"), encode("MGET", "n", "none")]
            wanted += [i + 1, "OK", str(i).encode(), [str(i + 1).encode(), None]]
        c.send(b"".join(frames[:1000]))
        same([c.read() for _ in range(1000)], wanted[:1000])
        c.send(b"".join(frames[1000:]))
        same([c.read() for _ in range(3000)], wanted[1000:])


def random_command(dice, model, keys):
    """A command, and the reply that the model of the store wants; the model moves on."""
    key, other = dice.choice(keys), dice.choice(keys)

    def value(name):
        return str(model[name]).encode() if name in model else None

    match dice.choice("incr incr get get set set del mget ping".split()):
        case "incr":
            model[key] = model.get(key, 0) + 1
            return encode("INCR", key), model[key]
        case "set":
            model[key] = dice.randrange(1000)
            return encode("SET", key, model[key]), "OK"
        case "del":
            return encode("DEL", key), int(model.pop(key, None) is not None)
        case "get":
            return encode("GET", key), value(key)
        case "mget":
            return encode("MGET", key, other), [value(key), value(other)]
        case _:
            return encode("PING"), "PONG"


def order_under_load(server):
    """Random pipelines of many clients, each on keys of its own."""
    failures = []

    def play(number):
        dice = random.Random(number)
        model = {}
        keys = [f"order:{number}:{i}" for i in range(7)]
        try:
            with server.client(60) as c:
                c("DEL", *keys)
                for _ in range(10):
                    commands = [random_command(dice, model, keys) for _ in range(400)]
                    c.send(b"".join(frame for frame, _ in commands))
                    for frame, wanted in commands:
                        same(c.read(), wanted, frame)
        except Exception as error:
            failures.append(f"client {number}: {error!r}")

    players = [threading.Thread(target=play, args=(number,)) for number in range(24)]
    for player in players:
        player.start()
    for player in players:
        player.join()
    holds(not failures, failures[:1])


# ---- lifetimes on the clock ----------------------------------------------------------------------


def reads_are_exact_to_the_lifetime(server):
    with server.client() as c:
        for _ in range(20):
            begun = time.monotonic()
            c("SET", "brief", "v", "PX", "30")
            stored = time.monotonic()
            while True:
                asked = time.monotonic()
                value = c("GET", "brief")
                answered = time.monotonic()
                if value is None:
                    break
                # A shard's clock may be a turn behind.
                holds(asked - stored < 0.032, f"alive {asked - stored:.4f} s after 0.030")
            holds(answered - begun >= 0.0299, f"dead {answered - begun:.4f} s after 0.030")
            same(c("TTL", "brief"), -2)


def the_timer_forgets_what_nobody_asks_for(server):
    with server.client() as c:
        c("FLUSHALL")
        before = sum(s["expired"] for s in server.info(c).values() if isinstance(s, dict))
        count = 20000
        c.send(b"".join(encode("SET", f"dying:{i}", "v", "PX", "50") for i in range(count)))
        for _ in range(count):
            same(c.read(), "OK")
        c("SET", "steady", "v", "EX", "100")
        eventually(lambda: c("DBSIZE") == 1, "expired keys are still counted", 2)
        shards = [s for s in server.info(c).values() if isinstance(s, dict)]
        same(sum(shard["expired"] for shard in shards) - before, count)
        same(sum(shard["expires"] for shard in shards), 1)
        c("FLUSHALL")


# ---- hostile clients -----------------------------------------------------------------------------

MALFORMED = [
    (b"*x\r\n", "invalid multibulk length"),
    (b"*1048577\r\n", "invalid multibulk length"),
    (b"*1\r\n*1\r\n", "expected '$', got '*'"),
    (b"*1\r\n" * 100000, "expected '$', got '*'"),
    (b"*2\r\n$3\r\nGETxy", "expected CRLF after bulk"),
    (b"*1\r\n:1\r\n", "expected '$', got ':'"),
    (b"*1\r\n$-1\r\n", "invalid bulk length"),
    (b"*1\r\n$536870913\r\n", "invalid bulk length"),
    (b"*1\r\n$99999999999999999999\r\n", "invalid bulk length"),
    (b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\n", "too big command"),
    (b'GET "a\r\n', "unbalanced quotes in request"),
    (b"a" * 70000, "too big inline request"),
    (b"*" + b"1" * 70000, "too big mbulk count string"),
]


def malformed_input_ends_its_connection_only(server):
    with server.client() as witness:
        for bad, text in MALFORMED:
            with server.client() as c:
                # What the server does not read any more may break the pipe; its answer comes first.
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    c.send(encode("PING") + bad)
                same([c.read(), c.read()], ["PONG", Refused(f"ERR Protocol error: {text}")])
                holds(c.is_closed(), f"open after {bad[:40]!r}")
            same(witness("PING"), "PONG")


def random_bytes_hurt_nobody(server):
    dice = random.Random(7)
    with server.client() as witness:
        for _ in range(300):
            with server.client() as c:
                frame = bytearray(encode("SET", "fuzz", dice.randbytes(50)) * 3)
                for _ in range(dice.randrange(1, 6)):
                    frame[dice.randrange(len(frame))] = dice.choice(b"*$\r\n0129-\x00\xffA")
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    c.send(bytes(frame))
                    c.socket.shutdown(socket.SHUT_WR)
                with contextlib.suppress(ConnectionResetError):
                    while c.socket.recv(1 << 16):
                        pass
        same(witness("PING"), "PONG")
        server.wait_until_alone(witness)


def announced_sizes_are_not_allocated(server):
    before = server.resident()
    clients = [server.client() for _ in range(50)]
    for c in clients:
        c.send(b"*1000000\r\n$536870912\r\nabc")
    with server.client() as witness:
        same(witness("PING"), "PONG")
        time.sleep(0.2)
        grown = server.resident() - before
        holds(grown < 32 * MIB, f"{grown >> 20} MiB for 50 announcements of 512 MiB")
    for c in clients:
        c.close()


def unread_replies_are_not_buffered(server):
    with server.client() as witness, server.client() as greedy:
        witness("SET", "big", b"x" * MIB)
        before = server.resident()
        greedy.send(encode("MGET", *["big"] * 2000) + encode("GET", "big") * 1000)
        time.sleep(0.5)
        same(witness("INCR", "alive"), 1)
        grown = server.resident() - before
        holds(grown < 64 * MIB, f"{grown >> 20} MiB for 3 GiB that nobody reads")
        greedy.die()
        witness("FLUSHALL")


def clients_that_die_in_a_frame(server):
    with server.client() as witness:
        server.wait_until_alone(witness)
        before = server.descriptors()
        frame = encode("SET", "half", b"x" * 100000)
        for cut in (1, 4, 9, 20, 35, 50000, len(frame) - 1):
            for leave in (Client.close, Client.die):
                c = server.client()
                c.send(frame[:cut])
                leave(c)
        c = server.client()
        c.send(frame * 20 + encode("GET", "half") * 20)
        c.die()
        server.wait_until_alone(witness)
        eventually(lambda: server.descriptors() <= before, "descriptors of dead clients are open")
        witness("DEL", "half")


def ten_thousand_connections(server):
    with server.client() as witness:
        server.wait_until_alone(witness)
        before = server.descriptors()
        for number in range(10000):
            c = socket.create_connection(("127.0.0.1", server.port))
            if number % 3 == 0:
                c.sendall(b"PING\r\n")
            elif number % 3 == 1:
                c.sendall(b"*3\r\n$3\r\nSE")
            if number % 2 == 0:
                c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            c.close()
        same(witness("PING"), "PONG")
        server.wait_until_alone(witness)
        eventually(lambda: server.descriptors() <= before, "descriptors of the gone are open")
        holds(int(server.info(witness, "stats")["total_connections_received"]) > 10000, "stats")


FEW_DESCRIPTORS = 64


def running_out_of_descriptors_passes(server):
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(server.client())
        same(first("PING"), "PONG")
        crowd = [server.client() for _ in range(2 * FEW_DESCRIPTORS)]
        time.sleep(0.2)
        cpu = server.cpu_seconds()
        time.sleep(1)
        cpu = server.cpu_seconds() - cpu
        holds(cpu < 0.1, f"{cpu:.2f} s of CPU in 1 s without descriptors")
        same(first("PING"), "PONG")
        for c in crowd:
            c.close()
        with server.client() as late:
            same(late("PING"), "PONG")


# ---- idling --------------------------------------------------------------------------------------

IDLE_SECONDS = 5
# A core wakes for the expiry timer of its shards and for the limit of its sleep, both every 100 ms.
CORE_WAKES_PER_SECOND = 20


def idle_costs_next_to_nothing(server):
    with server.client() as c:
        same(c("PING"), "PONG")
        time.sleep(0.5)
        cpu, switches = server.cpu_seconds(), server.switches()
        time.sleep(IDLE_SECONDS)
        cpu = server.cpu_seconds() - cpu
        now = server.switches()
    grown = {task: count - switches.get(task, 0) for task, count in now.items()}
    cores = [count for (_, name), count in grown.items() if name.startswith("tpc-core")]
    # The warden looks once or twice for each time that a core wakes.
    wardens = [count for (_, name), count in grown.items() if name == "tpc-warden"]
    ours = ("tpc-core", "tpc-warden")
    others = [count for (_, name), count in grown.items() if not name.startswith(ours)]
    share = 100 * cpu / IDLE_SECONDS
    figures = f"{share:.1f} % of a CPU, wakes in {IDLE_SECONDS} s: cores {cores}, warden {wardens}, others {others}"
    holds(share < 1, figures)
    holds(all(wakes <= CORE_WAKES_PER_SECOND * IDLE_SECONDS + 5 for wakes in cores), figures)
    holds(sum(wardens) <= 3 * sum(cores) + 5, figures)
    holds(sum(others) <= IDLE_SECONDS, figures)
    return figures


BEHAVIOUR = [
    idle_costs_next_to_nothing,
    redis_cli,
    redis_benchmark,
    values_of_all_sizes,
    binary_keys,
    frames_in_pieces,
    pipelines_of_a_thousand,
    order_under_load,
    reads_are_exact_to_the_lifetime,
    the_timer_forgets_what_nobody_asks_for,
    malformed_input_ends_its_connection_only,
    random_bytes_hurt_nobody,
    announced_sizes_are_not_allocated,
    unread_replies_are_not_buffered,
    clients_that_die_in_a_frame,
    ten_thousand_connections,
]


# ---- the end of a server -------------------------------------------------------------------------


def expect_clean_end(server, how):
    code, text = server.stop(how)
    holds("draining\n" in text, f"no word about draining: {text!r}")
    report = re.search(r"(\d+) finished, 0 rejected, 0 abandoned, 0 panics, 0 restarts\n", text)
    holds(report, f"no clean report: {text!r}")
    same(code, 0, text)
    return report[0].strip()


def end_while_idle(how):
    def ends_clean_while_idle(server):
        with server.client() as c:
            same(c("PING"), "PONG")
            begun = time.monotonic()
            report = expect_clean_end(server, how)
            holds(time.monotonic() - begun < 3, "an idle server took over 3 s to end")
            holds(c.is_closed(), "a connection outlived its server")
        return report

    return ends_clean_while_idle


def end_under_load(how):
    def ends_clean_under_load(server):
        """Every reply that came before the end must be whole and right."""
        failures, replies = [], [0] * 16

        def load(number):
            try:
                with server.client() as c:
                    for n in range(1 << 40):
                        c.send(encode("INCR", f"load:{number}") * 50)
                        for step in range(50):
                            reply = c.read()
                            same(reply, n * 50 + step + 1)
                            replies[number] += 1
            except (EOFError, ConnectionResetError, BrokenPipeError) as error:
                if "half" in str(error):
                    failures.append(error)
            except Exception as error:
                failures.append(error)

        loads = [threading.Thread(target=load, args=(n,), daemon=True) for n in range(16)]
        for thread in loads:
            thread.start()
        eventually(lambda: all(replies), "some client was not served")
        report = expect_clean_end(server, how)
        for thread in loads:
            thread.join(5)
        holds(not failures, failures[:1])
        holds(int(report.split()[0]) >= sum(replies), f"{report}, but {sum(replies)} replies came")
        return report

    return ends_clean_under_load


# ---- running -------------------------------------------------------------------------------------

GROUPS = [
    (("--cores", "1", "--tokio-threads", "1"), COMMANDS + BEHAVIOUR, end_while_idle(signal.SIGINT)),
    (
        ("--shards", "4", "--cores", "1"),
        COMMANDS + [order_under_load],
        end_under_load(signal.SIGTERM),
    ),
    (
        ("--shards", "4", "--cores", "2", "--tokio-threads", "2"),
        COMMANDS + [redis_benchmark, order_under_load, the_timer_forgets_what_nobody_asks_for],
        end_under_load(signal.SIGINT),
    ),
    (
        (),
        [ping_and_echo, running_out_of_descriptors_passes],
        end_while_idle(signal.SIGTERM),
    ),
]


def run(check, server, label):
    name = check.__name__.replace("_", " ")
    begun = time.monotonic()
    try:
        detail = check(server)
    except Exception as error:
        print(f"FAIL  {label}: {name}: {error}", flush=True)
        if not isinstance(error, AssertionError):
            traceback.print_exc()
        return False
    detail = f" ({detail})" if detail else ""
    print(f"ok    {label}: {name}{detail} [{time.monotonic() - begun:.1f} s]", flush=True)
    return True


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    # So that the servers are ended on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    passed = failed = 0
    for flags, checks, end in GROUPS:
        label = " ".join(flags) or "no flags"
        few = FEW_DESCRIPTORS if running_out_of_descriptors_passes in checks else None
        try:
            server = Server(sys.argv[1], flags, few)
        except (AssertionError, OSError) as error:
            print(f"FAIL  {label}: {error}", flush=True)
            failed += 1
            continue
        try:
            for check in [*checks, end]:
                if run(check, server, label):
                    passed += 1
                else:
                    failed += 1
        finally:
            server.kill()
    print(f"{passed} passed, {failed} failed", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
