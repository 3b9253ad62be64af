"""Cameras for the tests: the real RTSP server of rtsp_camera.c, and places where none answers."""

import select
import shutil
import socket
import subprocess
import tempfile
import threading

from ports import free_port
from wait import PATIENCE_S


class RtspCamera:
    """One rtsp_camera process; options as its command line takes them: gop=15, user="u", feed=[...]."""

    def __init__(self, program, **options):
        self.program = program
        self.options = options
        self.port = free_port()
        self.process = None
        self.errors = None
        self.start()

    def start(self):
        """Start, or start again on the same port."""
        args = [self.program, f"--port={self.port}"]
        for name, values in self.options.items():
            for value in values if isinstance(values, list) else [values]:
                args.append(f"--{name}" if value is True else f"--{name}={value}")
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.errors, text=True, bufsize=1)
        word, number = self._answer().split()
        assert word == "PORT", word
        self.port = int(number)

    def _answer(self):
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE_S)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            self.errors.seek(0)
            raise AssertionError(f"rtsp_camera said nothing: {self.errors.read()[-2000:]}")
        return line.strip()

    def _ask(self, word):
        self.process.stdin.write(word + "\n")
        return self._answer()

    def url(self, mount="h264"):
        scheme = "rtsps" if "certificate" in self.options else "rtsp"
        return f"{scheme}://127.0.0.1:{self.port}/{mount}"

    def drop(self):
        """Close every connection; the server goes on listening."""
        assert self._ask("drop") == "DROPPED"

    def hang(self):
        """No more media; connections stay."""
        assert self._ask("hang") == "HANGING"

    def resume(self):
        assert self._ask("resume") == "RESUMED"

    def clients(self):
        return int(self._ask("count").split()[1])

    def connections(self):
        """How many there have been since its start."""
        return int(self._ask("connections").split()[1])

    def kill(self):
        """The camera is away without a word."""
        self.process.kill()
        self.process.communicate()
        self.process = None
        self.errors.close()

    def stop(self):
        """The camera is away: its port refuses. start() brings it back."""
        if self.process is None:
            return
        if self.process.poll() is not None:
            self.errors.seek(0)
            raise AssertionError(f"rtsp_camera ended by itself: {self.process.returncode} {self.errors.read()[-2000:]}")
        try:
            self.process.communicate("quit\n", timeout=PATIENCE_S)
        except (subprocess.TimeoutExpired, BrokenPipeError, ValueError):
            self.process.kill()
            self.process.wait()
        self.process = None
        self.errors.close()


class BlackHole:
    """An address that answers nothing at all: a listener whose queue of connections is full."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=0)
        self.port = self.listener.getsockname()[1]
        self.fillers = []
        for _ in range(16):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(self.listener.getsockname())
            self.fillers.append(filler)
            if not select.select([], [filler], [], 0.3)[1]:
                return
        raise AssertionError("the queue of connections never fills")

    def url(self):
        return f"rtsp://127.0.0.1:{self.port}/stream"

    def stop(self):
        for filler in self.fillers:
            filler.close()
        self.listener.close()


class Mute:
    """A port that accepts and never says a word."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]

    def url(self):
        return f"rtsp://127.0.0.1:{self.port}/stream"

    def stop(self):
        self.listener.close()


class Moved:
    """An RTSP server that sends whoever asks for a description elsewhere."""

    def __init__(self, location):
        self.location = location
        self.asked = 0  # descriptions
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def url(self):
        return f"rtsp://127.0.0.1:{self.port}/stream"

    def stop(self):
        self.listener.close()

    def _serve(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection):
        with connection, connection.makefile("rwb") as stream:
            while line := stream.readline():
                head = [line.decode().strip()]
                while field := stream.readline().decode().strip():
                    head.append(field)
                cseq = next(field for field in head if field.lower().startswith("cseq:"))
                answer = "200 OK"
                if head[0].startswith("DESCRIBE"):
                    self.asked += 1
                    answer = f"302 Moved\r\nLocation: {self.location}"
                stream.write(f"RTSP/1.0 {answer}\r\n{cseq}\r\n\r\n".encode())
                stream.flush()


class HangsUp:
    """In front of a camera that asks for a password: closes the connection behind each question.
    What asked knows its nonce, and goes on with the next connection."""

    def __init__(self, camera):
        self.camera = camera
        self.asked = 0
        self.waiting = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def url(self, mount="h264"):
        return f"rtsp://127.0.0.1:{self.port}/{mount}"

    def stop(self):
        self.listener.close()

    def _serve(self):
        while True:
            try:
                viewer = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._relay, args=(viewer,), daemon=True).start()

    def _relay(self, viewer):
        server = self.waiting.pop() if self.waiting else socket.create_connection(("127.0.0.1", self.camera.port))
        with viewer:
            while self._relay_some(viewer, server):
                pass
        if server not in self.waiting:
            server.close()

    def _relay_some(self, viewer, server):
        try:
            for end in select.select([viewer, server], [], [])[0]:
                some = end.recv(65536)
                if not some:
                    return False
                (server if end is viewer else viewer).sendall(some)
                if end is server and some.startswith(b"RTSP/1.0 401"):
                    self.waiting.append(server)
                    self.asked += 1
                    return False
        except OSError:
            return False
        return True


def make_clip(path, seconds=4, size="1280x720", fps=25, kbps=3000, gop=50):
    """A clip for rtsp_camera's /clip: about constant bit rate, one delimiter per access unit."""
    if shutil.which("ffmpeg") is None:
        return False
    subprocess.run(
        ["ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "lavfi",
         "-i", f"testsrc2=size={size}:rate={fps},noise=alls=30:allf=t", "-t", str(seconds),
         "-pix_fmt", "yuv420p",
         "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", str(gop),
         "-b:v", f"{kbps}k", "-minrate", f"{kbps}k", "-maxrate", f"{kbps}k",
         "-bufsize", f"{kbps // 2}k", "-x264-params", "aud=1:scenecut=0", path],
        check=True, timeout=PATIENCE_S)
    return True
