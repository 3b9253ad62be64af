"""camhub-rtc alone: this process is its supervisor, and an HTTP server through which a page brings its offers."""

import http.server
import json
import socket
import threading

import worker
from child import Child
from wait import until

SUBSCRIBER = 41
PAGE = b"""<!DOCTYPE html><meta charset="utf-8"><title>rtc</title><video id="v" muted autoplay playsinline></video>
<script type="module">
const video = document.getElementById("v");
window.frames = [];
const onFrame = (now, data) => {
  window.frames.push({now, ...data});
  video.requestVideoFrameCallback(onFrame);
};
video.requestVideoFrameCallback(onFrame);
window.play = async (query = "", options = {}) => {
  const begun = performance.now();
  const pc = new RTCPeerConnection();
  window.pc = pc;
  window.states = [];
  pc.onconnectionstatechange = () => window.states.push(pc.connectionState);
  const stream = new MediaStream();
  pc.ontrack = (event) => { stream.addTrack(event.track); video.srcObject = stream; video.play(); };
  for (const kind of options.kinds ?? ["video"])
    pc.addTransceiver(kind, {direction: "recvonly"});
  await pc.setLocalDescription(await pc.createOffer());
  window.begun = performance.now();
  const answer = await fetch("/whep" + query, {method: "POST", body: pc.localDescription.sdp});
  const said = await answer.json();
  window.answer = said;
  if (said.code !== 201)
    return said;
  let sdp = said.sdp;
  for (const kind of options.without ?? [])
    sdp = sdp.split("\\r\\n").filter((line) => !(line.startsWith("a=candidate:") && line.includes(" " + kind + " "))).join("\\r\\n");
  if (options.port)
    sdp = sdp.replaceAll(/(a=candidate:\\S+ 1 udp \\S+ \\S+) \\d+/g, `$1 ${options.port}`);
  await pc.setRemoteDescription({type: "answer", sdp});
  return said;
};
window.many = async (n) => {
  window.counts = Array(n).fill(0);
  window.pcs = [];
  for (let i = 0; i < n; i++) {
    const own = document.createElement("video");
    own.muted = own.autoplay = true;
    document.body.append(own);
    const count = () => { window.counts[i]++; own.requestVideoFrameCallback(count); };
    own.requestVideoFrameCallback(count);
    const pc = new RTCPeerConnection();
    window.pcs.push(pc);
    pc.ontrack = (event) => { own.srcObject = new MediaStream([event.track]); };
    pc.addTransceiver("video", {direction: "recvonly"});
    await pc.setLocalDescription(await pc.createOffer());
    const said = await (await fetch("/whep", {method: "POST", body: pc.localDescription.sdp})).json();
    await pc.setRemoteDescription({type: "answer", sdp: said.sdp});
  }
};
window.lost = () => Promise.all(pcs.map(async (pc) =>
  [...(await pc.getStats()).values()].filter((r) => r.type === "inbound-rtp").reduce((n, r) => n + r.packetsLost, 0)));
window.first = () => window.frames.length && window.frames[0].now - window.begun;
window.stats = async () => {
  const found = {};
  for (const report of (await pc.getStats()).values()) {
    if (report.type === "inbound-rtp")
      found[report.kind] = {...report};
    if (report.type === "candidate-pair" && report.nominated)
      found.pair = {...report};
    if (report.type === "transport")
      found.transport = {...report};
  }
  return found;
};
</script>"""


def listener(kind, address="127.0.0.1", port=0):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
    if kind == "tcp":
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((address, port))
    if kind == "tcp":
        made.listen(64)
    made.setblocking(False)
    return made


class RtcFront(Child):
    """
    The program on a control channel. streams: name -> (id, epoch, bus path). Offers are made with offer(), or by the page
    that serve() shows. addresses: where it listens, for UDP and TCP on one number.
    """

    def __init__(self, streams=(), addresses=("127.0.0.1",), config=None, **front_config):
        self.on_message, self.answers, self.requests = None, {}, 0
        super().__init__("camhub-rtc", "rtc", "rtc")
        self.sockets, self.http = [], None
        self.send("front-config", **{
            "subscriber": SUBSCRIBER, "web_dir": "/nonexistent", "log_level": "debug", "max_viewers": 1000,
            "viewer_lag_bytes": 16 << 20, "ring_bytes": 64 << 20, "request_deadline_ms": 10000, "live_target_ms": 0,
            "snapshot_timeout_ms": 5000, **front_config})
        self.send("access-keys", required=False, current="0" * 64, revoked=[], users=[])
        self.port = self._listen(addresses)
        self.send("rtc-config", **{"addresses": [], "port": self.port, "max_sessions": 1000, "max_per_address": 0,
                                   **(config or {})})
        for name, (number, epoch, bus) in dict(streams).items():
            self.announce(name, number, epoch, bus)
        self.send("streams-synced")
        self.wait_message("ready")

    def _listen(self, addresses):
        """One number for all of them, which somebody else may have for one of them."""
        for _ in range(20):
            port, made = 0, []
            try:
                for address in addresses:
                    for kind in ("udp", "tcp"):
                        made.append((kind, address, listener(kind, address, port)))
                        port = made[-1][2].getsockname()[1]
                break
            except OSError:
                for *_, one in made:
                    one.close()
        for kind, address, one in made:
            self.send("rtc-listener", [one.fileno()], address=f"{address}:{port}", kind=kind)
            self.sockets.append(one)
        return port

    def announce(self, name, number, epoch, bus):
        self.send("stream", id=number, name=name, camera=name.split(".")[0], title="", order=0, on_demand=False, state="up",
                  since_ms=0, epoch=epoch, bus=bus)

    def heard(self, message):
        if message["type"] == "rtc-answer":
            self.answers[message["request"]] = message
        if self.on_message:
            self.on_message(message)

    def offer(self, sdp, stream=worker.STREAM_ID, **fields):
        """The answer of an offer: the message rtc-answer."""
        self.requests += 1
        request = self.requests
        self.send("rtc-offer", **{"request": request, "id": stream, "sdp": sdp, "address": "127.0.0.1", "local": "127.0.0.1",
                                  "way": "open", "user": "", "role": "operator", "cameras": [], **fields})
        return until(lambda: self.answers.get(request), lambda: f"no answer: {self.messages[-3:]}")

    def serve(self):
        """A page whose window.play() brings an offer here. Returns its URL."""
        front = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def _reply(self, kind, body):
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                self._reply("text/html", PAGE if self.path == "/" else b"")

            def do_POST(self):
                sdp = self.rfile.read(int(self.headers["Content-Length"])).decode()
                fields = {"smooth": True} if "smooth" in self.path else {}
                answer = front.offer(sdp, **fields)
                if self.headers["Content-Type"] != "application/sdp":
                    self._reply("application/json", json.dumps(answer).encode())
                    return
                self.send_response(answer["code"])
                body = answer.get("sdp", answer.get("error", "")).encode()
                self.send_header("Content-Type", "application/sdp")
                self.send_header("Location", f"{self.path}/{answer.get('session', '')}")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_DELETE(self):
                front.send("rtc-close", request=10**6, id=worker.STREAM_ID, session=self.path.rsplit("/", 1)[1])
                self._reply("text/plain", b"")

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.http.server_address[1]}/"

    def stop(self):
        """The end of the channel means: leave now. Returns the exit code."""
        if self.http:
            self.http.shutdown()
            self.http.server_close()
        if self.exit_code is None:
            self.leave()
        for made in self.sockets:
            made.close()
        violation = self.last("violation")
        assert not violation, f"a forbidden system call: {violation}"
        return self.exit_code

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.stop()
