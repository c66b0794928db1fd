"""The configure file of the official tools, in every shape it has been seen or feared in."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ncp_tui.profiles.ncloud_configure import parse_ncloud_configure, read_ncloud_configure
from ncp_tui.system.paths import configure_path
from tests.tables import each_row

A, S = "ncloud_access_key_id", "ncloud_secret_access_key"
CANARY = "CANARYs3cr3tKEY0123456789abcdefABCDEFxyz"

Found = list[tuple[str, str, str]]

SHAPES: dict[str, tuple[str | bytes, Found]] = {
    "empty": ("", []),
    "only comments": ("# nothing\n; here\n", []),
    "as documented": (f"[DEFAULT]\n{A} = AK1\n{S} = SK1\n", [("DEFAULT", "AK1", "SK1")]),
    "no header": (f"{A} = AK1\n{S} = SK1\n", [("DEFAULT", "AK1", "SK1")]),
    "no spaces": (f"[DEFAULT]\n{A}=AK1\n{S}=SK1", [("DEFAULT", "AK1", "SK1")]),
    "two sections": (
        f"[DEFAULT]\n{A}=AK1\n{S}=SK1\n[project]\n{A}=AK2\n{S}=SK2\n",
        [("DEFAULT", "AK1", "SK1"), ("project", "AK2", "SK2")],
    ),
    "only a named section": (f"[project]\n{A}=AK2\n{S}=SK2\n", [("project", "AK2", "SK2")]),
    "keys above the first header": (
        f"{A}=AK1\n{S}=SK1\n[project]\n{A}=AK2\n{S}=SK2\n",
        [("DEFAULT", "AK1", "SK1"), ("project", "AK2", "SK2")],
    ),
    "DEFAULT lends nothing": (f"[DEFAULT]\n{A}=AK1\n{S}=SK1\n[project]\n{A}=AK2\n", [("DEFAULT", "AK1", "SK1")]),
    "DEFAULT comes last": (
        f"[project]\n{A}=AK2\n{S}=SK2\n[DEFAULT]\n{A}=AK1\n{S}=SK1\n",
        [("project", "AK2", "SK2"), ("DEFAULT", "AK1", "SK1")],
    ),
    "section twice": (f"[a]\n{A}=AK1\n{S}=SK1\n[a]\n{A}=AK2\n{S}=SK2\n", [("a", "AK2", "SK2")]),
    "section in two parts": (
        f"[a]\n{A}=AK1\n[b]\n{A}=AK2\n{S}=SK2\n[a]\n{S}=SK1\n",
        [("a", "AK1", "SK1"), ("b", "AK2", "SK2")],
    ),
    "key twice": (f"[a]\n{A}=AK0\n{A}=AK1\n{S}=SK1\n", [("a", "AK1", "SK1")]),
    "equals in the value": (f"[a]\n{A}=AK1\n{S}=SK=1==\n", [("a", "AK1", "SK=1==")]),
    "percent in the value": (f"[a]\n{A}=AK1\n{S}=S%K%(x)s%%\n", [("a", "AK1", "S%K%(x)s%%")]),
    "dollar in the value": (f"[a]\n{A}=AK1\n{S}=${{x}}$\n", [("a", "AK1", "${x}$")]),
    "hash and semicolon in the value": (f"[a]\n{A}=AK1\n{S}=SK#1;2\n", [("a", "AK1", "SK#1;2")]),
    "colon in the value": (f"[a]\n{A}=AK1\n{S}=SK:1\n", [("a", "AK1", "SK:1")]),
    "byte order mark": (b"\xef\xbb\xbf" + f"[DEFAULT]\n{A}=AK1\n{S}=SK1\n".encode(), [("DEFAULT", "AK1", "SK1")]),
    "utf-16 of Notepad": (f"[DEFAULT]\r\n{A}=AK1\r\n{S}=SK1\r\n".encode("utf-16"), [("DEFAULT", "AK1", "SK1")]),
    "windows lines": (f"[DEFAULT]\r\n{A} = AK1\r\n{S} = SK1\r\n", [("DEFAULT", "AK1", "SK1")]),
    "lines of an old Mac": (f"[a]\r{A}=AK1\r{S}=SK1\r", [("a", "AK1", "SK1")]),
    "quotes": (f'[a]\n{A}=AK1\n{S}="SK1"\n', []),
    "comment behind the value": (f"[a]\n{A}=AK1\n{S}=SK1  # until June\n", []),
    "colons": (f"{A}: AK1\n{S}: SK1\n", []),
    "export": (f"export {A}=AK1\nexport {S}=SK1\n", []),
    "variables of the environment": ("NCLOUD_ACCESS_KEY=AK1\nNCLOUD_SECRET_KEY=SK1\n", []),
    "tabs and indentation": (f"  [a]\n\t{A}\t=\tAK1\t\n    {S} = SK1  \n", [("a", "AK1", "SK1")]),
    "keys in upper case": (f"[a]\n{A.upper()}=AK1\n{S.upper()}=SK1\n", [("a", "AK1", "SK1")]),
    "comments between": (f"[a] # prod\n# x\n{A}=AK1\n; y\n{S}=SK1\n", [("a", "AK1", "SK1")]),
    "commented out keys": (f"[a]\n#{A}=AK0\n{A}=AK1\n{S}=SK1\n", [("a", "AK1", "SK1")]),
    "korean comment in an old encoding": (
        "# 운영\n".encode("cp949") + f"{A}=AK1\n{S}=SK1\n".encode(),
        [("DEFAULT", "AK1", "SK1")],
    ),
    "korean section": (f"[운영]\n{A}=AK1\n{S}=SK1\n", [("운영", "AK1", "SK1")]),
    "other keys and noise": (f"[a]\nregion\n=\n===\nx=1\n{A}=AK1\n{S}=SK1\n", [("a", "AK1", "SK1")]),
    "empty header": (f"[]\n{A}=AK1\n{S}=SK1\n", [("DEFAULT", "AK1", "SK1")]),
    "header left open": (f"[a\n{A}=AK1\n{S}=SK1\n", [("DEFAULT", "AK1", "SK1")]),
    "empty value does not count": (f"[a]\n{A}=AK1\n{S}=SK1\n{S}=\n", [("a", "AK1", "SK1")]),
    "only the access key": (f"[a]\n{A}=AK1\n", []),
    "only the secret key": (f"[a]\n{S}=SK1\n", []),
    "space in the access key": (f"[a]\n{A}=AK 1\n{S}=SK1\n", []),
    "control character in the secret": (f"[a]\n{A}=AK1\n{S}=SK\x1b1\n", []),
    "secret in no encoding": (f"[a]\n{A}=AK1\n{S}=SK".encode() + b"\xff1\n", []),
    "section that a terminal would obey": (f"[a\x1b[2J]\n{A}=AK1\n{S}=SK1\n", []),
    "nul bytes": (b"\x00" * 64, []),
}


@each_row("shape", SHAPES)
def test_shapes(shape: str) -> None:
    content, wanted = SHAPES[shape]
    configure = parse_ncloud_configure(content.encode() if isinstance(content, str) else content)
    found = [(section.name, section.access_key, section.secret_key.reveal()) for section in configure.sections]
    assert found == wanted
    assert all(warning.isprintable() for warning in configure.warnings)


@each_row(
    "shape",
    ["only the access key", "only the secret key", "space in the access key", "secret in no encoding"],
)
def test_keys_that_are_left_out_are_reported(shape: str) -> None:
    content = SHAPES[shape][0]
    configure = parse_ncloud_configure(content.encode() if isinstance(content, str) else content)
    assert any("is not used" in warning for warning in configure.warnings)


def test_the_gateway_is_kept_with_its_section() -> None:
    text = f"[a]\n{A}=AK1\n{S}=SK1\nncloud_api_url = https://ncloud.apigw.gov-ntruss.com\n[b]\n{A}=AK2\n{S}=SK2\n"
    configure = parse_ncloud_configure(text.encode())
    assert [section.gateway_url for section in configure.sections] == ["https://ncloud.apigw.gov-ntruss.com", None]


def test_the_user_is_told_when_other_tools_read_other_keys() -> None:
    """The official SDKs ignore headers, so the same file means another account to them."""
    text = f"[DEFAULT]\n{A}=AKIDEXAMPLE123456789\n{S}=S\n[x]\n{A}=AKIDOTHER0000000ZZZZ\n{S}=T\n"
    warnings = " ".join(parse_ncloud_configure(text.encode()).warnings)
    assert "official SDKs" in warnings
    assert "AKID…ZZZZ" in warnings
    assert "AKIDOTHER" not in warnings
    one = parse_ncloud_configure(f"[DEFAULT]\n{A}=AKIDEXAMPLE123456789\n{S}=S\n".encode())
    assert one.warnings == ()


def test_the_user_is_told_when_the_go_sdk_cuts_the_secret() -> None:
    warnings = parse_ncloud_configure(f"{A}=AK1\n{S}={CANARY}=x\n".encode()).warnings
    assert "cuts" in warnings[0]
    assert CANARY not in warnings[0]


def test_a_file_open_to_others_is_warned_about_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "configure"
    path.write_text(f"{A}=AK1\n{S}={CANARY}\n")
    path.chmod(0o644)
    configure = read_ncloud_configure(path)
    assert "0644" in configure.warnings[0]
    assert path.stat().st_mode & 0o777 == 0o644
    path.chmod(0o600)
    assert read_ncloud_configure(path).warnings == ()
    assert CANARY not in repr(configure)


def test_a_missing_file_is_empty_and_stays_missing(tmp_path: Path) -> None:
    """ncp-iam-authenticator creates it when it looks; a program that only reads must not."""
    configure = read_ncloud_configure(tmp_path / ".ncloud" / "configure")
    assert configure.sections == ()
    assert configure.warnings == ()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_or_a_pipe_is_a_warning(tmp_path: Path) -> None:
    """Opening a pipe without a writer waits for ever."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        configure = read_ncloud_configure(path)
        assert configure.sections == ()
        assert "cannot be read" in configure.warnings[0]


def test_the_file_is_in_the_home_of_the_environment(tmp_path: Path) -> None:
    assert configure_path({"HOME": str(tmp_path), "NCP_TUI_HOME": "/x"}) == tmp_path / ".ncloud" / "configure"


@given(data=st.one_of(st.binary(max_size=200), st.text("[]=#;\n aAN0\ufeff", max_size=100).map(str.encode)))
def test_no_bytes_crash_the_parser(data: bytes) -> None:
    parse_ncloud_configure(data)


@each_row(
    ("content", "said"),
    [
        (f'# x\n{A} = "AK1"\n{S} = SK1\n', ["line 2", "access key ID is in quotes"]),
        (f"{A}=AK1\n\n{S} = 'SK1'\n", ["line 3", "secret key is in quotes"]),
        (f"{A}=AK1\n{S}=SK1 # until June\n", ["line 2", "comment"]),
        (f"{A}=AK1\n{S}={S}=SK1\n", ["line 2", "a name before it"]),
        (f"{A}: AK1\n{S}: SK1\n", ["line 1 ", "line 2 ", "colon"]),
        (f"export {A}=AK1\nexport {S}=SK1\n", ["line 1 ", "line 2 ", "export"]),
        ("export NCLOUD_ACCESS_KEY=AK1\n", ["line 1 ", "export"]),
        ("\nNCLOUD_ACCESS_KEY=AK1\nNCLOUD_SECRET_KEY=SK1\n", ["line 2 ", "line 3 ", A, S]),
        (f"{A}=AK1\r{S}=SK1\r", ["bare CR"]),
    ],
)
def test_what_is_not_read_is_named_with_its_line(content: str, said: list[str]) -> None:
    """Else the keys seem to be there, and "no keys were found" is all that is said."""
    warnings = " ".join(parse_ncloud_configure(content.encode()).warnings)
    assert [each for each in said if each not in warnings] == []
    assert "AK1" not in warnings
    assert "SK1" not in warnings
