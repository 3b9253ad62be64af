/* Where a login leads, and what is said when it fails. Pure. */

/* The page that was wanted: one of ours, below base; else base itself. */
export function afterLogin(wanted, base) {
  try {
    const url = new URL(`./${wanted ?? ""}`, base);
    return url.href.startsWith(base.href) && !/^[/\\]/.test(wanted ?? "") ? url : new URL(base);
  } catch (error) {
    return new URL(base);
  }
}

/* The address of the login page, with the way back to page; both below base. */
export function loginUrl(page, base) {
  const url = new URL("login", base), root = new URL("./", base).href;
  if (page.startsWith(root) && page !== root)
    url.searchParams.set("next", page.slice(root.length));
  return url;
}

/* "": it succeeded. status 0: no answer. */
export function loginWords(status, retryAfter) {
  const seconds = Number(retryAfter);
  if (status >= 200 && status < 300)
    return "";
  if (status === 401)
    return "Name or password is wrong.";
  if (status === 429)
    return seconds > 0 ? `Too many wrong passwords. Try again in ${Math.ceil(seconds)} s.`
      : "Too many wrong passwords. Try again later.";
  if (status === 503)
    return "The server is busy. Try again in a moment.";
  return status === 0 ? "The server does not answer." : `The server answers ${status}.`;
}
