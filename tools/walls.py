#!/usr/bin/env python3
"""The walls between the rooms (design, section 4), checked by a machine.

    walls.py --rooms FILE --source DIR --build DIR includes
    walls.py --rooms FILE --source DIR --build DIR symbols
    walls.py --rooms FILE --source DIR --build DIR self-test --compiler CXX

includes   every #include "room/..." under src/ROOM names a room that ROOM may use
symbols    the pure rooms reach no clock, file, socket, thread or random source
self-test  breaks every rule on purpose, in a temporary directory, and fails unless each break is found

The third wall, the link probe of a room, is a build target of its own (cmake/room.cmake, probe_ROOM); the self-test
proves here that it does its job. FILE is written by CMake from the holdfast_room lines: `room: used used ...`.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

EVERYTHING = "*"

# Who may use whom at most. A holdfast_room line may ask for less, never for more.
ALLOWED = {
    "base": set(),
    "model": {"base"},
    "crypto": {"base"},
    "intake": {"base", "model", "crypto"},
    "core": {"base", "model"},
    "explain": {"base", "model"},
    "audit": {"base", "model", "crypto"},
    "wire": {"base"},
    # trial reads messages (wire) with keys the doctor read (intake); neither of the two may see the other.
    "trial": {"base", "model", "crypto", "wire", "intake"},
    "io": {"base"},
    # store hashes what it writes: journal bodies and snapshots carry SHA-256.
    "store": {"base", "model", "crypto", "audit", "io"},
    "custody": {"base", "model", "crypto", "io"},
    # gate tries imported keys on captured messages before it makes a command of them.
    "gate": {"base", "model", "crypto", "wire", "intake", "trial"},
    "effects": {"base", "model", "crypto", "wire", "io", "custody", "intake"},
    "edge": {"base", "model", "wire", "io", "gate"},
    "observe": {"base", "model", "io", "wire"},
    "node": EVERYTHING,
}

PURE = ("core", "model", "audit", "intake", "trial", "explain")

# Inside a room: files under the first folder never include a file under the second.
INNER_WALLS = [
    ("core/ledger", "core/transfer"),
    ("core/routing", "core/transfer"),
    ("core/registry", "core/transfer"),
    ("core/protection", "core/transfer"),
    ("core/ledger", "core/invariant"),
]

# System headers whose inline code or instructions could slip past the symbols. Tests of a pure room may use them.
IMPURE_HEADERS = re.compile(
    r"^(chrono|ctime|time\.h|random|thread|mutex|shared_mutex|condition_variable|future|semaphore|barrier|latch|fstream|iostream"
    r"|filesystem|unistd\.h|fcntl\.h|pthread\.h|poll\.h|netdb\.h|sys/.*|arpa/.*|netinet/.*|openssl/rand\.h)$"
)
IMPURE_INSTRUCTIONS = re.compile(r"\b(_*rdtscp?|_rdrand\d*_step|_rdseed\d*_step|__builtin_ia32_rd\w+|asm|__asm__|syscall)\b\s*(?:volatile)?\s*\(")

# Undefined symbols (demangled, without arguments) that a pure room must not have. Anchored at both ends.
FORBIDDEN = {
    "clock": r"clock|time|gettimeofday|ftime|times|timespec_get|clock_\w+|localtime(_r)?|mktime|timer_\w+|timerfd_\w+"
    r"|std::chrono::.*::now|std::chrono::.*(current_zone|get_tzdb).*",
    "waiting": r"sleep|usleep|nanosleep|alarm|setitimer|pause|std::this_thread::.*",
    "file": r"open(at)?(64)?|creat(64)?|(__)?read|(__)?(pread|pwrite|preadv|pwritev)(2|64)?|write|readv|writev|close|l?f?stat(64|x)?|statx|fstatat(64)?"
    r"|access|faccessat|unlink(at)?|rename(at2?)?|mkdir(at)?|rmdir|link(at)?|symlink(at)?|truncate(64)?|ftruncate(64)?|fsync|fdatasync"
    r"|posix_fallocate(64)?|fallocate(64)?|lseek(64)?|opendir|readdir(64)?|mmap(64)?|munmap|dup[23]?|pipe2?|fcntl(64)?|ioctl|flock"
    r"|fopen(64)?|fdopen|freopen(64)?|tmpfile(64)?|mkstemp(64)?|f(read|write|puts|putc|gets|getc|flush|close|seeko?(64)?)|(__)?(v?[fd]?printf)(_chk)?"
    r"|puts|putchar|putc|perror|getc|getchar|getline|remove|syslog|syscall"
    r"|std::(basic_)?[iof]*stream.*::open.*|std::(basic_)?(filebuf|fstream|ifstream|ofstream)\b.*|std::filesystem::.*|std::c(out|err|in|log)"
    r"|std::ios_base::Init::.*",
    "environment": r"(secure_)?getenv|setenv|putenv|environ|getpid|gethostname|uname|sysconf|getuid|geteuid|system|popen|fork|vfork|exec\w+|posix_spawnp?|kill|raise"
    r"|signal|sigaction|dlopen|dlsym",
    "socket": r"socket|socketpair|connect|bind|listen|accept4?|send(to|msg|mmsg|file)?(64)?|recv(from|msg|mmsg)?|getaddrinfo|gethostby\w+|poll|ppoll|select|pselect"
    r"|epoll_\w+|eventfd|shutdown|[gs]etsockopt",
    "thread": r"pthread_\w+|thrd_\w+|mtx_\w+|cnd_\w+|sem_\w+|std::(j?thread|mutex|timed_mutex|recursive_mutex|shared_mutex|condition_variable\w*|future|promise"
    r"|__future_base)\b.*|std::__condvar.*|std::__atomic_futex.*|std::terminate_thread",
    "random": r"getrandom|getentropy|rand(_r)?|srand|random(_r)?|srandom|[dejlmn]rand48|srand48|arc4random\w*|std::random_device::.*|RAND_\w+|randombytes\w*",
}
FORBIDDEN = {kind: re.compile("^(?:" + pattern + ")$") for kind, pattern in FORBIDDEN.items()}

# The one place that may end the process writes its last sentence (base/check.cc).
LAST_WORDS = "check.cc.o"

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')
COMMENT = re.compile(r"//.*$")


def read_rooms(path):
    rooms = {}
    for line in Path(path).read_text().splitlines():
        name, _, used = line.partition(":")
        rooms[name.strip()] = used.split()
    return rooms


def is_test(path):
    return path.stem.endswith("_test")


def check_rooms(rooms, source):
    """The list itself: no more than the design allows, nothing upward, no folder without a line."""
    broken = []
    seen = []
    for room, used in rooms.items():
        if room not in ALLOWED:
            broken.append(f"CMakeLists.txt: room {room} is not in the design's list")
        for other in used:
            if other not in seen:
                broken.append(f"CMakeLists.txt: room {room} uses {other}, which does not stand above it")
            elif ALLOWED.get(room) != EVERYTHING and other not in ALLOWED.get(room, set()):
                broken.append(f"CMakeLists.txt: room {room} must not use {other}")
        seen.append(room)
    for folder in sorted((source / "src").iterdir()):
        if folder.is_dir() and folder.name not in rooms and any(folder.rglob("*.cc")):
            broken.append(f"src/{folder.name}: a room without a holdfast_room line")
    return broken


def check_file(path, rooms, source):
    broken = []
    inside = path.relative_to(source / "src")
    room = inside.parts[0]
    test = is_test(path)
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        where = f"{path.relative_to(source)}:{number}"
        if room in PURE and not test and IMPURE_INSTRUCTIONS.search(COMMENT.sub("", line)):
            broken.append(f"{where}: a pure room reaches past its symbols: {line.strip()}")
        found = INCLUDE.match(line)
        if not found:
            continue
        quote, included = found.groups()
        target = included.split("/")[0]
        if quote == "<":
            if room in PURE and not test and IMPURE_HEADERS.match(included):
                broken.append(f"{where}: a pure room must not include <{included}>")
            if target in rooms and (source / "src" / included).exists():
                broken.append(f"{where}: write \"{included}\" with quotes")
            continue
        if target not in ALLOWED and target not in rooms:
            broken.append(f"{where}: \"{included}\" does not start with a room")
            continue
        if ".." in included.split("/"):
            broken.append(f"{where}: \"{included}\" climbs out of its folder")
        if not (source / "src" / included).is_file():
            broken.append(f"{where}: there is no src/{included}")
        if target != room and target not in rooms.get(room, []):
            broken.append(f"{where}: room {room} must not include \"{included}\"")
        for here, there in INNER_WALLS:
            if not test and str(inside).startswith(here + "/") and included.startswith(there + "/"):
                broken.append(f"{where}: {here} must not include \"{included}\"")
        if not test and Path(included).stem.endswith("_test"):
            broken.append(f"{where}: only tests may include \"{included}\"")
    return broken


def check_includes(rooms, source):
    broken = check_rooms(rooms, source)
    for room in rooms:
        for path in sorted((source / "src" / room).rglob("*")):
            if path.suffix in (".h", ".cc", ".def", ".inc"):
                broken += check_file(path, rooms, source)
    return broken


class Member:
    """One object file of an archive: what it defines and what it needs (mangled names)."""

    def __init__(self, archive, name):
        self.archive, self.name = archive, name
        self.defined, self.undefined = set(), set()


def read_archive(path):
    listing = subprocess.run(["nm", "--print-file-name", "--no-sort", str(path)], capture_output=True, text=True)
    if listing.returncode != 0:
        sys.exit(f"walls: nm cannot read {path}: {listing.stderr.strip()}")
    members = {}
    for line in listing.stdout.splitlines():
        place, _, rest = line.rpartition(":")
        name = place[len(str(path)) + 1 :] if place.startswith(str(path)) else place
        fields = rest.split()
        if len(fields) < 2:
            continue
        member = members.setdefault(name, Member(path.name, name))
        kind, symbol = fields[-2], fields[-1]
        (member.undefined if kind in ("U", "w") else member.defined).add(symbol.split("@")[0])
    return list(members.values())


def demangle(symbols):
    if not symbols:
        return {}
    ordered = sorted(symbols)
    done = subprocess.run(["c++filt"], input="\n".join(ordered) + "\n", capture_output=True, text=True, check=True)
    return dict(zip(ordered, done.stdout.splitlines()))


def bare(name):
    """A demangled name without its arguments and qualifiers: what the patterns are written against."""
    name = re.sub(r"\[abi:\w+\]", "", name).replace("std::__cxx11::", "std::")
    return name.split("(")[0].strip()


def is_ours(member):
    return member.name != LAST_WORDS


def forbidden_kind(symbol, plain):
    name = bare(plain)
    # A member or namespace of ours may be called open or time; C functions are not mangled.
    for kind, pattern in FORBIDDEN.items():
        if pattern.match(name) and (not symbol.startswith("_Z") or name.startswith("std::")):
            return kind
    return None


def check_symbols(rooms, build):
    """From every object of a pure room, along the calls into the rooms it uses, to whatever nobody of us defines."""
    archives = {}
    for room in rooms:
        path = build / f"libhf_{room}.a"
        if path.exists():
            archives[room] = read_archive(path)
    names = demangle({s for members in archives.values() for member in members for s in member.undefined})
    definer = {}
    for members in archives.values():
        for member in members:
            for symbol in member.defined:
                definer.setdefault(symbol, member)
    broken = []
    for room in PURE:
        came_from = {id(member): (member, None) for member in archives.get(room, [])}
        queue = list(archives.get(room, []))
        while queue:
            member = queue.pop(0)
            if not is_ours(member):
                continue
            for symbol in sorted(member.undefined):
                other = definer.get(symbol)
                if other is not None:
                    if id(other) not in came_from:
                        came_from[id(other)] = (other, member)
                        queue.append(other)
                    continue
                kind = forbidden_kind(symbol, names[symbol])
                if kind is None:
                    continue
                way, step = [], member
                while step is not None:
                    way.append(f"{step.archive}({step.name})")
                    step = came_from[id(step)][1]
                broken.append(f"{room} reaches {names[symbol]} ({kind}): " + " <- ".join(way))
    return broken, sorted(archives)


# --- proof that the walls stand ---------------------------------------------------------------------------------------


class Yard:
    """A small house in a temporary directory, to break rules in."""

    def __init__(self, root):
        self.root = Path(root)
        self.source, self.build = self.root / "house", self.root / "built"
        self.rooms = {"base": [], "model": ["base"], "core": ["base", "model"], "io": ["base"]}
        for room in self.rooms:
            self.put(f"src/{room}/wall.h", "#pragma once\n")
            self.put(f"src/{room}/wall.cc", f'#include "{room}/wall.h"\nint {room}_stands() {{ return 1; }}\n')
        self.put("src/core/transfer/saga.h", "#pragma once\n")
        self.build.mkdir()

    def put(self, name, text):
        path = self.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def archive(self, compiler, room, files):
        objects = []
        for name, text in files.items():
            path = self.root / f"{room}_{name}"
            objects.append(self.root / f"{name}.o")
            if path.exists() and path.read_text() == text:
                continue
            path.write_text(text)
            subprocess.run([compiler, "-std=c++20", "-O0", "-c", str(path), "-o", str(objects[-1])], check=True)
        library = self.build / f"libhf_{room}.a"
        library.unlink(missing_ok=True)
        subprocess.run(["ar", "rcs", str(library)] + [str(o) for o in objects], check=True)


INCLUDE_BREAKS = [
    # what, file, its text, part of the sentence that must be found
    ("a room above", "src/core/ledger/bad.cc", '#include "io/wall.h"\n', 'core must not include "io/wall.h"'),
    ("a room above, in a test", "src/core/ledger/bad_test.cc", '#include "io/wall.h"\n', 'core must not include "io/wall.h"'),
    ("with blanks in the directive", "src/base/bad.h", '  #  include "model/wall.h"\n', 'base must not include "model/wall.h"'),
    ("a room in angle brackets", "src/core/bad.h", "#include <io/wall.h>\n", "with quotes"),
    ("transfer from ledger", "src/core/ledger/bad.cc", '#include "core/transfer/saga.h"\n', "core/ledger must not include"),
    ("transfer from routing", "src/core/routing/bad.h", '#include "core/transfer/saga.h"\n', "core/routing must not include"),
    ("transfer from registry", "src/core/registry/bad.h", '#include "core/transfer/saga.h"\n', "core/registry must not include"),
    ("transfer from protection", "src/core/protection/bad.h", '#include "core/transfer/saga.h"\n', "core/protection must not"),
    ("a neighbour without its room", "src/core/bad.cc", '#include "wall.h"\n', "does not start with a room"),
    ("a way around", "src/core/bad.cc", '#include "core/../io/wall.h"\n', "climbs out"),
    ("a file that is not there", "src/core/bad.cc", '#include "base/gone.h"\n', "there is no src/base/gone.h"),
    ("a test's header from outside tests", "src/core/bad.cc", '#include "core/story_test.h"\n', "only tests"),
    ("a clock's header", "src/core/bad.cc", "#include <chrono>\n", "must not include <chrono>"),
    ("the cycle counter", "src/model/bad.cc", "long now() { return (long)__builtin_ia32_rdtsc(); }\n", "past its symbols"),
    ("a room without a line", "src/shed/wall.cc", "int shed_stands() { return 1; }\n", "without a holdfast_room line"),
]

SYMBOL_BREAKS = [
    ("clock_gettime", "#include <ctime>\nlong f() { timespec t; clock_gettime(CLOCK_REALTIME, &t); return t.tv_sec; }\n"),
    ("std::chrono", "#include <chrono>\nlong f() { return std::chrono::steady_clock::now().time_since_epoch().count(); }\n"),
    ("time", "#include <ctime>\nlong f() { return std::time(nullptr); }\n"),
    ("fopen", "#include <cstdio>\nvoid* f() { return std::fopen(\"x\", \"r\"); }\n"),
    ("open", "#include <fcntl.h>\nint f() { return ::open(\"x\", 0); }\n"),
    ("std::ofstream", "#include <fstream>\nvoid f() { std::ofstream out(\"x\"); out << 1; }\n"),
    ("printf", "#include <cstdio>\nvoid f(int n) { std::printf(\"%d\", n); }\n"),
    ("socket", "#include <sys/socket.h>\nint f() { return ::socket(1, 1, 0); }\n"),
    ("pthread_create", "#include <pthread.h>\nint f(pthread_t* t) { return pthread_create(t, nullptr, nullptr, nullptr); }\n"),
    ("std::thread", "#include <thread>\nvoid f() { std::thread([] {}).join(); }\n"),
    ("std::mutex", "#include <mutex>\nstd::mutex m;\nvoid f() { m.lock(); }\n"),
    ("getrandom", "#include <sys/random.h>\nlong f(void* p) { return getrandom(p, 8, 0); }\n"),
    ("rand", "#include <cstdlib>\nint f() { return std::rand(); }\n"),
    ("std::random_device", "#include <random>\nunsigned f() { std::random_device d; return d(); }\n"),
    ("getenv", "#include <cstdlib>\nchar* f() { return std::getenv(\"HOME\"); }\n"),
]

PURE_ENOUGH = """
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>
struct Door { int open(); int time(); };
int f(Door& d, std::vector<std::string>& v, std::map<int, std::string>& m) {
  v.push_back("x"); m[1] = std::to_string(v.size());
  static std::string once = m[1];
  if (v.empty()) std::abort();
  return d.open() + d.time() + static_cast<int>(once.size());
}
"""

PROBE_PROJECT = """
cmake_minimum_required(VERSION 3.25)
project(probe LANGUAGES CXX)
find_package(Threads REQUIRED)
include({room})
holdfast_room(base)
holdfast_room(model USES base)
"""


def prove_probes(yard, cmake_dir, compiler):
    """Two rooms through the real cmake/room.cmake: the probe of the lower one must fail once it calls upward."""
    proof = yard.root / "probe"
    (proof / "cmake").mkdir(parents=True)
    for name in ("room.cmake", "empty_main.cc"):
        shutil.copy(cmake_dir / name, proof / "cmake" / name)
    (proof / "CMakeLists.txt").write_text(PROBE_PROJECT.format(room="cmake/room.cmake"))
    for room in ("base", "model"):
        (proof / "src" / room).mkdir(parents=True)
    upward = proof / "src/base/ground.cc"
    upward.write_text("int ground() { return 1; }\n")
    (proof / "src/model/roof.cc").write_text("int ground();\nint roof() { return ground() + 1; }\n")
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []

    def build(target):
        return subprocess.run(["cmake", "--build", str(proof / "out"), "--target", target], capture_output=True, text=True)

    configured = subprocess.run(
        ["cmake", "-S", str(proof), "-B", str(proof / "out"), f"-DCMAKE_CXX_COMPILER={compiler}"] + generator,
        capture_output=True, text=True)
    if configured.returncode != 0:
        return [f"the probe project does not configure: {configured.stderr.strip()}"]
    failures = []
    for target in ("probe_base", "probe_model"):
        if build(target).returncode != 0:
            failures.append(f"{target} fails although every call is allowed")
    upward.write_text("int roof();\nint ground() { return roof(); }\n")
    if build("hf_base").returncode != 0:
        failures.append("a call upward should compile, so that only the probe can find it")
    found = build("probe_base")
    if found.returncode == 0:
        failures.append("a call upward links: the probe of base found nothing")
    elif "roof" not in found.stdout + found.stderr:
        failures.append("the probe of base failed without naming the call upward")
    return failures


def self_test(compiler, cmake_dir):
    failures, proven = [], 0

    def expect(what, broken, sentence):
        nonlocal proven
        proven += 1
        if not any(sentence in line for line in broken):
            failures.append(f"not found: {what} (looked for '{sentence}' in {broken})")

    def expect_clean(what, broken):
        nonlocal proven
        proven += 1
        if broken:
            failures.append(f"found where nothing is wrong: {what}: {broken}")

    with tempfile.TemporaryDirectory(prefix="holdfast-walls-") as root:
        yard = Yard(Path(root) / "a")
        expect_clean("an unbroken house", check_includes(yard.rooms, yard.source))
        yard.put("src/core/transfer/fine.cc", '#include "core/transfer/saga.h"\n#include "base/wall.h"\n#include <vector>\n')
        expect_clean("includes as allowed", check_includes(yard.rooms, yard.source))
        (yard.source / "src/core/story_test.h").write_text("#pragma once\n")
        for what, name, text, sentence in INCLUDE_BREAKS:
            yard.put(name, text)
            expect(what, check_includes(yard.rooms, yard.source), sentence)
            shutil.rmtree(yard.source / "src/shed", ignore_errors=True)
            (yard.source / name).unlink(missing_ok=True)
        expect_clean("the house after every break was undone", check_includes(yard.rooms, yard.source))
        asks = dict(yard.rooms, core=["base", "model"], crypto=["base", "model"])
        expect("a line that asks for too much", check_includes(asks, yard.source), "crypto must not use model")
        late = {"model": ["base"], "base": [], "core": [], "io": []}
        expect("a line above what it uses", check_includes(late, yard.source), "does not stand above it")
        expect("a room nobody designed", check_includes(dict(yard.rooms, attic=[]), yard.source), "not in the design's list")

        yard.archive(compiler, "core", {"fine.cc": PURE_ENOUGH})
        expect_clean("a pure room", check_symbols(yard.rooms, yard.build)[0])
        for what, text in SYMBOL_BREAKS:
            yard.archive(compiler, "core", {"fine.cc": PURE_ENOUGH, "bad.cc": text})
            expect(f"a pure room that uses {what}", check_symbols(yard.rooms, yard.build)[0], "core reaches")
        yard.archive(compiler, "core", {"bad.cc": "long stamp();\nlong f() { return stamp(); }\n"})
        yard.archive(compiler, "base", {"stamp.cc": SYMBOL_BREAKS[0][1].replace("long f()", "long stamp()")})
        expect("a clock behind another room", check_symbols(yard.rooms, yard.build)[0], "libhf_base.a(stamp.cc.o) <- libhf_core.a")
        proven += 4
        failures += prove_probes(yard, cmake_dir, compiler)
    for failure in failures:
        print(f"walls: {failure}")
    print(f"walls: {proven} proofs, {len(failures)} failed")
    return 1 if failures else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", required=True, help="list of rooms written by CMake")
    parser.add_argument("--source", type=Path, required=True, help="root of the source tree")
    parser.add_argument("--build", type=Path, required=True, help="build directory with the libraries")
    parser.add_argument("check", choices=["includes", "symbols", "self-test"])
    parser.add_argument("--compiler", default=os.environ.get("CXX", "c++"))
    arguments = parser.parse_args()
    if arguments.check == "self-test":
        return self_test(arguments.compiler, arguments.source / "cmake")
    rooms = read_rooms(arguments.rooms)
    if arguments.check == "includes":
        broken = check_includes(rooms, arguments.source)
        told = f"{len(rooms)} rooms"
    else:
        broken, seen = check_symbols(rooms, arguments.build)
        told = "archives of " + " ".join(room for room in PURE if room in seen)
    for line in broken:
        print(f"walls: {line}")
    print(f"walls: {arguments.check}: {told}, {len(broken)} broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
