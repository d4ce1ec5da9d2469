import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { root } from './places.mjs';

/** @typedef {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs?: number, showErrors?: boolean }} RunOptions */

/**
 * Runs a program with our own terminal and resolves with its exit code. Signals that ask us to stop are passed on, and we wait
 * for the program to end; Ctrl-C at a terminal reaches it by itself.
 * @param {string} command
 * @param {string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<number>}
 */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: options.cwd ?? root, env: options.env ?? process.env, stdio: 'inherit' });
    const forward = (/** @type {NodeJS.Signals} */ signal) => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    };
    process.on('SIGINT', forward).on('SIGTERM', forward).on('SIGHUP', forward);
    const release = () => process.off('SIGINT', forward).off('SIGTERM', forward).off('SIGHUP', forward);
    child.on('error', (error) => {
      release();
      reject(error);
    });
    child.on('exit', (code, signal) => {
      release();
      resolve(code ?? 128 + (signal ? (constants.signals[signal] ?? 0) : 0));
    });
  });
}

/**
 * Runs a program quietly and resolves with what it printed; never throws for a failing program.
 * @param {string} command
 * @param {string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<{ code: number, out: string, err: string }>}
 */
export function capture(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? root,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      err += chunk;
      if (options.showErrors) process.stderr.write(chunk);
    });
    child.on('error', (error) => resolve({ code: 127, out, err: error.message }));
    child.on('close', (code, signal) => resolve({ code: code ?? 1, out, err: signal ? `${err}stopped by ${signal}` : err }));
  });
}

/**
 * Where a program is on PATH, or undefined.
 * @param {string} name
 */
export function onPath(name) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
}

/**
 * npm through the copy that runs us, so that no shell and no npm.cmd is involved.
 * @param {string[]} args
 * @returns {[string, string[]]}
 */
export function npm(args) {
  const cli = process.env.npm_execpath;
  if (cli?.endsWith('.js')) return [process.execPath, [cli, ...args]];
  const beside = join(process.execPath, '..', process.platform === 'win32' ? '' : '../lib', 'node_modules/npm/bin/npm-cli.js');
  return existsSync(beside) ? [process.execPath, [beside, ...args]] : ['npm', args];
}

/**
 * The file a package offers as its command.
 * @param {string} packageName
 * @param {string} path
 */
export function binary(packageName, path) {
  return join(root, 'node_modules', packageName, path);
}
