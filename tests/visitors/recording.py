"""What a visit asked of the balancer and said to the replicas, recorded live, with names and ids masked."""

import itertools
from urllib.parse import parse_qs, urlsplit

from lab_programs import call, until

_marks = itertools.count(1)
_LEAVING = (0, 204)
"""How the last poll ends of who leaves: cut by the client, or answered, whichever comes first."""
_OPENED = ("DownstreamTunnelSuccessfullyEstablished", "UpstreamPoolReady")


class Recording:
    """Begins now; `requests()` and `calls()` are what has come since, once all of it has been told."""

    def __init__(self, lab):
        self.lab = lab
        self._programs = [lab.balancer, *lab.replicas.values()]
        self._began = {program: len(program.lines) for program in self._programs}
        self._settled = None

    def settle(self):
        """Until all that happened before this call is in the recording, and everybody has left."""
        until(lambda: not self._staying(), lambda: f"all connections end: {self._staying()}")
        mark = next(_marks)
        call(self.lab.balancer.public, "GET", f"/healthz?mark={mark}")
        until(lambda: self._access(path=f"/healthz?mark={mark}"), "Envoy tells of the mark")
        for program in self.lab.replicas.values():
            program.ask("POST", "/control/drop", {"visitor": f"mark-{mark}"})
            program.wait_for("drop.obeyed", visitor=f"mark-{mark}")
        self._settled = list(self._told())

    def _told(self):
        """Also by a replica that was killed meanwhile, and by the one in its place."""
        for program in {*self._programs, *self.lab.replicas.values()}:
            yield from program.lines[self._began.get(program, 0) :]

    def _lines(self, kind):
        return [line for line in self._settled or self._told() if line["kind"] == kind]

    def _access(self, **fields):
        lines = [line["data"]["access"] for line in self._lines("access.line")]
        return [line for line in lines if fields.items() <= line.items()]

    def _staying(self):
        """Paths of connections that are open, or whose goodbye is still on its way."""
        closed = {line["data"]["connection"] for line in self._lines("message.obeyed") if _is_close(line)}
        lines = {}
        for line in sorted(self._access(), key=lambda line: float(line["began"])):
            lines.setdefault(line["path"].split("&_=")[0], []).append(line)
        return [path for path, each in lines.items() if _stays(each, path.partition("id=")[2] in closed)]

    def requests(self):
        """In the order in which they began, the later polls left out: how many there are is chance."""
        polled, found = set(), []
        for line in self._ended():
            if _is_poll(line):
                if line["path"].split("&_=")[0] in polled:
                    continue
                polled.add(line["path"].split("&_=")[0])
            found.append(line)
        return _Masked().requests(found)

    def polls(self):
        """Of each connection, with which statuses its later polls ended, each run of the same one once."""
        statuses = {}
        for line in filter(_is_poll, self._ended()):
            status = "over" if line["status"] in _LEAVING else line["status"]
            statuses.setdefault(line["path"].split("&_=")[0], []).append(status)
        runs = [[status for status, _ in itertools.groupby(each[1:])] for each in statuses.values()]
        return [run for run in runs if run]

    def _ended(self):
        lines = [line for line in self._access(type="DownstreamEnd") if _of_a_visit(line)]
        return sorted(lines, key=lambda line: float(line["began"]))

    def calls(self):
        """What was said on each connection but its goodbye, which may come after the end.

        In the order in which the connections began to speak.
        """
        said = {}
        lines = sorted(self._lines("message.obeyed"), key=lambda line: line["at"])
        for line in lines:
            if not _is_close(line):
                said.setdefault(line["data"]["connection"], []).append(line["data"]["message"])
        return list(said.values())


def _is_close(line):
    return line["data"]["message"][0] == "Close"


def _stays(lines, closed):
    """Whether a stream or a series of polls goes on, or who left has not yet said so (or been told 404)."""
    ended = [line for line in lines if line["type"] == "DownstreamEnd"]
    streams = [line for line in ended if line["upgrade"] or _is_events(line)]
    polls = [line["status"] for line in ended if _is_poll(line)]
    deleted = any(line["method"] == "DELETE" for line in ended)
    if sum(line["type"] in _OPENED for line in lines) > len(streams):
        return True
    if polls and polls[0] == 200 and not deleted and max(polls) < 400:
        return True
    left = deleted or any(_is_events(line) and "DC" in line["flags"] for line in streams)
    return (
        left and not closed and not any(line["method"] == "POST" and line["status"] == 404 for line in ended)
    )


def _of_a_visit(line):
    """Not the files of the browser's page, nor its word when it is closed."""
    path = urlsplit(line["path"]).path
    return path == "/" or path.startswith("/_blazor")


def _is_events(line):
    return line["accept"] == "text/event-stream"


def _is_poll(line):
    return line["method"] == "GET" and "&_=" in line["path"]


class _Masked:
    """Gives replicas and connections numbers in the order in which they appear."""

    def __init__(self):
        self._numbers = {}

    def requests(self, lines):
        """What answers the last POST of a connection is chance, as is what answers a DELETE: a goodbye's."""
        last = {line["path"]: line for line in lines if line["method"] == "POST"}
        return [self._request(line, line is last.get(line["path"])) for line in lines]

    def _request(self, line, last):
        url = urlsplit(line["path"])
        query = parse_qs(url.query) if url.path != "/" else {}
        connection = (query.get("id") or [line["connection"]])[0]
        goodbye = line["method"] == "DELETE" or (last and "id" in query)
        how = [line["upgrade"] or "", "events" if _is_events(line) else ""]
        return " ".join(
            filter(
                None,
                [
                    f"{line['method']} {url.path}?{'&'.join(sorted(query))}",
                    *how,
                    f"connection {self._number('c', connection)}" if connection else "",
                    "with the cookie" if line["pin"] else "",
                    f"to replica {self._number('r', line['upstream'])}",
                    "→ any answer"
                    if goodbye and line["status"] in (200, 202, 404)
                    else f"→ {line['status']}",
                ],
            )
        )

    def _number(self, kind, name):
        return self._numbers.setdefault((kind, name), 1 + sum(key[0] == kind for key in self._numbers))
