/** Red, green and blue, 0 to 255 each. */
export type Rgb = readonly [number, number, number];

export function parseHex(text: string): Rgb | null {
  const hex = /^#([0-9a-f]{6})(?:[0-9a-f]{2})?$/i.exec(text)?.[1];
  if (hex === undefined) return null;
  const value = Number.parseInt(hex, 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

export function toHex(rgb: Rgb): string {
  return `#${rgb.map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')}`;
}

/** Number 16 to 255 of the fixed part of the palette: a cube of six levels, then greys. */
export function indexedColour(index: number): Rgb {
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10;
    return [grey, grey, grey];
  }
  const cube = index - 16;
  const level = (part: number) => (part === 0 ? 0 : 55 + part * 40);
  return [level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6)];
}

/** WCAG 2: 1 to 21. */
export function contrast(a: Rgb, b: Rgb): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((one, other) => other - one) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

function luminance(rgb: Rgb): number {
  const [red, green, blue] = rgb.map((part) => {
    const share = part / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** The colour, or as much lighter or darker as it takes to be read on that background. */
export function readableOn(background: Rgb, colour: Rgb, least: number): Rgb {
  if (contrast(colour, background) >= least) return colour;
  const isDark = contrast(background, [255, 255, 255]) > contrast(background, [0, 0, 0]);
  const target: Rgb = isDark ? [255, 255, 255] : [0, 0, 0];
  for (let share = 0.1; share < 1; share += 0.1) {
    const mixed = colour.map((part, at) => part + ((target[at] ?? 0) - part) * share) as unknown as Rgb;
    if (contrast(mixed, background) >= least) return mixed;
  }
  return target;
}
