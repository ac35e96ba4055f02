"""Hints that hold for every stage, and checks of code that several stages share."""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection

from pipeline.stages.syntax import (
    called,
    calls,
    dotted,
    full_names,
    keyword,
    last_name,
    literals,
    loops,
    modules,
)
from pipeline.stages.trial import StageHint

PACKAGES = (
    "numpy", "awkward", "vector", "scipy", "pandas", "pyarrow", "sklearn", "xgboost", "hist",
    "iminuit", "threadpoolctl",
)  # fmt: skip
"""What a solution may import beside the standard library."""
NETWORK = (
    "socket", "ssl", "urllib", "http", "ftplib", "smtplib", "poplib", "imaplib", "xmlrpc",
    "requests", "httpx", "aiohttp", "urllib3", "paramiko", "fsspec", "XRootD",
)  # fmt: skip
PRINTS = 5
FILES = frozenset(
    ("open", "read_text", "write_text", "read_bytes", "write_bytes", "listdir", "scandir", "glob",
     "read_csv", "read_parquet", "read_json", "read_pickle", "read_hdf", "read_feather",
     "read_table", "to_csv", "to_parquet", "to_pickle", "to_hdf", "to_feather", "from_parquet",
     "loadtxt", "genfromtxt", "savetxt", "savez", "savez_compressed", "fromfile", "tofile",
     "memmap", "savefig", "save_model", "load_model")
)  # fmt: skip
SEEDED = frozenset(
    ("default_rng", "RandomState", "Generator", "PCG64", "Philox", "MT19937", "SFC64",
     "SeedSequence", "Random")
)  # fmt: skip
WRITTEN_DOWN = 5_000
"""Whole numbers from here on look like a count of events that somebody wrote down."""
ABSURD = 10**12
"""No number of events."""


def everywhere(stage: str) -> tuple[StageHint, ...]:
    """The hints of every stage; inspect alone may open files, with uproot."""
    opens = stage == "inspect"
    packages = (*PACKAGES, "uproot") if opens else PACKAGES
    files = () if opens else (
        StageHint("no-files", "Open no file and write none: everything you need is an argument.",
                  in_code=reads_files),
    )  # fmt: skip
    return (
        StageHint(
            "known-packages",
            "Import nothing but Python's own modules and the packages that the contract names.",
            in_code=lambda tree: strange_imports(tree, packages),
        ),
        *files,
        StageHint("no-network", "Import nothing that talks to a network.", in_code=network),
        StageHint(
            "no-hidden-errors",
            "Let errors be seen: no `except` that passes over everything in silence.",
            in_code=hidden_errors,
        ),
        StageHint(
            "little-output",
            f"Print nothing in a loop, and at most {PRINTS} lines altogether.",
            in_code=much_output,
        ),
        StageHint("seeded", "Draw no random number without a seed that you set.", in_code=unseeded),
    )


def strange_imports(tree: ast.Module, packages: Collection[str] = PACKAGES) -> str:
    """Imports that are neither of the standard library nor of `packages`."""
    known = {*packages, *sys.stdlib_module_names}
    strange = [m for m in modules(tree) if m.split(".")[0] not in known]
    return listed("imports", strange)


def network(tree: ast.Module) -> str:
    """Imports of modules that talk to a network."""
    return listed("imports", [m for m in modules(tree) if m.split(".")[0] in NETWORK])


def reads_files(tree: ast.Module) -> str:
    """Calls that read or write a file, and uproot."""
    known = full_names(tree)
    found = [name for call in calls(tree) if (name := last_name(call)) in FILES]
    full = [called(call, known) for call in calls(tree)]
    found += [name for name in full if name in ("numpy.load", "numpy.save", "pickle.load")]
    found += [m for m in modules(tree) if m.split(".")[0] == "uproot"]
    return listed("uses", found)


def hidden_errors(tree: ast.Module) -> str:
    """Handlers that catch everything and do nothing, and `contextlib.suppress` of everything."""
    handlers = [node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)]
    lines = [
        handler.lineno
        for handler in handlers
        if _catches_all(handler.type) and all(_does_nothing(each) for each in handler.body)
    ]
    suppressed = (call for call in calls(tree) if last_name(call) == "suppress")
    lines += [c.lineno for c in suppressed if any(_catches_all(a) for a in c.args)]
    return in_lines("an error is passed over in silence", lines)


def _catches_all(kind: ast.expr | None) -> bool:
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    everything = ("Exception", "BaseException")
    return any(each is None or dotted(each).split(".")[-1] in everything for each in kinds)


def _does_nothing(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    return isinstance(statement, ast.Pass | ast.Continue)


def much_output(tree: ast.Module) -> str:
    """Printing in a loop, or more often than a few times."""
    in_loops = sorted(
        {
            call.lineno
            for loop, _, _ in loops(tree)
            if not isinstance(loop, ast.comprehension)
            for call in calls(loop)
            if dotted(call.func) in ("print", "pprint")
        }
    )
    if in_loops:
        return in_lines("prints in a loop", in_loops)
    number = sum(dotted(call.func) in ("print", "pprint", "pprint.pprint") for call in calls(tree))
    return f"prints in {number} places" if number > PRINTS else ""


def unseeded(tree: ast.Module) -> str:
    """Random numbers from a state that nobody set."""
    known = full_names(tree)
    named = [(called(call, known), call) for call in calls(tree)]
    globally = any(
        name in ("numpy.random.seed", "random.seed") and call.args and not _is_none(call.args[0])
        for name, call in named
    )
    found = []
    for name, call in named:
        last = name.split(".")[-1]
        given = [*call.args, *(k.value for k in call.keywords)]
        if name.startswith(("secrets.", "uuid.", "os.urandom")):
            found.append(name)
        elif not name.startswith(("numpy.random.", "random.")) or last == "seed":
            continue
        elif last in SEEDED:
            if all(_is_none(value) for value in given):
                found.append(f"{last}() without a seed")
        elif not globally:
            found.append(name)
    return listed("uses", found)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def random_numbers(tree: ast.Module) -> str:
    """Any random number, with a seed or without."""
    known = full_names(tree)
    found = [m for m in modules(tree) if m.split(".")[0] in ("random", "secrets")]
    names = (called(call, known) for call in calls(tree))
    found += [name for name in names if name.startswith("numpy.random.")]
    return listed("uses", found)


def event_counts(tree: ast.Module) -> str:
    """Large whole numbers that are no power of ten or two: counts that somebody wrote down."""
    found = [
        str(n.value)
        for n in literals(tree)
        if isinstance(n.value, int)
        and not isinstance(n.value, bool)
        and WRITTEN_DOWN <= n.value < ABSURD
        and str(n.value).strip("0") != "1"
        and n.value & (n.value - 1)
        and n.value & (n.value + 1)
    ]
    return listed("holds the number", found)


def numbers_of_settings(tree: ast.Module, numbers: Collection[float]) -> str:
    """Numbers that stand in an argument, and in the code as well; whole numbers below 100 do not
    count, because they may mean anything."""
    wanted = {float(n) for n in numbers if n >= 100 or n != int(n)}
    found = [
        f"{n.value:g}"
        for n in literals(tree)
        if isinstance(n.value, int | float)
        and not isinstance(n.value, bool)
        and abs(n.value) < ABSURD
        and float(n.value) in wanted
    ]
    return listed("holds the number", found)


def row_loops(tree: ast.Module) -> str:
    """Row by row through pandas."""
    slow = ("iterrows", "itertuples", "applymap")
    found = [name for call in calls(tree) if (name := last_name(call)) in slow]
    found += [
        "apply(axis=1)"
        for call in calls(tree)
        if last_name(call) == "apply" and (axis := keyword(call, "axis")) is not None
        and isinstance(axis, ast.Constant) and axis.value in (1, "columns")
    ]  # fmt: skip
    return listed("uses", found)


def listed(what: str, found: Collection[str]) -> str:
    """What breaks a hint, in a few words; empty if nothing was found."""
    return f"{what} {', '.join(list(dict.fromkeys(found))[:4])}" if found else ""


def in_lines(what: str, lines: Collection[int]) -> str:
    """The same for lines of the code."""
    return f"{what} (line {', '.join(map(str, list(lines)[:4]))})" if lines else ""
