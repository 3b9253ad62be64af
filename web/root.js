/* The root of the server that this came from: "." of its pages. They take what they need out of a folder that is named
 * after its content, so that a browser need not ask again; pages of others take it from the root itself. */

export const ROOT = new URL(".", import.meta.url.replace(/assets\/[0-9a-f]{16}\/(?=[^/]*$)/, "")).href;
