/* Elements and icons, made by hand: no text ever becomes markup, and no attribute a style. */

const SVG = "http://www.w3.org/2000/svg";

/* Lines on a field of 24 x 24. */
const ICONS = {
  wall: "M4 5h7v6H4zM13 5h7v6h-7zM4 13h7v6H4zM13 13h7v6h-7z",
  snapshot: "M4 8h3.5L9 5.5h6L16.5 8H20v11H4zM12 10a3.2 3.2 0 1 0 0 6.4 3.2 3.2 0 0 0 0-6.4z",
  link: "M10.5 13.5a4 4 0 0 0 5.7 0l2.9-2.9a4 4 0 0 0-5.7-5.7L12 6.3M13.5 10.5a4 4 0 0 0-5.7 0l-2.9 2.9a4 4 0 0 0 5.7 5.7L12 17.7",
  embed: "M8.5 7L3.5 12l5 5M15.5 7l5 5-5 5",
  delay: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 7.5V12l3 2",
  overlay: "M4 4h6v6H4zM13 9h7v11h-7zM4 14h5M4 17h5",
  sound: "M4 9.5v5h3.5L12 18.500v-13L7.500 9.5zM15 9a4 4 0 0 1 0 6M17.500 6.500a7.500 7.500 0 0 1 0 11",
  full: "M4 9.5V4h5.5M14.5 4H20v5.5M20 14.5V20h-5.5M9.5 20H4v-5.5",
  keys: "M3 6.5h18v11H3zM6.800 10h.4M10.3 10h.4M13.800 10h.4M17.100 10h.4M8 14h8",
};

/* tag with attributes (true and false set and leave out one without a value) and children. */
export function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "boolean")
      made.toggleAttribute(name, value);
    else
      made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/* A picture that says nothing to those who cannot see it: words stand beside it. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "icon");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}
