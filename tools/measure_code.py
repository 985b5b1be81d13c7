"""Measures the language and the layout of a Python package.

One script measures every revision, so that the columns of its table can be compared:

    python tools/measure_code.py                           # the working tree
    python tools/measure_code.py --rev v0.1.0 --rev HEAD   # a column for each revision
    python tools/measure_code.py --path DIR/zuko           # a package outside the repository
    python tools/measure_code.py --names --under iidgan/engine
    python tools/measure_code.py --variables

Definitions:

* Files are the `.py` files of the package without its own tests (folders `test` and `tests`,
  files `*_test.py`); lines are all lines, blank ones included.
* The length of a function is its lines that hold code, from `def` on, without docstring,
  comments, blank lines and decorators. Nested functions count by themselves and in the outer one.
* The cyclomatic complexity is 1 plus one for each `if`, `elif`, loop, `except`, `case`,
  conditional expression, boolean operator, and each `for` and `if` of a comprehension, nested
  functions included. C901 is what ruff counts: statements only.
* Docstring lines are those of all strings that stand alone as a statement, so that the
  docstrings of attributes count. All other rows on docstrings are of classes and functions.
* A public object is a class or function whose own name has no leading underscore.
* A name is split into words at underscores, capitals and digits. Names of functions are counted
  once for each definition, without the special ones (`__init__`). Names of variables are
  counted once in the package: all assigned names and all arguments, but `_`.
* Arguments are without `self`, `cls`, `*args` and `**kwargs`.
* The words of the name of a test are those behind `test`.
* Commits are without merges.
* p90 is the value at place `int(0.9 * n)` of the sorted values, counted from 0.
"""

import argparse
import ast
import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import tokenize
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import mean, median

Function = ast.FunctionDef | ast.AsyncFunctionDef
Place = tuple[str, int]

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DOCUMENTED = (*FUNCTIONS, ast.ClassDef)
BRANCHES = (
    ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.match_case,
)  # fmt: skip
LAYOUT = (
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
    tokenize.ENDMARKER,
)  # fmt: skip

WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
ARGUMENTS = re.compile(r"^\s*\**(Args|Arguments|Parameters)\b", re.MULTILINE)
EXAMPLE = re.compile(r">>>|\bExamples?\b")

FOLDER_LIMIT = 16
LARGE_FOLDERS = {"methods", "terms", "cli"}
SUBJECT_LIMIT = 72
MISSING = "-"


@dataclass(frozen=True)
class Module:
    """A parsed source file; `name` is its path below the root that was measured."""

    name: str
    text: str
    tree: ast.Module

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the file, blank ones included."""
        return self.text.splitlines()

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All nodes of the tree."""
        return list(ast.walk(self.tree))

    @cached_property
    def tokens(self) -> list[tokenize.TokenInfo]:
        """All tokens of the file, comments included."""
        return list(tokenize.generate_tokens(io.StringIO(self.text).readline))


@dataclass(frozen=True)
class Package:
    """The modules of a package, those of its tests, and the subjects of its commits."""

    title: str
    modules: list[Module]
    tests: list[Module]
    subjects: list[str]


@dataclass(frozen=True)
class Variable:
    """Where a name is assigned and where it is an argument."""

    assigned: list[Place]
    arguments: list[Place]

    @property
    def places(self) -> list[Place]:
        """All places, in the order of files and lines."""
        return sorted(self.assigned + self.arguments)


# Reading


def is_test(path: Path) -> bool:
    """Whether a file of a package is one of its tests."""
    return bool({"test", "tests"} & set(path.parts)) or path.name.endswith("_test.py")


def read_modules(root: Path, folder: str, *, tests: bool = False) -> list[Module]:
    """Parses the files below `root / folder`; those of tests only where `tests` asks for them."""
    modules = []
    for path in sorted((root / folder).rglob("*.py")):
        name = path.relative_to(root)
        if tests or not is_test(name):
            text = path.read_text(encoding="utf-8")
            modules.append(Module(name.as_posix(), text, ast.parse(text, filename=str(path))))
    return modules


def run_git(folder: Path, *arguments: str) -> bytes:
    """Returns what a git command prints; where it fails, its own message is the last one."""
    command = ["git", "-C", str(folder), *arguments]
    result = subprocess.run(command, check=False, stdout=subprocess.PIPE)
    if result.returncode:
        sys.exit(result.returncode)
    return result.stdout


def read_subjects(folder: Path, commits: str) -> list[str]:
    """Returns the subjects of all commits of a range that are no merges."""
    log = run_git(folder, "log", "--no-merges", "--format=%s", commits)
    return log.decode(errors="replace").splitlines()


def extract_revision(repository: Path, revision: str, folders: Iterable[str], to: Path) -> None:
    """Writes those of `folders` that a revision has into the folder `to`."""
    present = [
        folder
        for folder in folders
        if run_git(repository, "ls-tree", "--name-only", revision, "--", folder)
    ]
    if present:
        archive = run_git(repository, "archive", "--format=tar", revision, "--", *present)
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(to, filter="data")


def read_revision(repository: Path, revision: str, options: argparse.Namespace) -> Package:
    """Reads the package as it is in one revision."""
    tests = options.tests or "tests"
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        extract_revision(repository, revision, (options.package, tests), root)
        return Package(
            revision,
            read_modules(root, options.package),
            read_modules(root, tests, tests=True),
            read_subjects(repository, options.commits or revision),
        )


def read_working_tree(repository: Path, options: argparse.Namespace) -> Package:
    """Reads the package as it is on the disk."""
    return Package(
        "working tree",
        read_modules(repository, options.package),
        read_modules(repository, options.tests or "tests", tests=True),
        read_subjects(repository, options.commits or "HEAD"),
    )


def read_folder(folder: Path, options: argparse.Namespace) -> Package:
    """Reads a package outside the repository, its tests and commits only where they are named."""
    tests = Path(options.tests).resolve() if options.tests else None
    return Package(
        folder.name,
        read_modules(folder.parent, folder.name),
        read_modules(tests.parent, tests.name, tests=True) if tests else [],
        read_subjects(folder, options.commits) if options.commits else [],
    )


def read_packages(options: argparse.Namespace) -> list[Package]:
    """Reads one package for each column of the table."""
    packages = []
    if options.rev or not options.path:
        repository = Path(run_git(Path.cwd(), "rev-parse", "--show-toplevel").decode().strip())
        packages = [read_revision(repository, revision, options) for revision in options.rev]
        if not packages:
            packages = [read_working_tree(repository, options)]
    packages += [read_folder(Path(folder).resolve(), options) for folder in options.path]
    for package in packages:
        if not package.modules:
            sys.exit(f"{package.title}: there are no Python files")
    return packages


# Parts of modules


def iterate_nodes(modules: Iterable[Module]) -> Iterator[tuple[Module, ast.AST]]:
    """Yields every node of every module."""
    for module in modules:
        for node in module.nodes:
            yield module, node


def find_functions(modules: Iterable[Module]) -> list[tuple[Module, Function]]:
    """Returns all functions and methods, nested ones too."""
    return [
        (module, node) for module, node in iterate_nodes(modules) if isinstance(node, FUNCTIONS)
    ]


def is_special(name: str) -> bool:
    """Whether Python gives the name its meaning, as `__init__`."""
    return name.startswith("__") and name.endswith("__")


def split_words(name: str) -> list[str]:
    """Splits a name at underscores, capitals and digits; a name is one word at least."""
    return WORD.findall(name) or [name]


def list_arguments(function: Function) -> list[ast.arg]:
    """Returns the arguments of a function that have a name of their own."""
    arguments = function.args
    named = arguments.posonlyargs + arguments.args + arguments.kwonlyargs
    return [argument for argument in named if argument.arg not in ("self", "cls")]


def is_text(node: ast.AST) -> bool:
    """Whether a statement is nothing but a string."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def list_lines(node: ast.AST) -> set[int]:
    """Returns the numbers of the lines of a node."""
    first: int = node.lineno  # type: ignore[attr-defined]
    last: int = node.end_lineno  # type: ignore[attr-defined]
    return set(range(first, last + 1))


def list_code_lines(module: Module) -> set[int]:
    """Returns the numbers of the lines that are neither blank nor a comment."""
    return {
        line
        for token in module.tokens
        if token.type not in LAYOUT
        for line in range(token.start[0], token.end[0] + 1)
    }


def find_variables(modules: Iterable[Module]) -> dict[str, Variable]:
    """Returns the places of all names that are assigned or are arguments, without `_`."""
    variables: dict[str, Variable] = {}
    for module, node in iterate_nodes(modules):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            variable = variables.setdefault(node.id, Variable([], []))
            variable.assigned.append((module.name, node.lineno))
        elif isinstance(node, FUNCTIONS):
            for argument in list_arguments(node):
                variable = variables.setdefault(argument.arg, Variable([], []))
                variable.arguments.append((module.name, argument.lineno))
    return {name: variable for name, variable in variables.items() if name.strip("_")}


# Complexity


def count_branches(function: Function) -> int:
    """Returns the cyclomatic complexity, expressions included."""
    complexity = 1
    for node in ast.walk(function):
        if isinstance(node, BRANCHES):
            complexity += 1
        elif isinstance(node, ast.BoolOp):
            complexity += len(node.values) - 1
        elif isinstance(node, ast.comprehension):
            complexity += 1 + len(node.ifs)
    return complexity


def count_statement_branches(function: Function) -> int:
    """Returns the cyclomatic complexity as rule C901 of ruff counts it."""
    return 1 + sum(count_statement(statement) for statement in function.body)


def count_statement(statement: ast.stmt) -> int:
    """Returns what a statement and those within it add to the complexity of C901."""
    count = 0
    if isinstance(statement, (ast.If, ast.For, ast.AsyncFor, ast.While, *FUNCTIONS)):
        count = 1
    elif isinstance(statement, (ast.Try, ast.TryStar)):
        count = len(statement.handlers) + bool(statement.orelse)
    elif isinstance(statement, ast.Match):
        count = len(statement.cases) - takes_everything(statement.cases[-1])
    return count + sum(count_statement(inner) for inner in list_statements(statement))


def takes_everything(case: ast.match_case) -> bool:
    """Whether a case matches every value."""
    pattern = case.pattern
    return case.guard is None and isinstance(pattern, ast.MatchAs) and pattern.pattern is None


def list_statements(node: ast.AST) -> Iterator[ast.stmt]:
    """Yields the statements directly within another one."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield child
        elif isinstance(child, (ast.ExceptHandler, ast.match_case)):
            yield from list_statements(child)


# Numbers as text


def percentage(values: Iterable[bool]) -> float:
    """Returns how many percent of the values are true, 0 if there are none."""
    values = list(values)
    return 100 * sum(values) / len(values) if values else 0.0


def ninetieth(values: Sequence[int]) -> int:
    """Returns the value that nine of ten values do not exceed."""
    return sorted(values)[int(0.9 * len(values))]


def plain(value: float) -> str:
    """Prints a median: with a digit behind the point only where it is no whole number."""
    return f"{value:.0f}" if value == int(value) else f"{value:.1f}"


def thousands(value: int) -> str:
    """Prints a number of lines in thousands."""
    return f"{value / 1000:.1f}k"


def small_percentage(value: float) -> str:
    """Prints a percentage, below one percent with a digit behind the point."""
    return f"{value:.1f}" if 0 < value < 1 else f"{value:.0f}"


# Rows of the table


def count_lines(modules: Iterable[Module]) -> int:
    """Returns the number of lines of all modules."""
    return sum(len(module.lines) for module in modules)


def measure_size(package: Package) -> str:
    """Files / lines."""
    return f"{len(package.modules)} / {thousands(count_lines(package.modules))}"


def measure_files(package: Package) -> str:
    """Median / max lines of a file."""
    lengths = [len(module.lines) for module in package.modules]
    return f"{plain(median(lengths))} / {max(lengths)}"


def count_files(package: Package) -> Counter[str]:
    """Returns the number of files of each folder."""
    return Counter(str(Path(module.name).parent.as_posix()) for module in package.modules)


def measure_folders(package: Package) -> str:
    """Files per folder, median / max."""
    counts = count_files(package).values()
    return f"{plain(median(counts))} / {max(counts)}"


def list_large_folders(package: Package) -> str:
    """Folders with too many files, without those that hold one file for each entry."""
    large = [
        f"{folder} {count}"
        for folder, count in sorted(count_files(package).items())
        if count > FOLDER_LIMIT and Path(folder).name not in LARGE_FOLDERS
    ]
    return ", ".join(large) or "none"


def measure_functions(package: Package) -> str:
    """Length of functions, median / p90 / max."""
    lengths = []
    for module in package.modules:
        code = list_code_lines(module)
        for _, function in find_functions([module]):
            text = list_lines(function.body[0]) if is_text(function.body[0]) else set()
            lengths.append(len((list_lines(function) & code) - text))
    return f"{plain(median(lengths))} / {ninetieth(lengths)} / {max(lengths)}"


def measure_complexity(package: Package, count: Callable[[Function], int]) -> str:
    """Complexity of functions, p90 / max."""
    values = [count(function) for _, function in find_functions(package.modules)]
    return f"{ninetieth(values)} / {max(values)}"


def measure_cyclomatic(package: Package) -> str:
    """Cyclomatic complexity with expressions, p90 / max."""
    return measure_complexity(package, count_branches)


def measure_statements(package: Package) -> str:
    """Cyclomatic complexity of ruff, p90 / max."""
    return measure_complexity(package, count_statement_branches)


def measure_docstring_lines(package: Package) -> str:
    """Lines of docstrings in percent of all lines."""
    lines = sum(len(list_lines(n)) for _, n in iterate_nodes(package.modules) if is_text(n))
    return f"{100 * lines / count_lines(package.modules):.1f}"


def measure_comment_lines(package: Package) -> str:
    """Comments, those behind code included, in percent of all lines."""
    comments = sum(token.type == tokenize.COMMENT for m in package.modules for token in m.tokens)
    return f"{100 * comments / count_lines(package.modules):.1f}"


def measure_coverage(package: Package) -> str:
    """Percentage of the public objects that have a docstring."""
    return f"{percentage(list_coverage(package.modules)):.0f}"


def list_coverage(modules: Iterable[Module]) -> list[bool]:
    """Returns for each public class and function whether it has a docstring."""
    return [
        ast.get_docstring(node) is not None
        for _, node in iterate_nodes(modules)
        if isinstance(node, DOCUMENTED) and not node.name.startswith("_")
    ]


def list_docstrings(modules: Iterable[Module]) -> list[str]:
    """Returns the docstrings of all classes and functions."""
    nodes = (node for _, node in iterate_nodes(modules) if isinstance(node, DOCUMENTED))
    return [text for node in nodes if (text := ast.get_docstring(node))]


def measure_docstrings(package: Package) -> str:
    """Docstrings: median of words / percentage of one line."""
    texts = list_docstrings(package.modules)
    words = median(len(text.split()) for text in texts) if texts else 0
    single = percentage("\n" not in text for text in texts)
    return f"{words:.0f} / {single:.0f}"


def measure_sections(package: Package) -> str:
    """Docstrings that describe arguments / that have an example, in percent."""
    texts = list_docstrings(package.modules)
    arguments = percentage(bool(ARGUMENTS.search(text)) for text in texts)
    examples = percentage(bool(EXAMPLE.search(text)) for text in texts)
    return f"{small_percentage(arguments)} / {small_percentage(examples)}"


def measure_types(package: Package) -> str:
    """Percentage of the arguments that have a type."""
    typed = (
        argument.annotation is not None
        for _, function in find_functions(package.modules)
        for argument in list_arguments(function)
    )
    return f"{percentage(typed):.0f}"


def measure_variables(package: Package) -> str:
    """Names of variables: letters / words."""
    names = find_variables(package.modules)
    return f"{mean(map(len, names)):.1f} / {mean(len(split_words(name)) for name in names):.2f}"


def measure_function_names(package: Package) -> str:
    """Names of functions: words / percentage of one word."""
    functions = find_functions(package.modules)
    words = [len(split_words(f.name)) for _, f in functions if not is_special(f.name)]
    return f"{mean(words):.2f} / {percentage(count == 1 for count in words):.0f}"


def measure_arguments(package: Package) -> str:
    """Arguments per function."""
    functions = find_functions(package.modules)
    return f"{mean(len(list_arguments(function)) for _, function in functions):.2f}"


def measure_dataclasses(package: Package) -> str:
    """Data classes per 1,000 lines."""
    count = sum(
        any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)
        for _, node in iterate_nodes(package.modules)
        if isinstance(node, ast.ClassDef)
    )
    return f"{1000 * count / count_lines(package.modules):.1f}"


def measure_tests(package: Package) -> str:
    """Tests: lines in relation to the package / functions / words of a name."""
    functions = find_functions(package.tests)
    names = [f.name for _, f in functions if f.name.startswith("test")]
    if not names:
        return MISSING
    ratio = count_lines(package.tests) / count_lines(package.modules)
    words = mean(len(split_words(name)) - 1 for name in names)
    return f"{ratio:.2f} / {len(names)} / {words:.1f}"


def measure_subjects(package: Package) -> str:
    """Subjects of commits: letters / percentage that is too long."""
    lengths = [len(subject) for subject in package.subjects]
    if not lengths:
        return MISSING
    return f"{mean(lengths):.0f} / {percentage(n > SUBJECT_LIMIT for n in lengths):.0f}"


ROWS: dict[str, Callable[[Package], str]] = {
    "files / lines": measure_size,
    "median / max file lines": measure_files,
    "files per folder, median / max": measure_folders,
    f"folders with more than {FOLDER_LIMIT} files": list_large_folders,
    "function length (code lines) median / p90 / max": measure_functions,
    "cyclomatic p90 / max": measure_cyclomatic,
    "cyclomatic by C901 p90 / max": measure_statements,
    "docstring lines %": measure_docstring_lines,
    "comment lines %": measure_comment_lines,
    "public objects with docstring %": measure_coverage,
    "docstring median words / one-liners %": measure_docstrings,
    "docstrings with arguments % / example %": measure_sections,
    "typed arguments %": measure_types,
    "variable name: letters / words": measure_variables,
    "function name: words / one-word %": measure_function_names,
    "arguments per function": measure_arguments,
    "dataclasses per 1k lines": measure_dataclasses,
    "tests: lines ratio / functions / words per name": measure_tests,
    f"commit subject letters / % over {SUBJECT_LIMIT}": measure_subjects,
}


# Output


def format_table(packages: Sequence[Package]) -> str:
    """Prints the Markdown table with a column for each package."""
    rows = [["", *(package.title for package in packages)], ["---"] * (len(packages) + 1)]
    rows += [[name, *(row(package) for package in packages)] for name, row in ROWS.items()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def select_modules(package: Package, under: str) -> list[Module]:
    """Returns the modules that are the path `under` or lie below it."""
    path = under.rstrip("/")
    return [m for m in package.modules if not path or f"{m.name}/".startswith(f"{path}/")]


def list_function_names(modules: Iterable[Module]) -> list[str]:
    """Prints each function whose name is one word, with its place."""
    one_word_functions = [
        (function.name, module.name, function.lineno)
        for module, function in find_functions(modules)
        if not is_special(function.name) and len(split_words(function.name)) == 1
    ]
    return [f"{name:<24} {file}:{line}" for name, file, line in sorted(one_word_functions)]


def list_variable_names(modules: Iterable[Module]) -> list[str]:
    """Prints each variable whose name is one word, the most frequent first."""
    variables = find_variables(modules)
    names = [name for name in variables if len(split_words(name)) == 1]
    names.sort(key=lambda name: (-len(variables[name].places), name))
    lines = [f"{'name':<24} {'assigned':>8} {'argument':>8}  first place"]
    for name in names:
        variable = variables[name]
        file, line = variable.places[0]
        counts = f"{len(variable.assigned):>8} {len(variable.arguments):>8}"
        lines.append(f"{name:<24} {counts}  {file}:{line}")
    return lines


def parse_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--rev", action="append", default=[], help="a revision to measure; may be repeated")
    add("--path", action="append", default=[], metavar="DIR", help="a package outside git")
    add("--package", default="iidgan", help="the folder of the package in the repository")
    add("--tests", help="the folder of the tests; with --path there is none by default")
    add("--commits", metavar="RANGE", help="the commits to measure; by default all before")
    add("--names", action="store_true", help="list the functions whose name is one word")
    add("--variables", action="store_true", help="list the variables whose name is one word")
    add("--under", default="", metavar="PATH", help="restrict --names and --variables to a path")
    options = parser.parse_args(arguments)
    if options.tests and options.path and options.rev:
        parser.error("--tests belongs either to --rev or to --path, not to both")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table, or the lists of names where they are asked for."""
    options = parse_options(arguments)
    packages = read_packages(options)
    if not (options.names or options.variables):
        print(format_table(packages))
        return
    for package in packages:
        modules = select_modules(package, options.under)
        if options.names:
            print(f"# {package.title}: functions", *list_function_names(modules), sep="\n")
        if options.variables:
            print(f"# {package.title}: variables", *list_variable_names(modules), sep="\n")


if __name__ == "__main__":
    try:
        main()
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
