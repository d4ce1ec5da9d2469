// Parts of the product, bundled as the app's are.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../scripts/places.mjs';

/**
 * Into a folder of the benchmark's own, `out/bench/<name>`.
 * @param {string} name
 * @param {Record<string, string>} sources entry name -> source, from the root
 * @returns {Promise<(entry: string) => Promise<object>>} loads an entry
 */
export async function bundle(name, sources) {
  const { build } = await import('vite');
  const outDir = join(root, 'out', 'bench', name);
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    build: {
      ssr: true,
      outDir,
      emptyOutDir: true,
      target: 'node20.18',
      minify: false,
      rollupOptions: {
        input: Object.fromEntries(Object.entries(sources).map(([entry, source]) => [entry, join(root, source)])),
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
      },
    },
  });
  return (entry) => import(pathToFileURL(join(outDir, `${entry}.js`)).href);
}
