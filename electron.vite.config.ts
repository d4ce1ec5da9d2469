import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig, type UserConfig } from 'electron-vite';
import { build, type Plugin } from 'vite';

const root = import.meta.dirname;

/** Entry name -> source. Each becomes out/main/<name>.js; code starts its siblings by that name (src-main/entry-path.ts). */
const mainEntries: Record<string, string> = {
  main: 'src-main/electron/main.ts',
  headless: 'src-main/headless.ts',
  'pty-host': 'src-main/engine/pty-host/pty-host.ts',
  'store-worker': 'src-main/store/store-worker.ts',
  'screen-worker': 'src-main/engine/screen/screen-worker.ts',
  'document-worker': 'src-main/sync/documents/document-worker.ts',
  'relay-process': 'src-main/relay-process.ts',
};
const preloadEntries: Record<string, string> = { preload: 'src-main/electron/preload.ts' };
const rendererEntries: Record<string, string> = { index: 'src-renderer/index.html' };

/**
 * Packages that each start needs, put into our own files: as packages they are well over a hundred modules that would be found, read
 * and compiled one by one, on the thread that also has to give the window its page. y-websocket and y-protocols come later, but have to
 * meet the same Yjs.
 */
const loadedAtStart = [
  ...['zod', 'pino', 'yjs', 'lib0', 'y-websocket', 'y-protocols'],
  ...['write-file-atomic', 'uuid', 'env-paths', 'jsonc-parser', 'chokidar'],
];

const existing = (entries: Record<string, string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(entries)
      .map(([name, path]): [string, string] => [name, resolve(root, path)])
      .filter(([, path]) => existsSync(path)),
  );

/**
 * out/main/cli.js, in a pass of its own. A command line is started for one answer, and loading modules is most of what that costs:
 * what most verbs need is one file with its packages in it, and what single verbs need is not loaded for the others.
 */
const usedByMostVerbs =
  /src-shared[\\/](?!conversation|live-texts)|src-main[\\/](paths|stream-wire)|node_modules[\\/](zod|lib0|env-paths|is-safe-filename)|cli[\\/](engine-|failure|find-session|output\.|table|verbs[\\/](list|sessions))/;

function commandLine(): Plugin {
  return {
    name: 'baton-command-line',
    apply: 'build',
    async writeBundle({ dir }) {
      await build({
        root,
        configFile: false,
        logLevel: 'warn',
        ssr: { noExternal: true },
        build: {
          ssr: true,
          outDir: dir ?? resolve(root, 'out/main'),
          emptyOutDir: false,
          target: 'node20.18',
          sourcemap: true,
          minify: true,
          rollupOptions: {
            input: { cli: resolve(root, 'src-main/cli/main.ts') },
            output: {
              format: 'es',
              entryFileNames: '[name].js',
              chunkFileNames: 'chunks/cli-[name].js',
              codeSplitting: { groups: [{ name: 'core', test: usedByMostVerbs }] },
            },
          },
        },
      });
    },
  };
}

const parts: UserConfig = {};

const main = existing(mainEntries);
if (Object.keys(main).length > 0) {
  parts.main = {
    plugins: [commandLine()],
    build: {
      externalizeDeps: { exclude: loadedAtStart },
      target: 'node20.18',
      sourcemap: true,
      minify: false,
      rollupOptions: {
        input: main,
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name].js' },
      },
    },
  };
}

const preload = existing(preloadEntries);
if (Object.keys(preload).length > 0) {
  parts.preload = {
    build: {
      target: 'node20.18',
      // A sandboxed preload can require nothing of ours: it has to be one CommonJS file.
      externalizeDeps: false,
      sourcemap: true,
      rollupOptions: { input: preload, output: { format: 'cjs', entryFileNames: '[name].cjs' } },
    },
  };
}

const renderer = existing(rendererEntries);
if (Object.keys(renderer).length > 0) {
  parts.renderer = {
    root: resolve(root, 'src-renderer'),
    plugins: [react(), tailwindcss()],
    build: {
      target: 'chrome130',
      // The page may load fonts and images from its own files only.
      assetsInlineLimit: 0,
      minify: true,
      sourcemap: true,
      rollupOptions: {
        input: renderer,
        onwarn: (warning, warn) => {
          // Tailwind generates its CSS and has nothing to map it to.
          if (warning.code !== 'SOURCEMAP_BROKEN') warn(warning);
        },
      },
    },
  };
}

export default defineConfig(parts);
