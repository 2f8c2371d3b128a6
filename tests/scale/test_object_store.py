"""Pictures in an object store: moto's S3 server."""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pandas as pd
import pytest

from emorank.errors import DatasetError, ImageError
from emorank.scale import object_store
from emorank.scale.given_images import items, picture_of
from emorank.scale.rank_many import rank_many

SERVER = Path(sys.executable).with_name("moto_server")


@pytest.fixture
def bucket(monkeypatch):
    """A bucket on a server of this machine, as a file system of pyarrow."""
    from pyarrow.fs import S3FileSystem

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    object_store._filesystem.cache_clear()
    command = [str(SERVER), "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ)
    ) as server:
        try:
            _wait_for(address)
            # Without the delay pyarrow uploads in parts, which moto does not end as it wants.
            store = S3FileSystem(
                endpoint_override=address, allow_bucket_creation=True, allow_delayed_open=True
            )
            store.create_dir("faces")
            yield store
        finally:
            server.kill()
            object_store._filesystem.cache_clear()


def _wait_for(address):
    for _ in range(300):
        try:
            urlopen(address, timeout=1).close()  # noqa: S310 - an http address of this test
        except (URLError, OSError):
            time.sleep(0.1)
        else:
            return


def test_pictures_and_tar_files_below_an_address(bucket, some, tmp_path):
    """As those of a folder: listed, read, ranked to the same numbers."""
    folder = some(3)
    local = sorted(folder.iterdir())
    tar = shutil.make_archive(str(tmp_path / "more"), "tar", folder)
    for name, path in [*((f"in/{p.name}", p) for p in local), ("in/sub/more.tar", tar)]:
        with bucket.open_output_stream(f"faces/{name}") as out, open(path, "rb") as file:  # noqa: PTH123
            out.write(file.read())
    got = list(items(["s3://faces/in"], print))
    assert [item.name for item in got[:3]] == [f"s3://faces/in/{path.name}" for path in local]
    assert len(got) == 6
    assert picture_of(got[0]) == local[0].read_bytes()
    in_tar = {item.name.rpartition("/")[2]: picture_of(item) for item in got[3:]}
    assert in_tar == {path.name: path.read_bytes() for path in local}
    rank_many("s3://faces/in", tmp_path / "there.parquet", workers=0)
    rank_many(folder, tmp_path / "here.parquet", workers=0)
    there, here = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("there", "here"))
    pd.testing.assert_frame_equal(there.iloc[:3, 1:], here.iloc[:, 1:])
    assert list(items(["s3://faces/in/sub/more.tar"], print)) == got[3:]
    with pytest.raises(ImageError, match="no such file or folder"):
        list(items(["s3://faces/none"], print))
    bucket.delete_file(f"faces/in/{local[0].name}")
    with pytest.raises(ImageError, match="cannot be read"):
        picture_of(got[0])


def test_a_store_that_cannot_be_reached_is_said(monkeypatch):
    """With the address."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    object_store._filesystem.cache_clear()
    with pytest.raises(DatasetError, match="s3://faces/in: cannot be read"):
        list(items(["s3://faces/in"], print))
    object_store._filesystem.cache_clear()
