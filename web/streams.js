/* What the server tells pages: the list of cameras (api/streams), how to play (api). The choosing is pure. */

const TIMEOUT_MS = 4000;
const STILL_TIMEOUT_MS = 15000;

/* The server's list, or an Error with words for people. */
export async function fetchStreams(base) {
  let answer;
  try {
    const url = new URL("api/streams?consumers=0", base);
    answer = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    throw new Error("The server does not answer");
  }
  if (answer.status === 401)
    throw Object.assign(new Error("You are not logged in"), { name: "LoginError" });
  if (answer.status === 403)
    throw new Error("You may not see these cameras");
  if (!answer.ok)
    throw new Error(`The server answers ${answer.status}`);
  const list = await answer.json().catch((error) => {
    if (error.name !== "SyntaxError")
      throw new Error("The server does not answer"); // all of it, in time
    return null;
  });
  if (list === null || typeof list !== "object" || Array.isArray(list))
    throw new Error("The server's answer makes no sense");
  return list;
}

/* { targetMs, version }: how far behind the newest picture the server wants players to stay, and which it is; each
 * null when it does not say. null when it does not answer. */
export async function fetchServer(base) {
  try {
    const answer = await fetch(new URL("api", base), { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!answer.ok)
      return null;
    const { live_target_ms: target, camhub: version } = await answer.json() ?? {};
    return { targetMs: Number.isFinite(target) && target >= 0 ? target : null, version: text(version) || null };
  } catch (error) {
    return null;
  }
}

/* The newest picture of a camera as an ImageBitmap; null: there is none now. */
export async function fetchStill(base, camera) {
  try {
    const url = new URL(`api/frame.jpeg?src=${encodeURIComponent(camera)}`, base);
    const answer = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(STILL_TIMEOUT_MS) });
    return answer.ok ? await createImageBitmap(await answer.blob()) : null;
  } catch (error) {
    return null;
  }
}

/* Cameras in the order of the configuration: [{ name, title, group, analysed }]; group is "" for none. A camera's second
 * stream, and what is transcoded of one, is no camera. */
export function camerasOf(streams) {
  return Object.entries(streams)
    .filter(([, stream]) => stream?.sub !== true && stream?.transcoded !== true)
    .map(([name, stream]) => ({ name, title: text(stream?.title) || name, group: text(stream?.group),
      analysed: stream?.analysers > 0,
      order: Number(stream?.order) || 0 }))
    .sort((a, b) => a.order - b.order || (a.name < b.name ? -1 : 1));
}

/* Those named in ?cameras=a,b in that order; all of them when there is no such parameter. */
export function chosen(cameras, parameter) {
  if (!parameter)
    return cameras;
  const byName = new Map(cameras.map((camera) => [camera.name, camera]));
  const names = new Set(parameter.split(",").map((name) => name.trim()));
  return [...names].map((name) => byName.get(name)).filter(Boolean);
}

function text(value) {
  return typeof value === "string" ? value : "";
}
