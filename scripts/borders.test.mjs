import { describe, expect, it } from 'vitest';
import { violations } from './borders.mjs';

const cases = [
  { file: 'src-shared/client.ts', text: "import { a } from './ids.ts'; import * as z from 'zod/mini';", refused: 0 },
  { file: 'src-shared/client.ts', text: "import { readFileSync } from 'node:fs';", refused: 1 },
  { file: 'src-shared/client.ts', text: "import type { Session } from '../src-main/engine/session.ts';", refused: 1 },
  { file: 'src-shared/client.test.ts', text: "import { it } from 'vitest'; import './client.ts';", refused: 0 },
  { file: 'src-main/engine/session.ts', text: "import type { Store } from '../store/store.ts';", refused: 0 },
  { file: 'src-main/engine/session.ts', text: "import { type Store } from '../store/store.ts';", refused: 0 },
  { file: 'src-main/engine/session.ts', text: "import { type Store, openStore } from '../store/store.ts';", refused: 1 },
  { file: 'src-main/engine/session.ts', text: "export { openStore } from '../store/store.ts';", refused: 1 },
  { file: 'src-main/engine/session.ts', text: "const { app } = await import('electron');", refused: 1 },
  { file: 'src-main/engine/session.ts', text: "import { entryPath } from '../entry-path.ts';", refused: 0 },
  {
    file: 'src-main/cli/main.ts',
    text: "import '../../src-shared/client.ts'; import '../paths.ts'; import 'commander';",
    refused: 0,
  },
  { file: 'src-main/cli/main.ts', text: "import type { Engine } from '../engine/engine.ts';", refused: 1 },
  {
    file: 'src-main/cli/main.ts',
    text: "import '../store/store.ts'; import '../start-engine.ts'; import 'better-sqlite3';",
    refused: 3,
  },
  { file: 'src-main/store/store.ts', text: "import type { Session } from '../engine/session.ts';", refused: 1 },
  { file: 'src-main/headless.ts', text: "import '../src-main/electron/main.ts';", refused: 1 },
  { file: 'src-main/electron/main.ts', text: "import { app } from 'electron'; import '../engine/engine.ts';", refused: 0 },
  { file: 'src-main/electron/preload.ts', text: "import { contextBridge } from 'electron'; import 'node:fs';", refused: 1 },
  { file: 'src-renderer/main.tsx', text: "import '../src-main/engine/engine.ts'; import 'electron';", refused: 2 },
  {
    file: 'src-renderer/main.tsx',
    text: "import { x } from '../src-shared/client.ts'; const y = <p>import 'electron'</p>;",
    refused: 0,
  },
  { file: 'src-other/file.ts', text: '', refused: 1 },
];

describe('borders', () => {
  it.each(cases)('$file: $text', ({ file, text, refused }) => {
    expect(violations(file, text)).toHaveLength(refused);
  });
});
