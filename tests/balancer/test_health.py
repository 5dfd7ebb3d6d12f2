"""A replica that stands still is noticed by the balancer itself."""

import signal

import pytest
from lab_programs import until

pytestmark = pytest.mark.local


def test_a_frozen_replica_is_ejected_and_readmitted_when_it_goes_on(balancer, peers):
    frozen = peers.processes["replica-2"]
    frozen.send_signal(signal.SIGSTOP)
    told = balancer.wait_for("endpoint.ejected")
    assert [(line["source"], line["level"]) for line in told] == [("replica-2", "warning")]
    assert "replica-2" not in balancer.pages(6)
    frozen.send_signal(signal.SIGCONT)
    assert balancer.wait_for("endpoint.readmitted")[0]["source"] == "replica-2"
    until(lambda: "replica-2" in balancer.pages(3), balancer.story)
    assert len(balancer.of("endpoint.ejected")) == 1


def test_new_replicas_are_no_news_to_the_health_checks(balancer):
    balancer.pages(3)
    assert not balancer.of("endpoint.readmitted") and not balancer.of("endpoint.ejected")


def test_a_request_cannot_pose_as_a_health_check(balancer):
    forged = '{"health_checker_type":"HTTP","host":{},"eject_unhealthy_event":{}}'
    balancer.negotiate(visitor="visitor-1")
    balancer.hub("x", Accept=forged, Upgrade=forged)
    balancer.wait_for("connection.refused")
    assert not balancer.of("endpoint.ejected")
