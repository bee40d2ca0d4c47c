"""Documents that could lie, held to what exists: drivers, commands, configuration keys, errors, make targets, decisions."""

import ast
import importlib
import importlib.util
import inspect
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from pydantic import BaseModel

from drivers.registry import KINDS, build, load
from gateway import errors
from journal.notify.episode import QUIET_FROM, QUIET_UNTIL
from sync.sources.columns import TABLES

ROOT = Path(__file__).parents[1]
PROGRAMS = {"gateway": "attendance-gateway", "simulators": "attendance-sim", "journal": "attendance-journal"}
DECISION = ("Objective", "Is", "Is not", "Options", "Consequences")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@cache
def documents() -> dict[str, str]:
    """What a user reads."""
    folders = ("docs", "drivers", "systemd", "journal", "simulators", "examples", "tests", "changelog.d")
    paths = {*ROOT.glob("*.md"), *(path for folder in folders for path in ROOT.glob(f"{folder}/**/*.md"))}
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in sorted(paths)}


@cache
def commands(package: str) -> dict[str, click.Command]:
    """Every command of a program that a person can type, by its words."""
    modules = [name for name in (f"{package}.cli", f"{package}.__main__") if importlib.util.find_spec(name)]
    values = [value for name in modules for value in vars(importlib.import_module(name)).values()]
    groups = {id(value): value for value in values if isinstance(value, click.Group)}
    nested = {id(command) for group in groups.values() for command in group.commands.values()}
    roots = [group for key, group in groups.items() if key not in nested]
    assert len(roots) == 1, f"{package} has one root group, found {len(roots)}"
    return dict(walk(PROGRAMS[package], roots[0]))


def walk(words: str, group: click.Group) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    names = group.list_commands(context)
    assert names, words
    for name in names:
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from walk(f"{words} {name}", command)
        elif not command.hidden:
            yield f"{words} {name}", command


def models(pattern: str) -> Iterator[type[BaseModel]]:
    """Every pydantic model that is defined in these files."""
    for path in sorted(ROOT.glob(pattern)):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for value in vars(importlib.import_module(name)).values():
            if inspect.isclass(value) and issubclass(value, BaseModel) and value.__module__ == name:
                yield value


def keys(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items() if not field.exclude}


def names(text: str, key: str) -> bool:
    """Whether a TOML text sets a key, has a table of that name, or shows either in a comment."""
    word = re.escape(key)
    return re.search(rf"(?m)^\W*{word}\s*=|[{{,]\s*{word}\s*=|^\W*\[+(?:[\w-]+\.)*{word}[\].]", text) is not None


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))


def folder_of(kind: str) -> Path:
    return ROOT.joinpath(*KINDS[kind].partition(":")[0].split(".")[:-1])


def test_every_folder_of_a_driver_is_registered() -> None:
    assert {path.parent for path in ROOT.glob("drivers/*/driver.py")} == {folder_of(kind) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_driver_has_its_folder_and_its_place_in_the_overview(kind: str) -> None:
    needed = {"driver.py", "README.md", "sample.toml"}
    if hasattr(load(kind), "codec"):
        needed |= {"codec.py"}
    assert needed - {path.name for path in folder_of(kind).iterdir()} == set()
    assert f"`{kind}`" in "".join(documents().get(name, "") for name in ("README.md", "drivers/README.md"))


@pytest.mark.parametrize("kind", KINDS)
def test_driver_explains_and_samples_every_setting(kind: str) -> None:
    text = (folder_of(kind) / "README.md").read_text(encoding="utf-8")
    sample = (folder_of(kind) / "sample.toml").read_text(encoding="utf-8")
    settings = keys(vars(load(kind))["Settings"])
    assert {key for key in settings if f"`{key}`" not in text and not names(text, key)} == set()
    assert {key for key in settings if not names(sample, key)} == set()
    devices = tomllib.loads(sample)["devices"]
    assert devices
    for device in devices:
        assert device.pop("kind") == kind
        device.pop("id")
        build(kind, device)


@pytest.mark.parametrize("package", PROGRAMS)
def test_every_command_explains_itself_with_an_example(package: str) -> None:
    texts = {words: f"{command.help}\n{command.epilog}" for words, command in commands(package).items()}
    assert [words for words, text in texts.items() if "Example" not in text or words not in text] == []


@pytest.mark.parametrize("package", PROGRAMS)
def test_every_command_is_in_the_documents(package: str) -> None:
    text = "\n".join(documents().values()).replace(f"python -m {package} ", f"{PROGRAMS[package]} ")
    assert [words for words in commands(package) if words not in text] == []


@pytest.mark.parametrize("package", PROGRAMS)
def test_documents_name_commands_that_exist(package: str) -> None:
    known = {words.split()[1] for words in commands(package)}
    typed = re.compile(rf"(?:`|^\s+(?:\S+/)?|-u attendance -- ){PROGRAMS[package]} ([a-z][a-z-]+)", re.MULTILINE)
    for name, text in documents().items():
        assert set(typed.findall(text)) - known == set(), name


@cache
def sentences() -> dict[str, str]:
    """What the programs say, hints above all, and what their example files say."""
    examples = [path for pattern in ("config/*.toml", "drivers/*/*.toml") for path in ROOT.glob(pattern)]
    said = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in examples}
    for package in ("gateway", "drivers", "sync", "config", "journal", "simulators"):
        for path in ROOT.glob(f"{package}/**/*.py"):
            nodes = ast.walk(ast.parse(path.read_bytes()))
            strings = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
            # A comment that names a command is a promise, too.
            comments = re.findall(r"(?m)^\s*#.*", path.read_text(encoding="utf-8"))
            said[str(path.relative_to(ROOT))] = "\n".join([*strings, *comments])
    return said


@pytest.mark.parametrize("package", PROGRAMS)
def test_hints_and_examples_name_commands_that_exist(package: str) -> None:
    whole = {tuple(words.split()[1:]) for words in commands(package)}
    known = {words[:end] for words in whole for end in range(1, len(words) + 1)}
    typed = re.compile(rf"(?:['`]|\b[Ee]xample: |: |\brun ){PROGRAMS[package]}((?: [a-z][a-z-]+)+)")
    found = [(name, words.split()) for name, text in sentences().items() for words in typed.findall(text)]
    assert found
    wrong = [
        (name, " ".join(words))
        for name, words in found
        # The words of a command, then arguments; a group alone shows its commands.
        if tuple(words) not in known and not any(tuple(words[:end]) in whole for end in (1, 2))
    ]
    assert wrong == []


def typed_lines(package: str) -> Iterator[tuple[str, str]]:
    """Where a command line stands, and what is typed after the program's name; the examples of the commands, too."""
    line = re.compile(rf"\b{PROGRAMS[package]} ([a-z-]+[^`\n|>&{{'()]*)")
    examples = {words: command.epilog or "" for words, command in commands(package).items()}
    for name, text in {**documents(), **sentences(), **examples}.items():
        for typed in line.findall(text):
            yield name, re.split(r"  | #|[.,;:](?: |$)", typed)[0]


@pytest.mark.parametrize("package", PROGRAMS)
def test_every_command_line_has_options_that_exist(package: str) -> None:
    known, parsed, wrong = commands(package), 0, []
    for name, typed in typed_lines(package):
        words = typed.split()
        found = [end for end in (2, 1) if " ".join([PROGRAMS[package], *words[:end]]) in known]
        if not found:
            continue
        command = known[" ".join([PROGRAMS[package], *words[: found[0]]])]
        try:
            command.make_parser(click.Context(command)).parse_args(words[found[0] :])
            parsed += 1
        except click.NoSuchOption as error:
            wrong.append(f"{name}: {typed}: {error.message}")
        except click.BadOptionUsage:  # cut before the value
            parsed += 1
    assert wrong == []
    assert parsed > len(known)


def test_every_configuration_key_is_in_the_examples() -> None:
    examples = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.glob("config/*.example.toml"))
    examples += "".join(re.findall(r"```toml\n(.*?)```", "\n".join(documents().values()), re.DOTALL))
    known = {key for files in ("config/*.py", "journal/settings.py") for model in models(files) for key in keys(model)}
    assert known
    assert {key for key in known if not names(examples, key)} == set()


@pytest.mark.parametrize("name", ["README.md", "config/journal.example.toml"])
def test_the_hours_of_messages_are_those_of_the_code(name: str) -> None:
    assert f"from {QUIET_UNTIL:%H:%M} to {QUIET_FROM:%H:%M} by the school's clock" in read(name)


@pytest.mark.parametrize("name", TABLES)
def test_every_header_of_a_table_is_listed_in_both_languages(name: str) -> None:
    text, table = read("simulators/scenarios/sample-school/README.md"), TABLES[name]
    [english] = re.findall(rf"(?m)^\| `{name}\.csv` \| (.*?) \|", text)
    assert re.findall(r"`\[?(\w+)\]?`", english) == [column.name for column in table.columns]
    assert re.findall(r"`\[(\w+)\]`", english) == [c.name for c in table.columns if c.default is not ...]
    russian = " · ".join(f"`{column.name}` {', '.join(column.russian)}" for column in table.columns if column.russian)
    assert f"| `{name}` | {table.title} | {russian} |" in text


def test_the_example_of_a_gateway_is_good() -> None:
    example = str(ROOT / "config" / "gateway.example.toml")
    checked = CliRunner().invoke(commands("gateway")["attendance-gateway check"], [example])
    assert checked.exit_code == 0, checked.output


def test_every_error_is_in_the_tree_and_says_what_next() -> None:
    tree = errors.__doc__ or ""
    found = [
        value
        for value in vars(errors).values()
        if inspect.isclass(value) and issubclass(value, Exception) and value.__module__ == errors.__name__
    ]
    assert found
    assert [error.__name__ for error in found if not re.search(rf"\b{error.__name__}\b", tree)] == []
    assert [error.__name__ for error in found if not getattr(error, "hint", None) or not error.__doc__] == []


def test_make_targets_in_the_documents_exist() -> None:
    named = {
        (name, target)
        for name, text in documents().items()
        for target in re.findall(r"(?:`|^\s+(?:sudo )?)make ([a-z-]+)", text, re.MULTILINE)
    }
    assert {"test", "demo"} <= {target for name, target in named if name == "README.md"}
    assert {(name, target) for name, target in named if target not in targets()} == set()
    given = re.compile(r"\bmake [a-z-]+ ([A-Z]+)=")
    variables = {(name, word) for name, text in documents().items() for word in given.findall(text)}
    assert {(name, word) for name, word in variables if not re.search(rf"\b{word}\b", read("Makefile"))} == set()


def test_ci_runs_the_command_of_the_readme() -> None:
    command = read(".ci/run").strip().splitlines()[-1].removeprefix("exec ")
    assert command == "make test"
    assert command in read("README.md")


def test_every_target_is_listed_with_a_sentence() -> None:
    assert targets() == set(re.findall(r"^([a-z-]+):.*## \S+", read("Makefile"), re.MULTILINE))


@pytest.mark.parametrize("path", sorted(ROOT.glob("docs/decisions/*.md")), ids=lambda path: path.stem)
def test_decisions_have_their_parts(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", path.name)
    assert text.startswith(f"# {path.name[:4]} ")
    assert tuple(re.findall(r"^## (.+)$", text, re.MULTILINE)) == DECISION


def test_changelog_fragments_have_a_kind() -> None:
    fragments = [path.name for path in (ROOT / "changelog.d").iterdir()]
    assert fragments
    kinds = r"[a-z0-9-]+\.(added|changed|fixed|removed|security)\.md"
    assert [name for name in fragments if not re.fullmatch(kinds, name)] == []


def test_links_between_documents_lead_somewhere() -> None:
    broken = [
        f"{name}: {target}"
        for name, text in documents().items()
        for target in re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", text)
        if not (ROOT / name).parent.joinpath(target).exists()
    ]
    assert broken == []


def test_every_row_of_a_table_is_in_one() -> None:
    """A blank line ends a table: what follows is shown as bars and text."""
    lost = [
        f"{name}: {row[:40]}"
        for name, text in documents().items()
        for row in re.findall(r"(?m)(?:\A|\n\n)(\|.*\|)(?:\n(?!\|[ :|-]+\|$)|\Z)", text)
    ]
    assert lost == []
