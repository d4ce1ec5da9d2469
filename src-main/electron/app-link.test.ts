import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseLink, startRequest } from './app-link.ts';

const runId = '0190a000-0000-7000-8000-000000000001';

it('reads a link to a session', () => {
  expect(parseLink(`baton://session/${runId}`)).toBe(runId);
});

it.each([
  `baton://session/${runId}/../other`,
  `baton://session/${runId}?run=rm`,
  `baton://session/${runId}#x`,
  `baton://user@session/${runId}`,
  `baton://session:80/${runId}`,
  `baton://open/${runId}`,
  `baton:session/${runId}`,
  `https://session/${runId}`,
  'baton://session/',
  'baton://session/1; rm -rf ~',
  `baton://session/${'a'.repeat(10_000)}`,
  '',
])('follows no link such as %s', (link) => {
  expect(parseLink(link)).toBeNull();
});

it('takes a folder as seen from where Baton was started, and shows itself otherwise', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'baton-start-'));
  mkdirSync(join(cwd, 'project'));
  expect(await startRequest(['--no-sandbox', 'project'], cwd)).toEqual({ is: 'folder', path: join(cwd, 'project') });
  expect(await startRequest(['.'], cwd)).toEqual({ is: 'folder', path: cwd });
  expect(await startRequest(['nothing'], cwd)).toEqual({ is: 'show' });
  expect(await startRequest([`baton://session/${runId}`], cwd)).toEqual({ is: 'session', runId });
  expect(await startRequest(['baton://session/x', 'project'], cwd)).toEqual({ is: 'show' });
  expect(await startRequest([], cwd)).toEqual({ is: 'show' });
  rmSync(cwd, { recursive: true });
});
