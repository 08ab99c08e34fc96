#!/usr/bin/env python3
"""What the documents say is what the program does.

usage: docs_check.py PROGRAM             checks; exit 1 and one line for everything that is wrong
       docs_check.py PROGRAM --self-test breaks copies of documents on purpose and looks whether it is noticed
       docs_check.py --write-outcomes    makes docs/outcomes.md from src/model/outcome.def
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
problems = []


def wrong(where, what):
    problems.append(f"{where}: {what}")


def text_of(path):
    return (ROOT / path).read_text()


def documents():
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("sim/*.md"), *ROOT.glob("tests/**/*.md")])


def name_of(path):
    return str(path.relative_to(ROOT))


# --- outcomes ---------------------------------------------------------------------------------------------------------------------

def outcomes():
    pattern = re.compile(r'^OUTCOME\((\d+), (\w+), (\d+), (\w+), (\w+), (\w+), (\w+), "([^"]*)"\)', re.M)
    return pattern.findall(text_of("src/model/outcome.def"))


def outcomes_page():
    lines = ["# Outcomes", "",
             "Every answer of the API that is not a plain success carries one of these codes, in `code` of a problem+json body. The table is made",
             "from `src/model/outcome.def` (`tests/docs_check.py --write-outcomes`) in the order in which the checks are made: the first that",
             "applies is the answer. `GET /problems/CODE` says the same at a running service. Refusals of strict HTTP itself (`http_...`, before",
             "there is a request) are not in it.", "",
             "| code | HTTP | decided by | who acts | outcome | retry with | what to do |", "|---|---|---|---|---|---|---|"]
    for _, code, status, hop, party, fate, retry, action in outcomes():
        lines.append(f"| `{code}` | {status} | {hop} | {party} | {fate} | {retry} | {action} |")
    return "\n".join(lines) + "\n"


def check_outcomes():
    if text_of("docs/outcomes.md") != outcomes_page():
        wrong("docs/outcomes.md", "is not what src/model/outcome.def says: run tests/docs_check.py --write-outcomes")
    played = "".join(path.read_text() for path in ROOT.glob("tests/scenarios/*.md"))
    known = {code for _, code, *_ in outcomes()}
    for code in sorted(set(re.findall(r'"code": "([a-z_]+)"', played)) - known):
        if not code.startswith("request_field_"):          # codes of single fields are not outcomes
            wrong("tests/scenarios", f"there is no outcome {code}")


# --- limits and configuration --------------------------------------------------------------------------------------------------------

def constant(path, name):
    found = re.search(rf"constexpr [\w:]+ {name} = ([^;]+);", text_of(path))
    if not found:
        wrong(path, f"no constant {name}, which docs/limits.md is checked against")
        return 0
    expression = re.sub(r"std::size_t\{(\d+)\}", r"\1", found.group(1)).replace("'", "")
    return eval(expression, {"__builtins__": {}})            # a shift or product of literals from our own header


def size(count):
    for unit, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if count % unit == 0:
            return f"{count // unit} {name}"
    return str(count)


def check_limits(settings):
    body = "src/gate/request_body.h"
    expected = {
        "account id": f"{constant('src/model/account.h', 'account_name_size_max')} characters",
        "items of a batch, of an atomic group": f"{constant(body, 'batch_items_max'):,}",
        "batch body; any other body": f"{size(constant(body, 'batch_bytes_max'))}; {size(constant(body, 'body_bytes_max'))}",
        "reference; metadata": f"{constant(body, 'reference_bytes_max')} bytes; {constant(body, 'metadata_pairs_max')} pairs and "
                               f"{size(constant(body, 'metadata_bytes_max'))}",
        "hold duration": f"{settings['ledger.hold_seconds_min']} s to {settings['ledger.hold_seconds_max'] // 86400} days",
        "accounts; open holds": f"{settings['ledger.accounts_max'] // 10**6} million; {settings['ledger.open_holds_max'] // 10**6} million",
        "request queue; commands in it": f"{settings['pipeline.queue_max']:,}; {settings['pipeline.queue_items_max']:,}, then 503 `overloaded`",
        "group on disk": f"{size(settings['pipeline.group_bytes_max'])} target, at most a segment",
        "list page": str(constant("src/gate/query.h", "list_limit_max")),
    }
    rows = dict(re.findall(r"^\| ([^|]+?) \| ([^|]+?) \|", text_of("docs/limits.md"), re.M))
    for what, limit in expected.items():
        if what not in rows:
            wrong("docs/limits.md", f"no row \"{what}\"")
        elif rows[what] != limit:
            wrong("docs/limits.md", f"\"{what}\" says {rows[what]}, the code says {limit}")
    for setting in re.findall(r"`([a-z0-9]+\.[a-z0-9_]+)`", text_of("docs/limits.md")):
        if setting not in settings:
            wrong("docs/limits.md", f"there is no setting {setting}")


def check_configuration(program, settings):
    page = text_of("docs/configuration.md")
    if run(program, "config", "reference").stdout != page:
        wrong("docs/configuration.md", "is not the output of holdfast config reference")
    for setting in settings:
        if f"| `{setting}` |" not in page:
            wrong("docs/configuration.md", f"no row for {setting}")


# --- commands -----------------------------------------------------------------------------------------------------------------------

def run(program, *words):
    return subprocess.run([program, *words], capture_output=True, text=True, timeout=20)


def check_commands(program):
    """Every `holdfast ...` of the documents is a command that exists, with a verb and options that exist."""
    helps = {}
    names = re.findall(r"^  (\S+) {2,}", run(program, "help").stdout.split("Commands\n")[1], re.M)
    names.remove("help")
    for name in names:
        text = run(program, "help", name).stdout
        helps[name] = text[text.index("\n\n  holdfast") + 1:]           # behind the examples
    line_pattern = re.compile(r"(?:^|[ `/$])(?:holdfast|hf) ([a-z][a-z-]*)((?: [^`|#&>\n]*)?)")
    for path in documents():
        if path.parent.name == "format":                   # byte formats: their texts are labels, not commands
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            code = "\n".join(re.findall(r"`([^`]*)`", line)) if not line.startswith("    ") else line
            for name, rest in line_pattern.findall(code):
                where = f"{name_of(path)}:{number}"
                if name == "help":
                    topic = rest.split()[:1]
                    if topic and not topic[0].isupper() and run(program, "help", *topic).returncode != 0:
                        wrong(where, f"there is no help on {topic[0]}")
                    continue
                if name not in helps:
                    wrong(where, f"there is no command holdfast {name}")
                    continue
                words = rest.split()
                verbs = set(re.findall(rf"^  holdfast {name} ([a-z-]+)", helps[name], re.M))
                if verbs and words and re.fullmatch(r"[a-z-]+", words[0]) and not words[0].startswith("-") and words[0] not in verbs:
                    wrong(where, f"holdfast {name} has no verb {words[0]}")
                shown = f"{name} {words[0]}" if verbs and words else name
                known = helps[name]
                if verbs and words and words[0] in verbs:
                    known = re.search(rf"^  holdfast {shown}\b(.*?)(?=^  holdfast |\Z)", known, re.M | re.S).group(1)
                for option in re.findall(r"(?<!\S)(--[a-z][a-z-]*)", rest):
                    if option not in (*re.findall(r"--[a-z-]+", known), "--json", "--help"):
                        wrong(where, f"holdfast {shown} has no option {option}")


def check_simulation(program):
    """The example's figures are what the program makes of the example."""
    shown = run(program, "rail", "simulate", str(ROOT / "docs/examples/rail-log.csv")).stdout
    page = text_of("docs/rail-simulate.md")
    for line in shown.splitlines():
        if line and "    " + line.rstrip() not in page.splitlines():
            wrong("docs/rail-simulate.md", f"the example now says {line.strip()}")


# --- manual page ----------------------------------------------------------------------------------------------------------------------

def check_manual_page(program):
    page = run(program, "help", "--man").stdout
    names = re.findall(r"^\.SS holdfast (\S+)", page, re.M)
    if len(names) < 10:
        wrong("holdfast help --man", f"only {len(names)} commands")
    if shutil.which("groff"):
        rendered = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-P-c"], input=page, capture_output=True, text=True, timeout=20)
        if rendered.returncode != 0 or rendered.stderr:
            wrong("holdfast help --man", f"groff: {rendered.stderr.strip() or rendered.returncode}")
        plain = re.sub(r".\x08", "", rendered.stdout)
        for name in names:
            if f"holdfast {name.replace(chr(92), '')}" not in plain:
                wrong("holdfast help --man", f"holdfast {name} is not in what groff makes of it")
    for section in ("NAME", "SYNOPSIS", "COMMANDS", "Exit codes"):
        if f"\n.SH {section}\n" not in page:
            wrong("holdfast help --man", f"no section {section}")


# --- links ----------------------------------------------------------------------------------------------------------------------------

def anchors_of(path):
    found, fenced = set(), False
    for line in path.read_text().splitlines():
        fenced ^= line.startswith("```")
        if not fenced and re.match(r"#+ ", line):
            heading = re.sub(r"[^\w\- ]", "", line.lstrip("#").strip().lower())
            found.add(heading.replace(" ", "-"))
    return found


def check_links():
    for path in documents():
        fenced = False
        for number, line in enumerate(path.read_text().splitlines(), 1):
            fenced ^= line.startswith("```")
            if fenced or line.startswith("    "):
                continue
            for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", line)):
                if re.match(r"[a-z]+:", target):
                    continue
                file, _, anchor = target.partition("#")
                aim = (path.parent / file).resolve() if file else path
                where = f"{name_of(path)}:{number}"
                if not aim.exists():
                    wrong(where, f"the link {target} leads nowhere")
                elif anchor and anchor not in anchors_of(aim):
                    wrong(where, f"{name_of(aim)} has no heading #{anchor}")
    listed = text_of("tests/scenarios/README.md")
    for path in ROOT.glob("tests/scenarios/*.md"):
        if path.name != "README.md" and f"]({path.name})" not in listed:
            wrong("tests/scenarios/README.md", f"{path.name} is not listed")


# --- self-test --------------------------------------------------------------------------------------------------------------------------

BREAKAGES = (
    ("docs/limits.md", "| list page | 100 |", "| list page | 99 |", 'docs/limits.md: "list page" says 99, the code says 100'),
    ("docs/limits.md", "`ledger.hold_seconds_max`", "`ledger.hold_max`", "docs/limits.md: there is no setting ledger.hold_max"),
    ("docs/configuration.md", "| `http.linger_ms` |", "| `http.lingers_ms` |", "docs/configuration.md: no row for http.linger_ms"),
    ("docs/outcomes.md", "| `overloaded` |", "| `overladen` |", "docs/outcomes.md: is not what src/model/outcome.def says"),
    ("README.md", "hf account get", "hf account fetch", "holdfast account has no verb fetch"),
    ("README.md", "hf asset register", "hf assets register", "there is no command holdfast assets"),
    ("README.md", "hf serve --dev", "hf serve --develop", "holdfast serve has no option --develop"),
    ("README.md", "](docs/limits.md)", "](docs/limit.md)", "the link docs/limit.md leads nowhere"),
    ("tests/scenarios/README.md", "](05-holds.md)", "](04-key-reused.md)", "tests/scenarios/README.md: 05-holds.md is not listed"),
    ("tests/scenarios/02-overdraft.md", '"exceeds_available_debits"', '"exceeds_everything"', "tests/scenarios: there is no outcome exceeds_everything"),
)


def self_test(program):
    missed = 0
    with tempfile.TemporaryDirectory() as directory:
        place = pathlib.Path(directory)
        for name in ("docs", "src", "sim", "tests"):
            shutil.copytree(ROOT / name, place / name)
        for path in [*ROOT.glob("*.md"), ROOT / "LICENSE"]:
            shutil.copy(path, place)
        for name, old, new, expected in BREAKAGES:
            sound = (place / name).read_text()
            if old not in sound:
                print(f"self-test: {name} no longer holds {old}", file=sys.stderr)
                missed += 1
                continue
            (place / name).write_text(sound.replace(old, new))
            said = subprocess.run([sys.executable, place / "tests/docs_check.py", program], capture_output=True, text=True, timeout=60)
            (place / name).write_text(sound)
            if said.returncode != 1 or expected not in said.stderr:
                print(f"self-test: not noticed: {expected}\n{said.stderr}", file=sys.stderr)
                missed += 1
    print(f"{len(BREAKAGES)} breakages, {missed} not noticed")
    return 1 if missed else 0


def main():
    if sys.argv[1:] == ["--write-outcomes"]:
        (ROOT / "docs/outcomes.md").write_text(outcomes_page())
        return 0
    if len(sys.argv) == 3 and sys.argv[2] == "--self-test":
        return self_test(sys.argv[1])
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    program = sys.argv[1]
    settings = json.loads(run(program, "config", "show", "--json").stdout)
    check_outcomes()
    check_limits(settings)
    check_configuration(program, settings)
    check_commands(program)
    check_simulation(program)
    check_manual_page(program)
    check_links()
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(documents())} documents, {len(outcomes())} outcomes, {len(settings)} settings: "
          + (f"{len(problems)} problems" if problems else "all is as they say"))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
