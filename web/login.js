/* The login page: asks, says what is wrong, goes on to the page that was wanted (?next=). Without this script the
 * form works too, with less to say. */

import { afterLogin, loginWords } from "./login-words.js";

const LIMIT_MS = 30000;
const base = new URL("./", location.href);
const next = afterLogin(new URLSearchParams(location.search).get("next"), base);
const form = document.getElementById("login");
const said = document.getElementById("said");

form.elements.next.value = next.href.slice(base.href.length);

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (form.inert)
    return;
  form.inert = true;
  said.textContent = "One moment …";
  const why = await ask(new URLSearchParams(new FormData(form)));
  form.inert = false;
  if (why === "") {
    location.replace(next);
    return;
  }
  said.textContent = why;
  form.elements.password.value = "";
  form.elements.password.focus();
});

/* "": come in. Else why not. */
async function ask(body) {
  try {
    const answer = await fetch("login", { method: "POST", body, signal: AbortSignal.timeout(LIMIT_MS) });
    return loginWords(answer.status, answer.headers.get("retry-after"));
  } catch (error) {
    return loginWords(0, null);
  }
}

/* Somebody who came from another page, a mail say, sends no cookie with that first step, and is in all the same. */
fetch("api", { cache: "no-store" }).then((answer) => {
  if (answer.ok)
    location.replace(next);
}).catch(() => {});
