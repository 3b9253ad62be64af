/* One WebRTC session: pictures (and sound) around the WebSocket, from the server's UDP or ICE-TCP port into a
 * <video> of its own. Who makes it carries offer and answer, and makes another one when it has failed. */

const CONNECT_LIMIT_MS = 5000; // from the answer: all of UDP, then TCP, had their chance
const FIRST_LIMIT_MS = 90000; // from then on: the server may wait for a key frame, and cameras for long between two
const AGE_MAX_MS = 60000; // what the browser says before it knows the server's clock
const RTP_HZ = 90000;
const CURRENT_SHARE = 0.5; // pictures whose own times go on at least so fast beside the clock,
const CURRENT_SHARE_MAX = 3; // and not faster than this,
const CURRENT_AFTER_MS = 250; // or, where their times are not told, that came for so long, are of now
const CODECS = ["video/h264", "video/h265"];

export class WebRtc {
  video = document.createElement("video");
  connected = false;
  isCurrent = false; // its pictures are of now: the burst at the join is over
  hasSound = false;
  #report;
  #peer = null;
  #described = null; // a promise that the offer is there
  #isOffered = false;
  #answeredAt = 0; // 0: not yet
  #connectedAt = 0;
  #frames = 0;
  #before = null; // the picture before: { now, rtp }
  #beganAt = 0;
  #frameCallback = 0;
  #packets = -1; // that came until the last look; -1: nobody has looked since a picture came
  #silentSince = 0; // 0: not
  #asking = false;
  #figures = {};
  #failed = false;
  #dead = false;

  /* Why it cannot be used here, or "". */
  static async ask() {
    const answer = (why) => ({ form: "", codecs: "", why });
    if (!("RTCPeerConnection" in globalThis))
      return answer("this browser has no WebRTC");
    if (!("requestVideoFrameCallback" in HTMLVideoElement.prototype))
      return answer("this browser does not tell when a picture is shown");
    const { codecs } = globalThis.RTCRtpReceiver?.getCapabilities?.("video") ?? { codecs: [{ mimeType: CODECS[0] }] };
    const plays = codecs.some(({ mimeType }) => CODECS.includes(mimeType.toLowerCase()));
    return answer(plays ? "" : "this browser's WebRTC plays no H.264");
  }

  /* servers: for RTCPeerConnection; sound: wanted (it is muted until somebody unmutes .video). report: { offer(sdp), presented(now, ageMs or null, its RTP time) for each picture,
   * failed(kind, text), blocked() }; kind "path" (no way there), "lost" (there was one) or "broken". */
  constructor({ servers, sound, report }) {
    const { video } = this;
    this.#report = report;
    video.muted = true;
    video.playsInline = true;
    video.disablePictureInPicture = true;
    video.tabIndex = -1;
    video.setAttribute("aria-hidden", "true");
    try {
      this.#peer = new RTCPeerConnection({ iceServers: servers, bundlePolicy: "max-bundle" });
    } catch (error) {
      queueMicrotask(() => this.#fail("broken", error.message));
      return;
    }
    this.#prepare(sound);
    this.#described = this.#peer.setLocalDescription();
    this.#described.catch((error) => this.#fail("broken", error.message));
  }

  get stats() {
    return { frames: this.#frames, sound: this.hasSound, ...this.#figures };
  }

  /* The server takes one: report.offer() follows. */
  async offer() {
    this.#isOffered = true;
    try {
      await this.#described;
    } catch (error) {
      return; // that was told
    }
    if (!this.#dead && !this.#failed)
      this.#report.offer(this.#peer.localDescription.sdp);
  }

  async answer(sdp) {
    this.#answeredAt = performance.now();
    try {
      await this.#peer.setRemoteDescription({ type: "answer", sdp });
    } catch (error) {
      this.#fail("broken", error.message);
    }
  }

  /* Called several times a second. */
  tick(now) {
    if (this.#dead || this.#failed || !this.#isOffered)
      return;
    if (!this.connected && this.#answeredAt && now - this.#answeredAt > CONNECT_LIMIT_MS)
      this.#fail("path", "no way to the server for WebRTC");
    else if (this.connected && this.#frames === 0 && now - this.#connectedAt > FIRST_LIMIT_MS)
      this.#fail("broken", "no picture came by WebRTC");
    else if (this.video.srcObject && this.video.paused && !document.hidden)
      this.play();
  }

  /* For how long it is certain that nothing comes, in ms. */
  silentMs(now) {
    return this.#silentSince > 0 ? now - this.#silentSince : 0;
  }

  /* Something may have come. */
  heard() {
    this.#packets = -1;
    this.#silentSince = 0;
  }

  /* Finds out whether anything comes. */
  async listen() {
    if (this.#asking || this.#dead || this.#failed)
      return;
    this.#asking = true;
    try {
      this.#look(await this.#peer.getStats());
    } catch (error) {
      // Closed meanwhile.
    }
    this.#asking = false;
  }

  play() {
    if (!this.video.srcObject)
      return;
    this.video.play().catch((error) => {
      if (!this.#dead && error.name === "NotAllowedError")
        this.#report.blocked();
    });
  }

  close() {
    if (this.#dead)
      return;
    this.#dead = true;
    if (this.#frameCallback)
      this.video.cancelVideoFrameCallback(this.#frameCallback);
    if (this.#peer)
      this.#peer.onconnectionstatechange = this.#peer.ontrack = null;
    this.#peer?.close();
    this.video.pause();
    this.video.srcObject = null;
  }

  #prepare(sound) {
    const peer = this.#peer;
    const { video } = this;
    peer.addTransceiver("video", { direction: "recvonly" });
    if (sound)
      peer.addTransceiver("audio", { direction: "recvonly" });
    peer.ontrack = ({ track }) => {
      this.hasSound ||= track.kind === "audio";
      video.srcObject ??= new MediaStream();
      video.srcObject.addTrack(track);
      this.play();
    };
    peer.onconnectionstatechange = () => this.#changed();
    const presented = (now, metadata) => {
      this.#frameCallback = video.requestVideoFrameCallback(presented);
      this.#presented(performance.now(), metadata);
    };
    this.#frameCallback = video.requestVideoFrameCallback(presented);
  }

  #changed() {
    const { connectionState: state } = this.#peer;
    if (state === "connected" && !this.connected)
      this.#isConnected();
    else if (state === "failed" || state === "closed")
      this.#ended();
  }

  #isConnected() {
    const transport = this.#peer.getReceivers()[0]?.transport;
    this.connected = true;
    this.#connectedAt = performance.now();
    if (!transport)
      return;
    // The server's goodbye changes nothing else.
    transport.onstatechange = () => {
      if (transport.state === "closed" || transport.state === "failed")
        this.#ended();
    };
  }

  #ended() {
    if (this.connected)
      this.#fail("lost", "the WebRTC session has ended");
    else
      this.#fail("path", "no way to the server for WebRTC");
  }

  #presented(now, metadata) {
    if (this.#dead || this.#failed || this.video.paused) // what comes is told of even then, and is not to be seen
      return;
    this.#frames += 1;
    this.#beganAt ||= now;
    this.isCurrent ||= this.#isOfNow(now, metadata.rtpTimestamp);
    this.#before = { now, rtp: metadata.rtpTimestamp };
    this.heard();
    const age = now - metadata.captureTime;
    this.#report.presented(now, age > -1000 && age < AGE_MAX_MS ? age : null, metadata.rtpTimestamp);
  }

  /* What the server has kept comes first, with times that hardly differ, as fast as it can be decoded. */
  #isOfNow(now, rtp) {
    const before = this.#before;
    if (!Number.isFinite(rtp))
      return now - this.#beganAt >= CURRENT_AFTER_MS;
    if (before === null || now <= before.now)
      return false;
    const share = 1000 * ((rtp - before.rtp) >>> 0) / RTP_HZ / (now - before.now);
    return share >= CURRENT_SHARE && share <= CURRENT_SHARE_MAX;
  }

  #look(report) {
    let packets = 0;
    for (const one of report.values()) {
      if (one.type === "transport")
        packets += one.packetsReceived ?? 0;
      else if (one.type === "candidate-pair")
        packets += one.bytesReceived ?? 0;
      else if (one.type === "inbound-rtp" && one.kind === "video")
        this.#figures = figuresOf(one);
    }
    if (packets !== this.#packets)
      this.#silentSince = performance.now();
    this.#packets = packets;
  }

  #fail(kind, text) {
    if (this.#dead || this.#failed)
      return;
    this.#failed = true; // reported once; close() is for who made it, the last picture stays until then
    this.#report.failed(kind, text);
  }
}

/* For measuring. */
function figuresOf(one) {
  const { framesDecoded = 0, framesDropped = 0, packetsLost = 0, nackCount = 0, pliCount = 0, freezeCount = 0,
    totalFreezesDuration = 0 } = one;
  return { framesDecoded, framesDropped, packetsLost, nackCount, pliCount, freezeCount, totalFreezesDuration };
}
