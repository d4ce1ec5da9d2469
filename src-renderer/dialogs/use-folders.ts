import { useEffect, useState } from 'react';
import type { MachineId } from '../../src-shared/ids.ts';
import { call } from '../engine.ts';
import { atMachine } from '../machines/at-machine.ts';

const LIMIT = 20;
/** Asked for when typing has rested this long. */
const restMs = 120;
const none: readonly string[] = [];

/** Folders that a path which is being typed could become, on the machine that it is meant for. */
export function useFolders(typed: string, machineId: MachineId | null): readonly string[] {
  const [folders, setFolders] = useState(none);
  useEffect(() => {
    const asked = partsOf(typed.trim());
    setFolders(none);
    if (asked === null) return;
    let isCurrent = true;
    const ask = async () => {
      try {
        const { paths } = await call('files.complete', { ...asked, limit: LIMIT, ...atMachine(machineId) });
        const found = paths.filter(({ isFolder }) => isFolder).map(({ path }) => joined(asked.cwd, path));
        if (isCurrent) setFolders(found);
      } catch (error) {
        // Half a path is no folder yet, and it can be typed without help.
        console.debug('folders could not be completed', error);
      }
    };
    const timer = setTimeout(() => void ask(), restMs);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [typed, machineId]);
  return folders;
}

/** The folder to look in, and what is looked for there; null where there is nothing to go by. */
function partsOf(typed: string): { cwd: string; query: string } | null {
  const slash = Math.max(typed.lastIndexOf('/'), typed.lastIndexOf('\\'));
  if (slash < 0 || slash === typed.length - 1) return null;
  return { cwd: slash === 0 ? typed.slice(0, 1) : typed.slice(0, slash), query: typed.slice(slash + 1) };
}

function joined(folder: string, path: string): string {
  const separator = folder.includes('\\') ? '\\' : '/';
  return `${folder}${folder.endsWith(separator) ? '' : separator}${path.replace(/[/\\]$/, '')}`;
}
