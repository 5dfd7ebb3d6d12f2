"""Behind TLS: a class is taught through each proxy as docs/run-for-a-class.md configures it."""

import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.browser.conftest import ARGUMENTS
from tests.conftest import CHROMIUM
from tests.dashboard import TOKEN, TOP, Dashboard, free_port
from tests.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.local, pytest.mark.timeout(180)]
NAME = "lab.school.example"
DOCS = (TOP / "docs/run-for-a-class.md").read_text()


@pytest.fixture(scope="module")
def chromium():
    """As on a laptop whose resolver knows the proxy."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*ARGUMENTS, f"--host-resolver-rules=MAP {NAME} 127.0.0.1"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory):
    """One for all proxies; they listen where it says that it is reached, one after the other."""
    before = os.environ.copy()
    os.environ["LAB_PUBLIC_URL"] = f"https://{NAME}:{free_port()}"
    dashboard = Dashboard("local", tmp_path_factory.mktemp("proxy") / "state")
    dashboard.public = os.environ["LAB_PUBLIC_URL"]
    try:
        dashboard.start().launch_lab()
        yield dashboard
        dashboard.stop()
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Key and certificate that somebody signed for themselves."""
    folder = tmp_path_factory.mktemp("certificate")
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout key -out crt"
    )
    more = ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
    subprocess.run([*command.split(), *more], cwd=folder, check=True, capture_output=True, timeout=30)
    return folder


def of_docs(language, places):
    """The block of the docs in that language, with the places of this test in it."""
    text = re.search(rf"```{language}\n(.*?)```", DOCS, re.DOTALL)[1]
    for there, here in places.items():
        assert there in text, f"{there} stands no more in the docs"
        text = text.replace(there, here)
    return text


def nginx(folder, port, upstream, certificate):
    block = of_docs(
        "nginx",
        {
            "listen 80;": f"listen 127.0.0.1:{free_port()};",
            "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
            f"/etc/ssl/{NAME}.crt": f"{certificate}/crt",
            f"/etc/ssl/{NAME}.key": f"{certificate}/key",
            "127.0.0.1:8000": f"127.0.0.1:{upstream}",
        },
    )
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    scratch = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    around = f"daemon off; pid {folder}/pid; error_log stderr; events {{}} http {{ access_log off; {scratch}"
    (folder / "nginx.conf").write_text(f"{around}\n{block}\n}}")
    return ["nginx", "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]


def caddy(folder, port, upstream, certificate):
    block = of_docs(
        "caddy",
        {
            f"{NAME} {{": f"{NAME}:{port} {{",
            f"/etc/ssl/{NAME}.crt": f"{certificate}/crt",
            f"/etc/ssl/{NAME}.key": f"{certificate}/key",
            "127.0.0.1:8000": f"127.0.0.1:{upstream}",
        },
    )
    (folder / "Caddyfile").write_text(f"{{\n admin off\n auto_https disable_redirects\n}}\n{block}")
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


def envoy(folder, port, upstream, certificate):
    """Hands Host on by itself; an upgrade has to be allowed."""
    files = {"certificate_chain": f"{certificate}/crt", "private_key": f"{certificate}/key"}
    tls = {"common_tls_context": {"tls_certificates": [{key: {"filename": at} for key, at in files.items()}]}}
    types = "type.googleapis.com/envoy.extensions"
    route = {"match": {"prefix": "/"}, "route": {"cluster": "labdeck", "timeout": "0s"}}
    http = {
        "@type": f"{types}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "labdeck",
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "route_config": {"virtual_hosts": [{"name": "labdeck", "domains": ["*"], "routes": [route]}]},
        "http_filters": [
            {"name": "router", "typed_config": {"@type": f"{types}.filters.http.router.v3.Router"}}
        ],
    }
    context = {"@type": f"{types}.transport_sockets.tls.v3.DownstreamTlsContext", **tls}
    chain = {
        "transport_socket": {"name": "tls", "typed_config": context},
        "filters": [{"name": "http", "typed_config": http}],
    }
    at = lambda number: {"socket_address": {"address": "127.0.0.1", "port_value": number}}  # noqa: E731
    endpoint = {"endpoint": {"address": at(upstream)}}
    cluster = {
        "name": "labdeck",
        "load_assignment": {"cluster_name": "labdeck", "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
    listener = {"name": "labdeck", "address": at(port), "filter_chains": [chain]}
    (folder / "envoy.json").write_text(
        json.dumps({"static_resources": {"listeners": [listener], "clusters": [cluster]}})
    )
    own = Path(sys.executable).with_name("envoy")
    return [str(own), "-c", str(folder / "envoy.json"), "--disable-hot-restart", "--log-level", "warn"]


PROXIES = [envoy, *(proxy for proxy in (nginx, caddy) if shutil.which(proxy.__name__))]
"""Envoy is always there."""


@pytest.fixture(params=PROXIES, ids=lambda proxy: proxy.__name__)
def proxy(request, tmp_path, dashboard, certificate):
    port = int(dashboard.public.rpartition(":")[2])
    command = request.param(tmp_path, port, dashboard.port, certificate)
    with (tmp_path / "output").open("w") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=os.environ | {"HOME": str(tmp_path)},
        )
    trusted = ssl.create_default_context(cafile=certificate / "crt")

    def answers():
        assert process.poll() is None, (tmp_path / "output").read_text()
        try:
            with socket.create_connection(("127.0.0.1", port), 2) as plain:
                return trusted.wrap_socket(plain, server_hostname=NAME)
        except OSError:
            return False

    wait_for(answers, 30, told=(tmp_path / "output").read_text)
    yield request.param.__name__
    os.killpg(process.pid, signal.SIGTERM)
    process.wait(20)


def test_a_class_is_taught_through_the_proxy(proxy, dashboard, chromium):
    contexts = [chromium.new_context(ignore_https_errors=True) for _ in range(2)]
    teacher, follower = [context.new_page() for context in contexts]
    teacher.goto(f"{dashboard.public}/?token={TOKEN}")
    expect(teacher.locator("#live")).to_have_attribute("data-state", "websocket", timeout=30_000)
    teacher.goto(f"{dashboard.public}/present/error-on-reload")
    wait_for(lambda: dashboard.get("/presentation")["presented"], 30, told=dashboard.told)
    teacher.keyboard.press("i")
    teacher.click("[data-invite=follower]")
    link = teacher.locator("#links code").first
    expect(link).to_contain_text(f"{dashboard.public}/join/")
    expect(teacher.locator("#links .qr").first).to_be_visible()
    follower.goto(link.inner_text())
    assert follower.url == f"{dashboard.public}/follow"
    expect(follower.locator("#live")).to_have_attribute("data-state", "websocket", timeout=30_000)
    teacher.keyboard.press("Escape")
    first = follower.locator(".step:visible h1").inner_text()
    teacher.keyboard.press("n")
    expect(follower.locator(".step:visible h1")).not_to_have_text(first)
    follower.goto(f"{dashboard.public}/")
    expect(follower.locator("#services")).to_contain_text("127.0.0.1:")
    expect(follower.locator("a[href*='127.0.0.1']")).to_have_count(0)  # it would lead to their own machine
    for context in contexts:
        assert [cookie["secure"] for cookie in context.cookies()] == [True]
        context.close()
