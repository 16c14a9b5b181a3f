"""Shell completion of `gansweep`: the scripts of bash, zsh and fish, and the words that they offer.

The scripts call `gansweep completion words WORD...`, with the words typed so far, the last one unfinished. It prints
one candidate per line: a command, an option of a command, or for `train` what Hydra proposes for the settings.
Without candidates the shell completes file names.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress

from gansweep.commands import COMMANDS, run
from gansweep.console import command_name, exit_code, say

SCRIPTS = {
    "bash": """\
_gansweep() {
    local IFS=$'\\n' line="${COMP_LINE:0:$COMP_POINT}" word
    local words; IFS=$' \\t\\n' read -ra words <<< "$line"
    [[ "$line" == *[[:space:]] ]] && words+=("")
    word="${words[${#words[@]}-1]}"
    COMPREPLY=($(gansweep completion words "${words[@]:1}" 2> /dev/null))
    # bash splits words at = and :, so the part before the last of them must not be inserted again
    local before="${word%"${word##*[=:]}"}"
    COMPREPLY=("${COMPREPLY[@]#"$before"}")
    [[ ${#COMPREPLY[@]} == 1 && "${COMPREPLY[0]}" == *[=./] ]] && compopt -o nospace
    return 0
}
complete -o default -F _gansweep gansweep
""",
    "zsh": """\
#compdef gansweep
_gansweep() {
    local -a candidates
    candidates=("${(@f)$(gansweep completion words "${(@)words[2,CURRENT]}" 2> /dev/null)}")
    candidates=(${candidates:#})
    if (( ${#candidates} )); then
        compadd -Q -S '' -- ${(M)candidates:#*[=./]}
        compadd -Q -- ${candidates:#*[=./]}
    else
        _files
    fi
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _gansweep gansweep
""",
    "fish": """\
function __gansweep_words
    set -l words (commandline -opc) (commandline -ct)
    gansweep completion words $words[2..-1] 2> /dev/null
end
complete -c gansweep -a '(__gansweep_words)'
""",
}
INSTALL = {
    "bash": 'eval "$(gansweep completion bash)"   in ~/.bashrc',
    "zsh": 'eval "$(gansweep completion zsh)"    in ~/.zshrc',
    "fish": "gansweep completion fish | source    in ~/.config/fish/config.fish",
}
TRAIN_OPTIONS = ("--cfg", "--config-dir", "--help", "--hydra-help", "--info", "--multirun", "--resolve", "--version")
OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a script or candidates, and return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["words"]:  # not by argparse: the words contain options
        return exit_code(lambda: say("\n".join(candidates(words[1:]))))
    options = _parser().parse_args(words)
    say(SCRIPTS[options.shell], end="")
    return 0


def candidates(words: Sequence[str]) -> list[str]:
    """Return the possible replacements of the last word, sorted; empty for file names.

    Args:
        words: the words after `gansweep`; the last one is unfinished and may be empty.
    """
    *before, word = words or [""]
    if not before:
        names = [name for name in COMMANDS if name.startswith(word)]
        return names if names or not word else _settings([word])
    if before[0] == "train" or before[0] not in COMMANDS:
        return _settings([*before[before[0] == "train" :], word])
    if before[0] == "completion":
        return [shell for shell in SCRIPTS if shell.startswith(word)]
    return _options(before[0], word) if word.startswith("-") else []


def _options(name: str, word: str) -> list[str]:
    """Return the options in the help of a command."""
    with _captured() as out:
        run(name, ["--help"])
    return sorted({option for option in OPTION.findall(out.getvalue()) if option.startswith(word)})


def _settings(words: Sequence[str]) -> list[str]:
    """Return Hydra's proposals for the last of the words of a training."""
    if words[-1].startswith("-"):
        return [option for option in TRAIN_OPTIONS if option.startswith(words[-1])]
    # Hydra's query for fish prints one proposal per line.
    os.environ["COMP_LINE"] = " ".join(["gansweep", *words])
    with _captured() as out:
        run("train", ["--shell-completion", "query=fish"])
    return list(filter(None, out.getvalue().splitlines()))


@contextmanager
def _captured() -> Iterator[io.StringIO]:
    """Capture what a command prints; argparse ends with SystemExit after --help."""
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(io.StringIO()), suppress(SystemExit):
        yield out


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        command_name("completion"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Print the completion script of a shell. To install it:\n\n"
        + "\n".join(f"  {line}" for line in INSTALL.values()),
    )
    parser.add_argument("shell", choices=SCRIPTS, help="the shell")
    return parser


if __name__ == "__main__":
    sys.exit(main())
