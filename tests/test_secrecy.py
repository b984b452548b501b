"""The key is nowhere: not in what objects show, not in errors, not in tracebacks that show locals, not in logs."""

from __future__ import annotations

import base64
import copy
import dataclasses
import io
import json
import logging
import pickle
import pprint
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fault_server import Act, FaultServer, answer, cut, hang_up, page, raw, redirect, reset, silence

from t1data.client import Client
from t1data.config import settings_named, settings_of
from t1data.errors import T1DataError
from t1data.management import Management
from t1data.transport.key import ApiKey
from t1data.transport.retry import Limits
from t1data.transport.transport import Transport

CANARY = "t1canary-5f0c9be2a7d84c31"


def sightings(text: str) -> list[str]:
    """The forms of the canary that are in a text."""
    raw_key = CANARY.encode()
    forms = {
        "plain": CANARY,
        "base64": base64.b64encode(raw_key).decode().rstrip("=")[:-1],
        "hex": raw_key.hex(),
        "reversed": CANARY[::-1],
        "utf-16": CANARY.encode("utf-16-le").decode("latin-1"),
    }
    return [name for name, form in forms.items() if form in text]


def test_the_search_finds_what_it_looks_for():
    assert sightings(f"x{CANARY}x") == ["plain"]
    assert sightings(base64.b64encode(CANARY.encode()).decode()) == ["base64"]


# --- what objects show ------------------------------------------------------------------------------------


def attempt(show: Callable[[Any], Any]) -> Callable[[Any], str]:
    def shown(thing: Any) -> str:
        try:
            return str(show(thing))
        except Exception as error:
            return f"{error!r}{error}"

    return shown


def pretty(thing: Any) -> str:
    stream = io.StringIO()
    pprint.pprint(thing, stream=stream)
    return stream.getvalue()


SHOWN: dict[str, Callable[[Any], str]] = {
    "repr": repr,
    "str": str,
    "format": attempt(format),
    "vars": attempt(vars),
    "dir": attempt(lambda thing: [getattr(thing, name, None) for name in dir(thing)]),
    "pprint": pretty,
    "json": attempt(json.dumps),
    "json by str": attempt(lambda thing: json.dumps(thing, default=str)),
    "pickle": attempt(pickle.dumps),
    "reduce": attempt(lambda thing: thing.__reduce_ex__(4)),
    "copy": attempt(lambda thing: vars(copy.copy(thing))),
    "deepcopy": attempt(lambda thing: repr(copy.deepcopy(thing))),
    "asdict": attempt(dataclasses.asdict),
    "html": attempt(lambda thing: thing._repr_html_()),
    "mimebundle": attempt(lambda thing: thing._repr_mimebundle_()),
}


def walk(thing: Any, seen: dict[int, Any], depth: int = 0) -> Iterator[Any]:
    """All that can be reached by attributes and items, down to the objects of other packages."""
    if id(thing) in seen or depth > 6:
        return
    seen[id(thing)] = thing
    yield thing
    names = [*getattr(thing, "__dict__", {}), *getattr(type(thing), "__slots__", ())]
    inner = [getattr(thing, name, None) for name in names if isinstance(name, str)]
    inner += list(thing.values()) if isinstance(thing, dict) else []
    inner += list(thing) if isinstance(thing, list | tuple | set) else []
    for each in inner:
        yield from walk(each, seen, depth + 1)


def holders() -> list[Any]:
    url = "https://shop.talon.one"
    client = Client(url, CANARY, management_key=CANARY)
    settings = settings_of({"T1DATA_BASE_URL": url, "T1DATA_API_KEY": CANARY, "T1DATA_MANAGEMENT_KEY": CANARY})
    return [ApiKey(CANARY), client, client.management, settings, client._door, client._door._transport]


@pytest.mark.parametrize("holder", holders(), ids=lambda holder: type(holder).__name__)
@pytest.mark.parametrize("way", SHOWN)
def test_nothing_that_is_reached_from_an_object_shows_the_key(holder: Any, way: str):
    show = SHOWN[way]
    for thing in walk(holder, {}):
        assert sightings(show(thing)) == [], f"{type(thing)} by {way}"


def test_a_key_is_not_pickled_and_a_copy_of_it_is_itself():
    key = ApiKey(CANARY)
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(key)
    assert copy.deepcopy([key])[0] is copy.copy(key) is key


# --- errors -----------------------------------------------------------------------------------------------

# JSON may escape what it likes.
ESCAPED = "".join(f"\\u{ord(char):04X}" if i % 3 else char for i, char in enumerate(CANARY))
FAULTS: dict[str, Act] = {
    "401 that repeats the key": answer(
        401, {"message": f"No such key: ApiKey-v1 {CANARY}", "errors": [{"title": CANARY}]}
    ),
    "400 that repeats the key in escapes": answer(
        400, f'{{"message": "{ESCAPED}", "errors": [{{"title": "{ESCAPED}"}}]}}'.encode()
    ),
    "no JSON but the key": answer(200, CANARY.encode(), {"Content-Type": "application/json"}),
    "headers that repeat the key": answer(500, b"", {"X-Seen": CANARY, "Content-Type": f"text/plain; x={CANARY}"}),
    "content type that repeats the key": answer(200, b"x", {"Content-Type": CANARY}),
    "redirect that repeats the key": redirect(302, f"https://{CANARY}.example/{CANARY}"),
    "page that repeats the key": answer(200, CANARY.encode(), {"Content-Type": "text/html"}),
    "401": answer(401, {"message": "Invalid API key"}),
    "404": answer(404),
    "409": answer(409),
    "429": answer(429, None, {"Retry-After": "86400"}),
    "503": answer(503),
    "redirect": redirect(307, "https://evil.example/"),
    "page": page(),
    "reset": reset(),
    "reset in the body": reset(after=10),
    "hang up": hang_up(),
    "cut": cut(200, {"id": "x" * 100}, 50),
    "not HTTP": raw(b"SSH-2.0\r\n\r\n"),
    "silence": silence(),
}


def whole_story(error: BaseException) -> str:
    """All that a debugger or a report could print of an error, locals of every frame of the package included."""
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename != __file__]
    locals_ = [f"{name}={value!r}" for frame in frames for name, value in frame.f_locals.items()]
    attributes = [repr(vars(error)), repr(error), str(error), repr(error.args)]
    chained = [whole_story(each) for each in (error.__cause__, error.__context__) if each is not None]
    ours = [line for line in told.format() if __file__ not in line]
    return "\n".join([*locals_, *attributes, *chained, *ours])


def error_of(call: Callable[[], object]) -> BaseException:
    with pytest.raises((T1DataError, KeyboardInterrupt)) as caught:
        call()
    return caught.value


LIMITS = Limits(attempts=2, first_backoff=0, deadline=0.2)


@pytest.mark.parametrize("name", FAULTS)
def test_no_error_and_no_log_of_a_fault_tells_the_key(name: str, caplog: pytest.LogCaptureFixture, capfd: Any):
    caplog.set_level(logging.DEBUG)
    with FaultServer(FAULTS[name]) as server:
        client = Client(server.url, CANARY, rate=None, limits=LIMITS)
        errors = [
            error_of(lambda: client.create_referral({"campaignId": 1})),
            error_of(lambda: client.get_customer_inventory("1", profile=True)),
        ]
        client.close()
    assert server.ledger[0].header("Authorization") == [f"ApiKey-v1 {CANARY}"]  # it was there to be seen
    for error in errors:
        assert sightings(whole_story(error)) == []
    assert sightings(caplog.text + "".join(capfd.readouterr())) == []


def test_a_key_as_short_as_a_word_takes_nothing_out_of_what_customers_have():
    found = {"profile": {"attributes": {"Name": "secretary"}}}
    with FaultServer(answer(200, found)) as server, Client(server.url, "secret", rate=None) as client:
        assert client.get_customer_inventory("1", profile=True) == found


def test_the_search_would_see_the_key_in_a_frame_of_the_sender():
    """A negative control: the standard library's own sender, left alone, shows it."""
    from http.client import HTTPConnection

    with FaultServer(hang_up()) as server:
        connection = HTTPConnection("127.0.0.1", server.port)
        with pytest.raises(OSError, match="without response") as caught:
            request_with_key(connection)
        connection.close()
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    assert any(sightings(repr(frame.f_locals)) for frame in frames)


def request_with_key(connection: Any) -> None:
    headers = {"Authorization": f"ApiKey-v1 {CANARY}"}
    connection.request("GET", "/", headers=headers)
    connection.getresponse()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Client("http://shop.talon.one", CANARY, management_key=CANARY),
        lambda: Client("https://shop.talon.one", CANARY + " "),
        lambda: Client("https://shop.talon.one", "good-enough-key", management_key=CANARY + "\n"),
        lambda: Management("http://shop.talon.one", CANARY),
        lambda: Management("https://shop.talon.one", CANARY + " "),
    ],
)
def test_no_refusal_of_a_setting_tells_the_key(make: Callable[[], object]):
    assert sightings(whole_story(error_of(make))) == []


@pytest.mark.parametrize(
    "variables",
    [{"T1DATA_API_KEY": CANARY}, {"T1DATA_API_KEY": CANARY + " x", "T1DATA_BASE_URL": "https://shop.talon.one"}],
)
def test_the_environment_with_the_key_is_in_no_traceback(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.delenv("T1DATA_BASE_URL", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert sightings(whole_story(error_of(Client.from_env))) == []
    file = tmp_path / "config.toml"
    file.write_text('[environments.shop]\nbase_url = "https://shop.talon.one"\nkey = "env:NOT_SET"\n')
    assert sightings(whole_story(error_of(lambda: settings_named("shop", path=file)))) == []


def test_an_interrupt_in_the_middle_of_sending_does_not_show_the_key():
    """Ctrl-C strikes while the frames that hold the header are on the stack."""

    def interrupt(frame: Any, event: str, argument: Any) -> Any:
        code = frame.f_code
        if event == "line" and sightings(repr(frame.f_locals)):
            sys.settrace(None)
            raise KeyboardInterrupt
        return interrupt if Path(code.co_filename).parts[-2:] == ("transport", "lines.py") else None

    with FaultServer() as server:
        client = Client(server.url, CANARY)
        before = sys.gettrace()
        sys.settrace(interrupt)
        try:
            error = error_of(lambda: client.get_customer_inventory("1"))
        finally:
            sys.settrace(before)
    assert type(error) is KeyboardInterrupt
    assert sightings(whole_story(error)) == []


def test_a_busy_transport_shows_no_key_to_who_walks_its_threads():
    with FaultServer(silence()) as server:
        client = Client(server.url, CANARY, limits=Limits(attempts=1, deadline=0.3))
        thread = threading.Thread(target=lambda: error_of(lambda: client.get_customer_inventory("1")))
        thread.start()
        while not server.ledger:
            thread.join(0.005)
        transport: Transport = client._door._transport
        assert [way for way in SHOWN if sightings(SHOWN[way](transport))] == []
        thread.join()
