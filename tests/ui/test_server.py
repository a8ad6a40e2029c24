"""The upload route over a real connection, the store behind it, and the server entry's own settings."""

import hashlib
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import anyio
import pytest
import uvicorn
from starlette.applications import Starlette

from lib.errors import LimitError, SettingsError
from lib.sources import Run
from lib.ui import server, upload_folder
from lib.ui.server import check_port, create_app, server_settings
from lib.ui.upload_names import clean_display_name, file_suffix, format_size
from lib.ui.upload_route import create_upload_route, is_same_origin, route_path
from lib.ui.upload_tokens import TOKENS_PER_SESSION, Place, UploadRefused, UploadTokens
from lib.ui.uploads import Upload, UploadLimits, UploadStore

PLACE = Place("session", "files")
LIMITS = UploadLimits(max_file=3_000_000, max_total=5_000_000, keep_free=0)


class Clock:
    """A clock that stands still until told otherwise."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> UploadStore:
    return UploadStore(tmp_path, LIMITS, tokens=UploadTokens(clock=clock), clock=clock)


@pytest.fixture
def port(store: UploadStore) -> Iterator[int]:
    """A server on loopback that has the route; its port."""
    route = create_upload_route(lambda: store, allowed_origins=["https://shown.example"], silence_seconds=0.5)
    config = uvicorn.Config(Starlette(routes=[route]), log_level="error", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(10)


def post(port: int, body: bytes, **headers: str) -> tuple[int, dict]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", "/api/uploads", body, {k.replace("_", "-"): v for k, v in headers.items()})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def headers_for(port: int, token: str, name: str = "scores.csv") -> dict[str, str]:
    return {"Origin": f"http://127.0.0.1:{port}", "X_Upload_Token": token, "X_Upload_Name": quote(name)}


def read_answer(connection: socket.socket) -> tuple[int, str]:
    response = http.client.HTTPResponse(connection)
    response.begin()
    return response.status, json.loads(response.read())["error"]


def files_below(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "waited for ten seconds in vain"
        time.sleep(0.01)


def only_upload(store: UploadStore, answer: dict) -> Upload:
    store.accept(PLACE, [answer["id"]])
    (upload,) = store.uploads(PLACE).values()
    return upload


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 1, 2_999_999, 3_000_000])
def test_a_file_arrives_whole_with_its_hash(store: UploadStore, port: int, size: int) -> None:
    content = os.urandom(size)
    token = store.tokens.issue(PLACE, 1)[0]
    status, answer = post(port, content, **headers_for(port, token, "März/scores.CSV.gz"))
    assert status == 200
    assert {k: answer[k] for k in ("name", "size", "sha256")} == {
        "name": "scores.CSV.gz",
        "size": size,
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    assert store.uploads(PLACE) == {}, "not shown before the page reported it"
    upload = only_upload(store, answer)
    assert upload.path.read_bytes() == content
    assert upload.path.name.endswith(".csv.gz")
    assert (upload.size, upload.sha256) == (size, answer["sha256"])
    assert files_below(store.root) == [upload.path]
    assert upload.path.parent.stat().st_mode & 0o777 == 0o700


def test_a_token_works_once_and_the_answer_brings_the_next(store: UploadStore, port: int) -> None:
    token = store.tokens.issue(PLACE, 1)[0]
    assert post(port, b"a", **headers_for(port, token))[0] == 200
    status, answer = post(port, b"b", **headers_for(port, token))
    assert status == 401
    assert "used up or has expired" in answer["error"]
    assert answer["retry"] is True
    assert len(files_below(store.root)) == 1
    token = store.tokens.issue(PLACE, 1)[0]
    _, answer = post(port, b"c", **headers_for(port, token))
    assert post(port, b"d", **headers_for(port, answer["next_token"]))[0] == 200


@pytest.mark.parametrize("token", ["", "guess", "x" * 10_000])
def test_a_token_that_was_never_issued_is_refused(store: UploadStore, port: int, token: str) -> None:
    assert post(port, b"a", **headers_for(port, token))[0] == 401
    assert files_below(store.root) == []


def test_another_origin_is_refused_and_does_not_use_the_token_up(store: UploadStore, port: int) -> None:
    token = store.tokens.issue(PLACE, 1)[0]
    for origin in ("http://evil.example", f"http://localhost:{port}", "null", f"http://127.0.0.1:{port + 1}"):
        status, answer = post(port, b"a", **{**headers_for(port, token), "Origin": origin})
        assert (status, answer["retry"]) == (403, False)
    without = {k: v for k, v in headers_for(port, token).items() if k != "Origin"}
    assert post(port, b"a", **without)[0] == 403
    assert files_below(store.root) == []
    shown = {**headers_for(port, token), "Origin": "https://shown.example"}
    assert post(port, b"a", **shown)[0] == 200


def test_other_methods_are_not_served(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/api/uploads")
    assert connection.getresponse().status == 405
    connection.close()


def test_too_large_by_its_own_account_is_refused_unread(store: UploadStore, port: int) -> None:
    token = store.tokens.issue(PLACE, 1)[0]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        lines = [f"{k.replace('_', '-')}: {v}" for k, v in headers_for(port, token).items()]
        head = ["POST /api/uploads HTTP/1.1", f"Host: 127.0.0.1:{port}", "Content-Length: 9000000000000", *lines]
        connection.sendall("\r\n".join([*head, "", ""]).encode())
        answer = read_answer(connection)
    assert answer[0] == 413
    assert "scores.csv is larger than 3 MB" in answer[1]
    assert files_below(store.root) == []


def send_chunked(port: int, token: str, blocks: list[bytes], *, end: bool) -> tuple[int, str]:
    """Send without saying how much; with end=False, say nothing more and wait for the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        lines = [f"{k.replace('_', '-')}: {v}" for k, v in headers_for(port, token).items()]
        head = ["POST /api/uploads HTTP/1.1", f"Host: 127.0.0.1:{port}", "Transfer-Encoding: chunked", *lines]
        connection.sendall("\r\n".join([*head, "", ""]).encode())
        try:
            for block in blocks:
                connection.sendall(f"{len(block):x}\r\n".encode() + block + b"\r\n")
            if end:
                connection.sendall(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused while it was being sent
        return read_answer(connection)


def test_too_large_while_streaming_is_refused_and_leaves_nothing(store: UploadStore, port: int) -> None:
    token = store.tokens.issue(PLACE, 1)[0]
    answer = send_chunked(port, token, [b"x" * 500_000] * 8, end=True)
    assert answer[0] == 413
    assert "scores.csv is larger than 3 MB" in answer[1]
    wait_until(lambda: files_below(store.root) == [])
    assert begin_and_drop(store, LIMITS.max_file), "what was refused no longer counts against the total"


def begin_and_drop(store: UploadStore, size: int) -> bool:
    store.begin(PLACE, "probe.csv", size).abort()
    return True


def test_all_uploads_together_are_bounded(store: UploadStore, port: int) -> None:
    for expected in (200, 413):
        token = store.tokens.issue(PLACE, 1)[0]
        status, answer = post(port, b"x" * 2_600_000, **headers_for(port, token))
        assert status == expected
    assert "There is no room for scores.csv: uploads may take 5 MB" in answer["error"]
    assert "2.6 MB are in use" in answer["error"]
    (upload_id,) = [path.stem for path in files_below(store.root)]
    store.remove(PLACE, [upload_id])
    assert post(port, b"x" * 2_600_000, **headers_for(port, answer["next_token"]))[0] == 200


def test_a_connection_broken_off_leaves_nothing(store: UploadStore, port: int) -> None:
    token = store.tokens.issue(PLACE, 1)[0]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        lines = [f"{k.replace('_', '-')}: {v}" for k, v in headers_for(port, token).items()]
        head = ["POST /api/uploads HTTP/1.1", f"Host: 127.0.0.1:{port}", "Content-Length: 2500000", *lines]
        connection.sendall("\r\n".join([*head, "", ""]).encode() + b"x" * 1_500_000)
        wait_until(lambda: sum(p.stat().st_size for p in files_below(store.root)) >= 1 << 20)
        assert [p.suffix for p in files_below(store.root)] == [".part"]
    wait_until(lambda: files_below(store.root) == [])
    assert store.uploads(PLACE) == {}


def test_a_connection_that_falls_silent_is_given_up(store: UploadStore, port: int) -> None:
    token = store.tokens.issue(PLACE, 1)[0]
    answer = send_chunked(port, token, [b"half"], end=False)
    assert answer[0] == 400
    assert "scores.csv stopped arriving" in answer[1]
    assert files_below(store.root) == []


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\system.ini", "system.ini"),
        ("/etc/cron.d/x.csv", "x.csv"),
        ("..", "unnamed"),
        ("", "unnamed"),
        ("a\x00b\r\nSet-Cookie: c.csv", "ab Set-Cookie: c.csv"),
        ("gnp\u202evsc.exe", "gnpvsc.exe"),
        ("<img src=x onerror=alert(1)>.csv", "<img src=x onerror=alert(1)>.csv"),
        ("Prüfung  Nr. 3.tsv", "Prüfung Nr. 3.tsv"),
    ],
)
def test_names_are_text_and_never_paths(store: UploadStore, port: int, raw: str, shown: str) -> None:
    token = store.tokens.issue(PLACE, 1)[0]
    status, answer = post(port, b"a", **headers_for(port, token, raw))
    assert (status, answer["name"]) == (200, shown)
    (path,) = files_below(store.root)
    assert path.parent.parent == store.root
    assert set(path.stem.partition(".")[0]) <= set("0123456789abcdef")


def test_names_that_are_not_percent_encoded_text_do_no_harm(store: UploadStore, port: int) -> None:
    token = store.tokens.issue(PLACE, 1)[0]
    status, answer = post(port, b"a", **{**headers_for(port, token), "X_Upload_Name": "%ff%fe.csv"})
    assert status == 200
    assert answer["name"].endswith(".csv")


def test_names_are_shortened_in_the_middle() -> None:
    name = clean_display_name("a" * 500 + ".parquet")
    assert len(name) <= 120
    assert name.endswith("a.parquet")
    assert "…" in name
    assert file_suffix("x.tar;rm -rf") == ""


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1500, "1.5 kB"),
        (62_914_560, "62.9 MB"),
        (20e9, "20 GB"),
        (2e12, "2,000 GB"),
    ],
)
def test_sizes_read_well(size: float, text: str) -> None:
    assert format_size(size) == text


def test_tokens_expire_are_bounded_and_end_with_their_session(store: UploadStore, clock: Clock) -> None:
    first = store.tokens.issue(PLACE, 2)
    assert store.tokens.issue(PLACE, 2) == first, "a rerun adds none"
    clock.now += 3601
    with pytest.raises(UploadRefused):
        store.tokens.redeem(first[0])
    assert set(store.tokens.issue(PLACE, 2)).isdisjoint(first)
    many = [store.tokens.issue(Place("session", str(i)), 1)[0] for i in range(TOKENS_PER_SESSION + 1)]
    with pytest.raises(UploadRefused):
        store.tokens.redeem(many[0])
    assert store.tokens.redeem(many[-1]) == Place("session", str(TOKENS_PER_SESSION))
    store.drop_session("session")
    with pytest.raises(UploadRefused):
        store.tokens.redeem(many[-2])


def test_one_session_cannot_reach_the_files_of_another(store: UploadStore) -> None:
    partial = store.begin(PLACE, "mine.csv")
    partial.write(b"secret")
    upload = partial.commit(accepted=True)
    for place in (Place("other", "files"), Place("session", "another uploader")):
        store.accept(place, [partial.upload_id])
        store.remove(place, [partial.upload_id])
        assert store.uploads(place) == {}
    assert store.uploads(PLACE) == {partial.upload_id: upload}
    assert upload.path.exists()


def test_a_session_that_ended_takes_its_files_along(store: UploadStore, clock: Clock) -> None:
    done = store.begin(PLACE, "done.csv")
    done.write(b"x")
    done.commit(accepted=True)
    arriving = store.begin(PLACE, "arriving.csv")
    arriving.write(b"x")
    clock.now += 100
    store.drop_ended(lambda session: False, 180)
    assert store.uploads(PLACE), "a lost connection may come back"
    clock.now += 100_000
    store.drop_ended(lambda session: True, 180)
    assert store.uploads(PLACE), "an open page keeps its files however long"
    clock.now += 181
    store.drop_ended(lambda session: False, 180)
    assert store.uploads(PLACE) == {}
    with pytest.raises(UploadRefused, match=r"arriving\.csv was not kept because its session has ended"):
        arriving.commit()
    assert list(store.root.iterdir()) == []
    assert begin_and_drop(store, LIMITS.max_file)


def test_a_disk_that_fills_up_on_the_way_is_said_and_nothing_is_left(tmp_path: Path) -> None:
    partial = UploadStore(tmp_path).begin(PLACE, "big.csv")
    partial.write(b"a,b\n")
    assert partial._file is not None
    with Path("/dev/full").open("wb", buffering=0) as full:
        os.dup2(full.fileno(), partial._file.fileno())
    with pytest.raises(LimitError, match=r"big\.csv could not be written to the server's disk: No space left"):
        partial.write(b"1,2\n")
    partial.abort()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_nearly_full_disk_is_said(tmp_path: Path) -> None:
    store = UploadStore(tmp_path, UploadLimits(keep_free=1 << 62))
    with pytest.raises(LimitError, match="disk for uploads is nearly full"):
        store.begin(PLACE, "a.csv", 1)


@pytest.mark.parametrize("text", ["many", "0", "-1", "nan", "inf"])
def test_limits_that_make_no_sense_are_said(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("MARGINALIA_MAX_UPLOAD_GB", text)
    with pytest.raises(SettingsError, match="MARGINALIA_MAX_UPLOAD_GB is"):
        upload_folder.read_limits()


def test_the_folder_of_a_killed_process_is_removed_by_the_next(tmp_path: Path) -> None:
    program = (
        "import os, signal; from lib.ui.upload_folder import upload_store; print(upload_store().root, flush=True); "
        "input(); os.kill(os.getpid(), signal.{})"
    )
    environment = {**os.environ, "MARGINALIA_UPLOAD_DIR": str(tmp_path)}
    (tmp_path / "marginalia-uploads-not-ours").mkdir()

    def start(signal: str) -> tuple[subprocess.Popen, Path]:
        process = subprocess.Popen(
            [sys.executable, "-c", program.format(signal)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        return process, Path(process.stdout.readline().strip())

    living, living_root = start("SIGINT")
    killed, killed_root = start("SIGKILL")
    killed.communicate("\n")
    assert killed_root.exists()
    last, last_root = start("SIGKILL")
    assert not killed_root.exists()
    assert living_root.exists()
    assert last_root.exists()
    for process in (living, last):
        process.stderr = None
        process.communicate("\n")
    assert not living_root.exists(), "an interrupted process cleans up by itself"


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("http://localhost:8501", "localhost:8501", True),
        ("https://Data.Example", "data.example", True),
        ("http://localhost:8501", "localhost:8502", False),
        ("http://localhost:8501@evil.example", "localhost:8501", False),
        ("file://localhost:8501", "localhost:8501", False),
        ("null", "null", False),
        (None, "localhost:8501", False),
        ("http://localhost:8501", None, False),
    ],
)
def test_origins(origin: str | None, host: str | None, same: bool) -> None:
    assert is_same_origin(origin, host) is same


def test_the_route_lies_below_the_base_path() -> None:
    assert route_path("") == "/api/uploads"
    assert route_path("/team/marginalia/") == "/team/marginalia/api/uploads"


def test_loopback_answers_to_loopback_names_only() -> None:
    assert server_settings("localhost", 8501, {})["server.allowedHosts"] == ["localhost", "127.0.0.1", "[::1]"]
    assert "server.allowedHosts" not in server_settings("0.0.0.0", 8501, {})
    chosen = {"MARGINALIA_ALLOWED_HOSTS": "a.example, b.example", "MARGINALIA_ALLOWED_ORIGINS": "https://a.example"}
    assert server_settings("localhost", 1, chosen)["server.allowedHosts"] == ["a.example", "b.example"]
    assert server_settings("localhost", 1, chosen)["server.corsAllowedOrigins"] == ["https://a.example"]


def test_a_port_that_is_taken_and_a_script_that_is_missing_are_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"Port {port} on 127.0.0.1 is in use by another program"):
            check_port("127.0.0.1", port)
    check_port("127.0.0.1", port)
    for port in (-5, 65_536, 99_999):
        with pytest.raises(SettingsError, match=f"There is no port {port}; choose one from 1024 to 65535"):
            check_port("localhost", port)
    with pytest.raises(SettingsError, match=r"no-such-app\.py is not there"):
        create_app(tmp_path / "no-such-app.py")


@pytest.mark.parametrize("how", ["waits", "fails"])
def test_a_worker_is_warmed_behind_the_server_and_let_go_when_it_stops(
    how: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[str] = []

    class Warmed:
        def warm(self, task: str, *, run: Run) -> None:
            asked.append(task)
            if how == "fails":
                raise LimitError("There is no memory.")
            while True:
                run.check()
                time.sleep(0.01)

    async def serve() -> None:
        async with server._lifespan(None):  # pyright: ignore[reportPrivateUsage]
            while not asked:
                await anyio.sleep(0.01)

    monkeypatch.setattr(server, "shared_pool", Warmed)
    monkeypatch.setattr(server, "upload_store", lambda: None)
    monkeypatch.setattr(server, "close_upload_store", lambda: None)
    # In a thread, since the browser of other tests has a loop of its own in this one.
    serving = threading.Thread(target=anyio.run, args=(serve,))
    serving.start()
    serving.join(10)
    assert not serving.is_alive()
    assert asked == ["warm_layout"]
    assert ("could not be warmed: There is no memory." in caplog.text) is (how == "fails")
