/* How to lay n equal tiles on a screen. Pure. */

export const ASPECT = 16 / 9;
const PHONE_SIDE = 500; // a screen with a side shorter than this is a phone's

/* The columns that make count tiles of 16:9 as large as possible in width x height with gaps, and the
 * tile's size in whole pixels. On a phone one column (two when it lies on its side), scrolling. forced: a
 * number of columns the user asked for, 0 for none; more rows than fit then scroll. */
export function layout(count, width, height, gap, forced = 0) {
  if (count < 1 || width < 1 || height < 1)
    return { columns: 1, width: 0, height: 0, scroll: false };
  if (forced > 0)
    return scrolling(Math.min(forced, count), count, width, height, gap);
  if (Math.min(width, height) < PHONE_SIDE)
    return scrolling(width < height ? 1 : Math.min(2, count), count, width, height, gap);
  let best = fit(1, count, width, height, gap);
  for (let columns = 2; columns <= count; columns += 1) {
    const one = fit(columns, count, width, height, gap);
    if (one.width > best.width)
      best = one;
  }
  return best;
}

function fit(columns, count, width, height, gap) {
  const rows = Math.ceil(count / columns);
  const byWidth = (width - gap * (columns + 1)) / columns;
  const byHeight = ((height - gap * (rows + 1)) / rows) * ASPECT;
  const tile = Math.max(1, Math.floor(Math.min(byWidth, byHeight)));
  return { columns, width: tile, height: Math.max(1, Math.floor(tile / ASPECT)), scroll: false };
}

function scrolling(columns, count, width, height, gap) {
  const tile = Math.max(1, Math.floor((width - gap * (columns + 1)) / columns));
  const tall = Math.max(1, Math.floor(tile / ASPECT));
  const rows = Math.ceil(count / columns);
  return { columns, width: tile, height: tall, scroll: rows * (tall + gap) + gap > height };
}

/* The index that an arrow key, Home or End leads to from index; the same one where there is nothing. */
export function neighbour(key, index, count, columns) {
  const to = {
    ArrowLeft: index - 1,
    ArrowRight: index + 1,
    ArrowUp: index - columns,
    ArrowDown: index + columns,
    Home: 0,
    End: count - 1,
  }[key];
  if (to === undefined)
    return index;
  if (key === "ArrowDown" && to >= count && Math.floor(index / columns) < Math.floor((count - 1) / columns))
    return count - 1;
  return to >= 0 && to < count ? to : index;
}
