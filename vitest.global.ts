import { execFileSync } from 'node:child_process';

/**
 * The workers and child processes that tests start are built files: brings out/main up to date before any test runs. In a
 * process of its own, because a production build sets NODE_ENV for whoever runs it.
 */
export default function setup(): void {
  execFileSync(process.execPath, ['scripts/build.mjs', 'main', '--if-stale'], { cwd: import.meta.dirname, stdio: 'inherit' });
}
