"""A Redis Cluster of three nodes on loopback, each a Valkey (or Redis) of its own that keeps nothing."""

import itertools
import random
import signal
import socket
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from redis import Redis, RedisCluster
from redis.exceptions import RedisError

from standalone.children import Service, bring_up
from standalone.home import Home
from store.redis import node_urls
from tests.waiting import eventually_sync

NODES = 3
SLOTS = 16_384
READY_S = 30.0
BUS_PORT_OFFSET = 10_000
PORTS = range(20_000, 30_000)


class Node(Service):
    """One server of a cluster, at `port`."""

    def __init__(self, home: Home, binary: Path, number: int) -> None:
        """Nothing starts yet."""
        super().__init__(f"cluster node {number}", home.log(f"cluster-{number}"), signal.SIGTERM, ready_s=READY_S)
        self.port = free_port()
        self._folder = home.folder(f"cluster-{number}")
        self._binary = binary

    def launch(self) -> None:
        """Start the server."""
        self._spawn(
            [
                self._binary,
                *("--port", str(self.port), "--bind", "127.0.0.1", "--dir", self._folder, "--save", ""),
                *("--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--appendonly", "no"),
            ]
        )

    def ready(self) -> bool:
        """Say whether the server answers by now."""
        with suppress(RedisError), self.client() as client:
            return bool(client.ping())
        return False

    def client(self) -> Redis:
        """Connect to this node alone."""
        return Redis("127.0.0.1", self.port, decode_responses=True)


def free_port() -> int:
    """Find a port that is free together with the one that nodes of a cluster talk at."""
    for port in random.sample(PORTS, len(PORTS)):
        with suppress(OSError), socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", port))
            other.bind(("127.0.0.1", port + BUS_PORT_OFFSET))
            return port
    raise OSError("no two free ports for a node of a cluster")


class Cluster:
    """Three nodes with a third of all hash slots each, without replicas."""

    def __init__(self, nodes: list[Node]) -> None:
        """The nodes run by now."""
        self._nodes = nodes

    @property
    def url(self) -> str:
        """The cluster's address, as `store.redis` takes it."""
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self._nodes)

    def join(self) -> None:
        """Deal out the slots, introduce the nodes, wait until each of them serves."""
        edges = [SLOTS * number // NODES for number in range(NODES + 1)]
        for node, (first, end) in zip(self._nodes, itertools.pairwise(edges), strict=True):
            with node.client() as client:
                client.execute_command("CLUSTER ADDSLOTSRANGE", first, end - 1)
                client.execute_command("CLUSTER MEET", "127.0.0.1", self._nodes[0].port)
        eventually_sync(self._serves, "the cluster to serve", READY_S)

    def _serves(self) -> bool:
        states = []
        for node in self._nodes:
            with node.client() as client:
                info = client.execute_command("CLUSTER INFO")
                states.append((info["cluster_state"], info["cluster_known_nodes"]))
        return states == [("ok", str(NODES))] * NODES


@contextmanager
def running_cluster(home: Home, binary: Path) -> Generator[Cluster]:
    """Run a cluster; it is gone at the end."""
    nodes = [Node(home, binary, number) for number in range(NODES)]
    try:
        for node in nodes:
            bring_up(node)
        cluster = Cluster(nodes)
        cluster.join()
        yield cluster
    finally:
        for node in nodes:
            node.stop()


def client_of(url: str) -> Redis | RedisCluster:
    """Connect to a single server or to a cluster by its address, for tests that do not run in a loop."""
    nodes = node_urls(url)
    made = (
        RedisCluster.from_url(nodes[0], decode_responses=True) if nodes else Redis.from_url(url, decode_responses=True)
    )
    assert isinstance(made, Redis | RedisCluster)
    return made
