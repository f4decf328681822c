/** A picture in RGB on which shapes are blended, with smooth edges. */

export type Color = readonly [red: number, green: number, blue: number];

export interface Canvas {
  width: number;
  height: number;
  /** Three bytes for each pixel, row by row. */
  data: Uint8Array;
}

/** A rectangle in pixels; its edges may lie between pixels. */
export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** Creates a picture with a colour for each row. */
export function createCanvas(width: number, height: number, colorOfRow: (row: number) => Color): Canvas {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const [red, green, blue] = colorOfRow(y);
    for (let at = y * width * 3; at < (y + 1) * width * 3; at += 3) {
      data[at] = red;
      data[at + 1] = green;
      data[at + 2] = blue;
    }
  }
  return { width, height, data };
}

/** Blends a colour over whole pixels of a box. */
export function fillBox(canvas: Canvas, box: Box, color: Color, opacity: number): void {
  for (let y = Math.max(0, Math.round(box.top)); y < Math.min(canvas.height, Math.round(box.bottom)); y++)
    for (let x = Math.max(0, Math.round(box.left)); x < Math.min(canvas.width, Math.round(box.right)); x++)
      blend(canvas, x, y, color, opacity);
}

/**
 * Blends a box with round corners. A pixel at the edge is covered by the part of it that lies inside, by its distance to the edge.
 * @param colorAt the colour of a row
 */
export function fillRounded(
  canvas: Canvas,
  box: Box,
  radius: number,
  colorAt: (row: number) => Color,
  opacity: number,
): void {
  const [centerX, centerY] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
  const [halfX, halfY] = [(box.right - box.left) / 2 - radius, (box.bottom - box.top) / 2 - radius];
  for (let y = Math.max(0, Math.floor(box.top)); y < Math.min(canvas.height, Math.ceil(box.bottom)); y++) {
    const color = colorAt(y);
    for (let x = Math.max(0, Math.floor(box.left)); x < Math.min(canvas.width, Math.ceil(box.right)); x++) {
      const dx = Math.abs(x + 0.5 - centerX) - halfX;
      const dy = Math.abs(y + 0.5 - centerY) - halfY;
      const outside = (dx > 0 && dy > 0 ? Math.sqrt(dx * dx + dy * dy) : Math.max(dx, dy)) - radius;
      const coverage = Math.min(1, Math.max(0, 0.5 - outside));
      if (coverage > 0) blend(canvas, x, y, color, opacity * coverage);
    }
  }
}

/** A colour between two others. */
export function mix(from: Color, to: Color, share: number): Color {
  const between = (n: 0 | 1 | 2): number => Math.round(from[n] + (to[n] - from[n]) * share);
  return [between(0), between(1), between(2)];
}

function blend({ width, data }: Canvas, x: number, y: number, [red, green, blue]: Color, opacity: number): void {
  const at = (y * width + x) * 3;
  const under = 1 - opacity;
  data[at] = Math.round((data[at] ?? 0) * under + red * opacity);
  data[at + 1] = Math.round((data[at + 1] ?? 0) * under + green * opacity);
  data[at + 2] = Math.round((data[at + 2] ?? 0) * under + blue * opacity);
}
