"""The Web UI of the embedded server shows what is encrypted, once it has a codec server."""

from __future__ import annotations

import socket
from pathlib import Path

from invincible.client import Client
from invincible.contrib.codec_server import codec_server
from invincible.contrib.encryption import EncryptionCodec
from invincible.contrib.storage import DirectoryStorageDriver
from invincible.converter import DataConverter, ExternalStorage
from invincible.testing._server import ServerProcess
from tests.support.browser import browsing
from tests.support.web import serving


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


# Keeps what the page gives the browser to save.
CATCH_DOWNLOAD = """
    window.download = new Promise((resolve) => {
        const make = URL.createObjectURL.bind(URL);
        URL.createObjectURL = (blob) => (blob.text().then(resolve), make(blob));
    });
"""
CLICK = "[...document.querySelectorAll('button')].find((each) => each.innerText.trim() === {text!r}).click()"


async def test_the_web_ui_shows_payloads_and_downloads_stored_ones(tmp_path: Path) -> None:
    (tmp_path / "payloads").mkdir()
    storage = ExternalStorage([DirectoryStorageDriver(tmp_path / "payloads")], payload_size_threshold=5000)
    codec = EncryptionCodec({"k": bytes(32)}, key_id="k")
    converter = DataConverter(payload_codec=codec, external_storage=storage)
    # Each has to be told where the other is.
    port = free_port()
    application = codec_server(converter, allowed_origins=[f"http://127.0.0.1:{port}"])
    async with serving(application) as url:
        server = ServerProcess(["--port", "0", "--ui-port", str(port), "--ui-codec-endpoint", url])
        try:
            client = await Client.connect(server.ready.grpc, data_converter=converter)
            values = ["argument in clear", "L" * 5000]
            handle = await client.start_workflow("Order", args=values, id="order", task_queue="none")
            async with browsing(tmp_path / "browser") as page:
                await page.goto(f"{server.ready.ui}/namespaces/default/workflows/order/{handle.result_run_id}/history")
                await page.wait_for_text("argument in clear")
                # The size of what is stored is on the button that downloads it.
                await page.wait_for_text("4.99 KB")
                await page.evaluate(CATCH_DOWNLOAD + CLICK.format(text="4.99 KB"))
                assert values[1] in await page.evaluate("window.download")
        finally:
            server.stop()
