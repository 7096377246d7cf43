import subprocess
import sys


def test_the_protobuf_modules_load_without_the_go_library() -> None:
    code = (
        "import simulator.protobufs as p, sys;"
        "p.e2e.Message(conversation='x').SerializeToString();"
        "assert 'neonize' not in sys.modules;"
        "assert 'neonize-' not in open('/proc/self/maps').read()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
