"""What the two small checks accept and refuse."""

import hygiene
import licences
import pytest


@pytest.mark.parametrize(
    ("expression", "good"),
    [
        ("MIT", True),
        ("MIT OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", True),
        ("Apache-2.0 WITH LLVM-exception OR GPL-3.0-only", True),
        ("Apache-2.0 WITH Other-exception", False),
        ("Unlicense/MIT", True),
        ("GPL-3.0-only", False),
        ("", False),
        ("MIT OR", False),
    ],
)
def test_a_licence_counts_if_the_expression_can_be_satisfied(expression: str, good: bool) -> None:
    assert licences.acceptable(expression) is good


def test_paths_of_one_machine_are_found_with_their_line() -> None:
    text = "fine\nsee /" + "home/alice/x\n"
    assert hygiene.complaints("a.md", text) == ["a.md:2: a path of one machine: /" + "home/alice"]


@pytest.mark.parametrize("line", ["~/work/x", "$HOME/work/x", "src/root/x", "a key /homes/1"])
def test_relative_paths_and_keys_are_no_machine_paths(line: str) -> None:
    assert hygiene.complaints("a.md", line) == []


def test_registry_hosts_are_found() -> None:
    line = '"resolved": "https://registry.' + 'npmjs.org/x"'
    assert len(hygiene.complaints("package-lock.json", line)) == 1


@pytest.mark.parametrize("name", ["core/src/step.rs.orig", "a.rej", "fixes/0001-a.patch"])
def test_what_a_patch_has_left_behind_is_found(name: str) -> None:
    assert hygiene.left_over(name) == [f"{name}: left over from a patch"]


@pytest.mark.parametrize("name", ["core/src/origin.rs", "orig", "patch/a.rs", "a.patch.md"])
def test_other_names_are_no_leftovers(name: str) -> None:
    assert hygiene.left_over(name) == []
