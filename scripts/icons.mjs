// `npm run icons`: draws every icon in assets/ from the shapes below. Run by Node it starts Electron with this same file, and
// there Chromium rasterises.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { root } from './places.mjs';

/** @typedef {{ svg: string, sizes: number[] }} Drawing */

const assets = join(root, 'assets');
const amber = '#E8A33D';

/**
 * A prompt and the baton that follows it, on a 16-unit grid.
 * @param {string} prompt colour of the prompt
 * @param {string} baton colour of the baton
 */
const glyph = (prompt, baton) => `
  <path d="M2.6 4.4 6.2 8l-3.6 3.6" fill="none" stroke="${prompt}" stroke-width="1.9" stroke-linecap="round" stroke-linejoin="round"/>
  <path d="M8.3 12.9 12.9 3.1" fill="none" stroke="${baton}" stroke-width="2.5" stroke-linecap="round"/>`;

const svg = (/** @type {string} */ body) => `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">${body}</svg>`;

const appIcon = svg(`
  <rect x="0.9" y="0.9" width="14.2" height="14.2" rx="3.3" fill="#16181D"/>
  <rect x="0.96" y="0.96" width="14.08" height="14.08" rx="3.24" fill="none" stroke="#2C3038" stroke-width="0.12"/>
  <g transform="translate(8 8) scale(0.66) translate(-8 -8)">${glyph('#D7DAE0', amber)}</g>`);

/** A dot for "needs you", clear of the baton. */
const dot = (/** @type {string} */ colour) => `<circle cx="13.6" cy="12.9" r="2.2" fill="${colour}"/>`;

/** Readable on a light panel and on a dark one: Linux and Windows do not say which it is. */
const panelGrey = '#8B919C';
const trayIcons = {
  idle: { colour: svg(glyph(panelGrey, panelGrey)), template: svg(glyph('#000', '#000')) },
  attention: { colour: svg(glyph(panelGrey, amber) + dot(amber)), template: svg(glyph('#000', '#000') + dot('#000')) },
};

/**
 * @param {(svg: string, size: number) => Promise<Buffer>} rasterise
 */
async function drawAll(rasterise) {
  const appSizes = [16, 24, 32, 48, 64, 128, 256, 512, 1024];
  const app = new Map(
    await Promise.all(appSizes.map(async (size) => /** @type {const} */ ([size, await rasterise(appIcon, size)]))),
  );
  const png = (/** @type {number} */ size) => app.get(size) ?? Buffer.alloc(0);
  await save('icon.svg', Buffer.from(`${appIcon.replace(/\n\s*/g, '\n  ')}\n`));
  await save('icon.png', png(512));
  for (const size of [16, 32, 48, 64, 128, 256, 512]) await save(`icons/${size}x${size}.png`, png(size));
  await save('icon.ico', ico([16, 24, 32, 48, 64, 128, 256].map((size) => ({ size, png: png(size) }))));
  await save(
    'icon.icns',
    icns({ icp4: png(16), icp5: png(32), icp6: png(64), ic07: png(128), ic08: png(256), ic09: png(512), ic10: png(1024) }),
  );
  for (const [name, { colour, template }] of Object.entries(trayIcons)) {
    await save(`tray/${name}.png`, await rasterise(colour, 22));
    await save(`tray/${name}@2x.png`, await rasterise(colour, 44));
    await save(`tray/${name}Template.png`, await rasterise(template, 16));
    await save(`tray/${name}Template@2x.png`, await rasterise(template, 32));
    const sizes = [16, 20, 24, 32, 48];
    await save(
      `tray/${name}.ico`,
      ico(await Promise.all(sizes.map(async (size) => ({ size, png: await rasterise(colour, size) })))),
    );
  }
}

/**
 * @param {string} name
 * @param {Buffer} bytes
 */
async function save(name, bytes) {
  const path = join(assets, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
}

/**
 * Windows: a directory of images, here all PNG.
 * @param {{ size: number, png: Buffer }[]} images
 */
function ico(images) {
  const headerBytes = 6;
  const entryBytes = 16;
  const head = Buffer.alloc(headerBytes + entryBytes * images.length);
  head.writeUInt16LE(1, 2);
  head.writeUInt16LE(images.length, 4);
  let offset = head.length;
  for (const [index, { size, png }] of images.entries()) {
    const at = headerBytes + entryBytes * index;
    head.writeUInt8(size % 256, at);
    head.writeUInt8(size % 256, at + 1);
    head.writeUInt16LE(1, at + 4);
    head.writeUInt16LE(32, at + 6);
    head.writeUInt32LE(png.length, at + 8);
    head.writeUInt32LE(offset, at + 12);
    offset += png.length;
  }
  return Buffer.concat([head, ...images.map(({ png }) => png)]);
}

/**
 * macOS: tagged images, PNG inside.
 * @param {Record<string, Buffer>} images
 */
function icns(images) {
  const block = (/** @type {string} */ tag, /** @type {Buffer} */ bytes) => {
    const head = Buffer.alloc(8);
    head.write(tag, 'latin1');
    head.writeUInt32BE(bytes.length + head.length, 4);
    return Buffer.concat([head, bytes]);
  };
  return block('icns', Buffer.concat(Object.entries(images).map(([tag, bytes]) => block(tag, bytes))));
}

async function inElectron() {
  const { app, BrowserWindow } = await import('electron');
  await app.whenReady();
  const window = new BrowserWindow({ show: false, webPreferences: { sandbox: true } });
  await window.loadURL('data:text/html,<!doctype html>');
  await drawAll(async (drawing, size) => {
    const source = `data:image/svg+xml;base64,${Buffer.from(drawing).toString('base64')}`;
    /** @type {string} */
    const url = await window.webContents.executeJavaScript(`(async () => {
      const image = new Image(${size}, ${size});
      image.src = ${JSON.stringify(source)};
      await image.decode();
      const canvas = Object.assign(document.createElement('canvas'), { width: ${size}, height: ${size} });
      canvas.getContext('2d').drawImage(image, 0, 0, ${size}, ${size});
      return canvas.toDataURL('image/png');
    })()`);
    return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
  });
  app.exit(0);
}

async function inNode() {
  const { withDisplay } = await import('./display.mjs');
  const { run } = await import('./run.mjs');
  const { setupOrExit } = await import('./setup.mjs');
  const runtime = await setupOrExit();
  const asRoot = process.platform === 'linux' && process.getuid?.() === 0;
  const args = [import.meta.filename, ...(asRoot ? ['--no-sandbox'] : [])];
  process.exitCode = await withDisplay((env) => run(runtime.executable, args, { env }));
}

// Not awaited: `ready` does not come before an entry module has finished.
void (process.versions.electron ? inElectron() : inNode());
