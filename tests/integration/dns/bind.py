"""A small internet of BIND servers on loopback: a root, two servers of zones, and a validating resolver."""

import random
import re
import shutil
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.tsigkeyring
import dns.update

from tests.integration.dns.relay import Relay

ROOT, FIRST, SECOND, RESOLVER, NOBODY = (f"127.53.0.{number}" for number in (1, 2, 3, 4, 9))
READER_NAME, READER_SECRET = "readers", "cmVhZGluZyBvbmx5LCBmb3IgdGVzdHMgMTIzNDU2Nzg="
"""A key that may transfer zones and not update them."""
TSIG_NAME, TSIG_SECRET = "updates", "bG9vcGJhY2sgdGVzdCBzZWNyZXQgb25seSAgIDEyMzQ="
SERVER = "192.0.2.10"
"""The address that is right in all zones."""

SOA = "@ IN SOA ns1.example.test. hostmaster.example.test. {serial} 3600 600 86400 {minimum}\n"
NS1, NS2 = "@ IN NS ns1.example.test.\n", "@ IN NS ns2.example.test.\n"

ZONES = {
    "example.test": NS1
    + NS2
    + f"""
ns1 A {FIRST}
ns2 A {SECOND}
shop A {SERVER}
stray A {SERVER}
stray AAAA 2001:db8::bad
two A {SERVER}
two A 198.51.100.7
elsewhere A 198.51.100.7
text TXT "only text"
loop CNAME pool
pool CNAME loop
gone CNAME nothing
mail CNAME text
chain CNAME c1
c1 CNAME c2
c2 CNAME c3
c3 CNAME c4
c4 CNAME c5
c5 CNAME shop
*.wild A 198.51.100.7
*.right A {SERVER}
proxied A 104.16.1.1
private A 10.1.2.3
owned A {SERVER}
_coolify-flows.owned TXT "coolify-flows-owner=us"
taken A {SERVER}
_coolify-flows.taken TXT "coolify-flows-owner=them"
xn--bcher-kva A {SERVER}
""",
    "caa.test": NS1
    + NS2
    + f"""
@ CAA 0 issue "letsencrypt.org"
open A {SERVER}
shut A {SERVER}
shut CAA 0 issue ";"
other A {SERVER}
other CAA 0 issue "ca.example"
account A {SERVER}
account CAA 0 issue "letsencrypt.org; accounturi=https://acme.example/1"
method A {SERVER}
method CAA 0 issue "letsencrypt.org; validationmethods=dns-01"
critical A {SERVER}
critical CAA 128 future "x"
wild A {SERVER}
*.wild A {SERVER}
wild CAA 0 issuewild ";"
both A {SERVER}
*.both A {SERVER}
both CAA 0 issue ";"
both CAA 0 issuewild "letsencrypt.org"
""",
    "sslip.io": NS1 + f"192.0.2.10 A {SERVER}\n",
    "fast.test": NS1 + NS2 + f"known 2 A {SERVER}\n",
    "lame.test": NS1 + NS2 + f"shop A {SERVER}\n",
    "differs.test": NS1 + NS2 + f"shop A {SERVER}\n",
    "silent.test": NS1 + "@ IN NS ns9.test.\n" + f"shop A {SERVER}\n",
    "missing.test": NS1 + "@ IN NS nowhere.test.\n" + f"shop A {SERVER}\n",
    "ours.test": NS1
    + f"""
taken A 198.51.100.7
right A {SERVER}
alias CNAME elsewhere
elsewhere A 198.51.100.7
below NS ns1.example.test.
""",
    "hidden.test": NS1 + f"shop A {SERVER}\n",
    "disagree.test": NS1 + NS2 + f"shop A {SERVER}\n",
    "signed.test": NS1 + f"shop A {SERVER}\n",
    "bogus.test": NS1 + f"shop A {SERVER}\n",
    "expired.test": NS1 + f"shop A {SERVER}\n",
}
ON_SECOND = ("example.test", "caa.test", "fast.test", "differs.test", "disagree.test")
SIGNED = ("signed.test", "bogus.test", "expired.test")
DELEGATIONS = {
    "ours.test": ("ns1.example.test",),
    "lame.test": ("ns1.example.test", "ns2.example.test"),
    "alllame.test": ("ns2.example.test",),
    "differs.test": ("ns1.example.test",),
    "silent.test": ("ns1.example.test", "ns9.test"),
    "missing.test": ("ns1.example.test", "nowhere.test"),
    "signed.test": ("ns1.example.test",),
    "bogus.test": ("ns1.example.test",),
    "expired.test": ("ns1.example.test",),
}


@dataclass
class Internet:
    """Four name servers that know only each other."""

    directory: Path
    port: int = 0
    """Port of all servers: a resolver asks the servers of zones at one port only."""
    relay: Relay | None = None
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        """Write zones and configurations, start all servers, and wait until they answer."""
        *own, self.port = free_ports(5)
        self.ports = dict(zip((ROOT, FIRST, SECOND, RESOLVER), own, strict=True))
        self.relay = Relay(self.port, self.ports)
        self.relay.start()
        promised = self._zones()
        self._root(promised)
        self._server("root", ROOT, {".": "root.zone", "test": "test.zone"})
        self._server("first", FIRST, {zone: f"first/{zone}.zone" for zone in ZONES})
        self._server("second", SECOND, {zone: f"second/{zone}.zone" for zone in ON_SECOND})
        self._resolver(promised)
        for address, name in ((ROOT, "test."), (FIRST, "example.test."), (SECOND, "example.test."), (RESOLVER, ".")):
            self._await(address, name)

    def stop(self) -> None:
        """End the servers, and only them."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(timeout=60)
        if self.relay is not None:
            self.relay.stop()

    def update(self, zone: str, *changes: tuple[str, ...], at: tuple[str, ...] = (FIRST, SECOND)) -> None:
        """Change records on servers; a change is `replace NAME TTL TYPE VALUE` or `delete NAME TYPE`."""
        for address in at:
            message = dns.update.Update(zone, keyring=dns.tsigkeyring.from_text({TSIG_NAME: TSIG_SECRET}))
            for action, name, *rest in changes:
                getattr(message, action)(name, *[int(one) if one.isdigit() else one for one in rest])
            answer = dns.query.tcp(message, address, port=self.port, timeout=60)
            assert answer.rcode() == dns.rcode.NOERROR, answer

    def _zones(self) -> dict[str, str]:
        """Write the files of all zones; return what the parent promises of the signed ones."""
        for folder in ("first", "second", "keys", "stale"):
            (self.directory / folder).mkdir()
        for zone, records in ZONES.items():
            minimum = 2 if zone in {"fast.test", "ours.test"} else 300
            text = "$TTL 300\n" + SOA.format(serial=2, minimum=minimum) + records
            (self.directory / "first" / f"{zone}.zone").write_text(text)
            if zone in ON_SECOND:
                older = text.replace(" 2 3600", " 1 3600").replace(f"shop A {SERVER}", "shop A 198.51.100.7")
                (self.directory / "second" / f"{zone}.zone").write_text(older if zone == "disagree.test" else text)
        return {zone: self._sign(zone) for zone in SIGNED}

    def _sign(self, zone: str) -> str:
        file = self.directory / "first" / f"{zone}.zone"
        key = self._run("dnssec-keygen", "-q", "-K", "keys", "-a", "ECDSAP256SHA256", "-f", "KSK", zone).strip()
        self._run("dnssec-keygen", "-q", "-K", "keys", "-a", "ECDSAP256SHA256", zone)
        dates = ("-s", "now-1209600", "-e", "now-604800") if zone == "expired.test" else ()
        # -P: what is wrong on purpose would not pass the tool's own verification.
        signing = ("-q", "-P", "-S", "-K", "keys", "-d", "keys", *dates, "-o", zone)
        self._run("dnssec-signzone", *signing, "-f", str(file), str(file))
        if zone == "bogus.test":
            # The parent keeps the DS record of a key that the zone has no more, as after a change of the provider.
            key = self._run("dnssec-keygen", "-q", "-K", "stale", "-a", "ECDSAP256SHA256", "-f", "KSK", zone).strip()
            return self._run("dnssec-dsfromkey", "-2", f"stale/{key}.key").strip()
        return self._run("dnssec-dsfromkey", "-2", f"keys/{key}.key").strip()

    def _root(self, promised: dict[str, str]) -> None:
        soa = "$TTL 300\n@ IN SOA ns.test. hostmaster.test. 1 3600 600 86400 300\n@ IN NS ns.test.\n"
        (self.directory / "root.zone").write_text(
            f"{soa}test. IN NS ns.test.\nns.test. IN A {ROOT}\nsslip.io. IN NS ns1.example.test.\n"
        )
        both = ("ns1.example.test", "ns2.example.test")
        lines = [
            f"{zone}. IN NS {server}."
            for zone in (*ZONES, "alllame.test")
            if zone not in {"hidden.test", "sslip.io"}
            for server in DELEGATIONS.get(zone, both)
        ]
        lines += [f"ns1.example.test. IN A {FIRST}", f"ns2.example.test. IN A {SECOND}"]
        lines += [f"ns.test. IN A {ROOT}", f"ns9.test. IN A {NOBODY}", *promised.values()]
        (self.directory / "test.zone").write_text(soa + "\n".join(lines) + "\n")

    def _server(self, name: str, address: str, zones: dict[str, str]) -> None:
        clauses = "".join(
            f'zone "{zone}" {{ type primary; file "{file}"; allow-update {{ key {TSIG_NAME}; }}; }};\n'
            for zone, file in zones.items()
        )
        hints = "" if "." in zones else self._hints()
        self._start(name, address, "recursion no; notify no; dnssec-validation no;", clauses + hints)

    def _resolver(self, promised: dict[str, str]) -> None:
        anchors = ""
        for zone, ds in promised.items():
            match = re.search(r"DS (\d+) (\d+) (\d+) ([0-9A-F ]+)", ds)
            assert match, ds
            anchors += f'"{zone}" static-ds {match[1]} {match[2]} {match[3]} "{match[4].replace(" ", "")}"; '
        # Known to this resolver alone, as a name of an internal network is.
        hidden = f'zone "hidden.test" {{ type forward; forward only; forwarders {{ {FIRST} port {self.port}; }}; }};\n'
        options = "recursion yes; dnssec-validation yes; empty-zones-enable no; prefetch 0; servfail-ttl 0;"
        self._start(
            "resolver",
            RESOLVER,
            options,
            f"trust-anchors {{ {anchors}}};\n{self._hints()}{hidden}",
        )

    def _hints(self) -> str:
        """Return the clause without which a server would look for the root servers of the real internet."""
        (self.directory / "hints").write_text(f". 3600 IN NS ns.test.\nns.test. 3600 IN A {ROOT}\n")
        return 'zone "." { type hint; file "hints"; };\n'

    def _start(self, name: str, address: str, options: str, clauses: str) -> None:
        (self.directory / f"{name}.keys").mkdir()
        configuration = self.directory / f"{name}.conf"
        configuration.write_text(
            f'key {TSIG_NAME} {{ algorithm hmac-sha256; secret "{TSIG_SECRET}"; }};\n'
            f'key {READER_NAME} {{ algorithm hmac-sha256; secret "{READER_SECRET}"; }};\n'
            f'options {{ directory "{self.directory}"; port {self.port}; pid-file none; session-keyfile none;\n'
            f"listen-on port {self.ports[address]} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};\n"
            "allow-query { any; };\n"
            f'managed-keys-directory "{self.directory / name}.keys"; '
            f"allow-transfer {{ key {TSIG_NAME}; key {READER_NAME}; }}; {options} }};\ncontrols {{ }};\n{clauses}"
        )
        log = (self.directory / f"{name}.log").open("wb")
        with log:
            self.processes.append(
                subprocess.Popen(
                    [_program("named"), "-g", "-4", "-n", "1", "-c", str(configuration)],
                    stdout=log,
                    stderr=log,
                    cwd=self.directory,
                )
            )

    def _await(self, address: str, name: str) -> None:
        query = dns.message.make_query(name, "SOA")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if dns.query.udp(query, address, port=self.port, timeout=0.5).answer:
                    return
            except (dns.exception.Timeout, OSError):
                pass
            ended = [process.args for process in self.processes if process.poll() is not None]
            if ended:
                break
        logs = "\n".join(file.read_text()[-2000:] for file in self.directory.glob("*.log"))
        raise RuntimeError(f"the name server at {address} does not answer:\n{logs}")

    def _run(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [_program(program), *arguments], cwd=self.directory, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    assert found, name
    return found


def free_ports(count: int) -> list[int]:
    """Return ports that are free for both protocols at all addresses, below those that connections take by chance."""
    ports: list[int] = []
    for port in random.sample(range(20000, 32000), 500):
        if len(ports) == count:
            break
        with suppress(OSError):
            for address in ("127.0.0.1", ROOT, FIRST, SECOND, RESOLVER):
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    with socket.socket(socket.AF_INET, kind) as probe:
                        probe.bind((address, port))
            ports.append(port)
    return ports
