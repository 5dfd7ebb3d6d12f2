"""The crowd with words for what tests do to it, and a whole lab for it to visit."""

from lab_programs import Program, until
from real_balancer import Balancer


class Crowd(Program):
    """The program under test."""

    def __init__(self, arguments=("-m", "services.visitors"), **options):
        super().__init__(arguments, "visitors", **options)
        until(lambda: self.of("visitors.ready"), self.story)

    def set(self, count=None, **fields):
        """What the crowd answers to these settings."""
        body = fields if count is None else {"count": count, **fields}
        status, answer = self.ask("PUT", "/control/crowd", body)
        assert status == 200, answer
        return answer

    def counts(self):
        """As the newest line says."""
        return self.lines[-1]["data"]["crowd"]

    def wait_until(self, **counts):
        """Until the newest line has these counts."""
        until(
            lambda: counts.items() <= self.counts().items(),
            lambda: f"{counts}, but {self.counts()}\n{self.story()}",
        )

    def by_name(self):
        return {visitor["visitor"]: visitor for visitor in self.state()["visitors"]}


class Lab:
    """Three replicas behind a balancer, and a crowd that is still empty."""

    def __init__(self, run=("-m",), **environment):
        """`run` is what the interpreter is given in front of a program's name."""
        self._run, self._environment = run, environment
        names = ("replica-1", "replica-2", "replica-3")
        self.replicas = {name: self._replica(name) for name in names}
        self.balancer = Balancer((*run, "services.balancer"))
        self.crowd = Crowd((*run, "services.visitors"))
        for replica in self.replicas.values():
            replica.wait_for("replica.ready")
        self.balancer.wait_for("balancer.ready")
        self.know_all()

    def _replica(self, name):
        return Program((*self._run, "services.circuit"), name, environment=self._environment)

    def know_all(self):
        """The balancer knows each replica."""
        self.balancer.know(
            [{"name": name, "host": "127.0.0.1", "port": r.public} for name, r in self.replicas.items()]
        )

    def replace(self, name):
        """Another replica of that name, in place of one that has ended."""
        self.replicas[name] = self._replica(name)
        self.replicas[name].wait_for("replica.ready")
        self.know_all()

    @property
    def target(self):
        return f"http://127.0.0.1:{self.balancer.public}"

    def visit(self, count, **fields):
        """Let so many come; failed ones try again soon."""
        return self.crowd.set(count, target=self.target, **({"reload_seconds": 0.3} | fields))

    def held(self, what="circuits"):
        """Visitor → replica, as the replicas themselves see it."""
        states = [replica.state() for replica in self.replicas.values() if replica.process.poll() is None]
        return {one["visitor"]: state["replica"] for state in states for one in state[what]}

    def drop(self, **body):
        """How many connections the replicas broke."""
        return sum(
            replica.ask("POST", "/control/drop", body)[1]["dropped"] for replica in self.replicas.values()
        )

    def close(self):
        for program in (self.crowd, self.balancer, *self.replicas.values()):
            program.end()
