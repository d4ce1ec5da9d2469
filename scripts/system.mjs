import { capture, onPath } from './run.mjs';

/** What node-gyp needs to compile a native module. */
const toolchain = [
  { program: 'python3', packages: ['python3'] },
  { program: 'make', packages: ['make'] },
  { program: 'g++', packages: ['g++'] },
];
/** What Electron links against, by Debian's names (a newer Debian adds t64 to some). */
const libraries = ['libgtk-3-0', 'libnss3', 'libgbm1', 'libasound2', 'libxss1', 'libatk-bridge2.0-0', 'dbus-x11'];
const display = [{ program: 'Xvfb', packages: ['xvfb'] }];
const browsers = ['chromium', 'chromium-browser', 'google-chrome'];
const testPrograms = [{ program: 'git', packages: ['git'] }];

export const hasDisplay = () => process.platform !== 'linux' || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);

/** @param {(line: string) => void} say */
export async function ensureToolchain(say) {
  if (process.platform === 'linux') await install(missing(toolchain), 'a compiler for native modules', say);
}

/** @param {(line: string) => void} say */
export async function ensurePrograms(say) {
  if (process.platform !== 'linux') return;
  const wanted = hasDisplay() ? testPrograms : [...testPrograms, ...display];
  await install(missing(wanted), hasDisplay() ? 'git' : 'a virtual display', say);
}

/**
 * An ordinary browser for the tests of the page in one. Where it cannot be had they are skipped.
 * @param {(line: string) => void} say
 */
export async function ensureBrowser(say) {
  if (process.platform !== 'linux' || browsers.some(onPath)) return;
  try {
    await install(['chromium'], 'a browser for tests', say);
  } catch (error) {
    say(`system: the tests in a browser are skipped: ${error instanceof Error ? error.message : error}`);
  }
}

/** @param {(line: string) => void} say */
export async function ensureLibraries(say) {
  await install(libraries, "Electron's system libraries", say);
}

/** @param {{ program: string, packages: string[] }[]} needs */
function missing(needs) {
  return needs.filter(({ program }) => !onPath(program)).flatMap(({ packages }) => packages);
}

/**
 * @param {string[]} packages
 * @param {string} what
 * @param {(line: string) => void} say
 */
async function install(packages, what, say) {
  if (packages.length === 0) return;
  if (!onPath('apt-get')) throw new Error(`${what} missing: install what your distribution calls ${packages.join(' ')}`);
  if (process.getuid?.() !== 0) throw new Error(`${what} missing: sudo apt-get install ${packages.join(' ')}`);
  say(`system: installing ${what} (${packages.join(' ')})`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const updated = await capture('apt-get', ['update', '-qq'], { env });
  const names = await Promise.all(packages.map(debianName));
  const installed = await capture('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], { env });
  if (installed.code !== 0) {
    throw new Error(`apt-get could not install ${what}: ${installed.err.trim() || updated.err.trim()}`);
  }
}

/** @param {string} name */
async function debianName(name) {
  const newer = await capture('apt-cache', ['show', `${name}t64`]);
  return newer.code === 0 && newer.out.includes('Package:') ? `${name}t64` : name;
}
