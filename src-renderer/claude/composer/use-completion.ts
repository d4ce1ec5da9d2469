import { useEffect, useMemo, useState } from 'react';
import type { MachineId } from '../../../src-shared/ids.ts';
import { call } from '../../engine.ts';
import { atMachine } from '../../machines/at-machine.ts';
import { type CompletionTrigger, matchCommands, type SlashCommand, triggerAt } from './completion.ts';

export interface CompletionChoice {
  readonly label: string;
  readonly insert: string;
  readonly hint: string;
  readonly description: string;
  readonly isFolder: boolean;
}

export interface Completion {
  readonly trigger: CompletionTrigger;
  readonly choices: readonly CompletionChoice[];
}

/** Where a conversation works; `machineId` null: on this machine. */
export interface Folder {
  readonly cwd: string;
  readonly machineId: MachineId | null;
}

const CHOICES = 50;
const FILES = 20;
/** Files are asked for when typing has rested this long. */
const restMs = 80;

/** What fits at the caret; null where there is nothing to complete, or nothing fits. */
export function useCompletion(
  text: string,
  caret: number,
  commands: readonly SlashCommand[],
  { cwd, machineId }: Folder,
): Completion | null {
  const trigger = useMemo(() => triggerAt(text, caret), [text, caret]);
  const files = useFiles(trigger?.kind === 'file' ? trigger.query : null, cwd, machineId);
  return useMemo(() => {
    if (trigger === null) return null;
    const choices = trigger.kind === 'command' ? commandChoices(commands, trigger.query) : files;
    return choices.length === 0 ? null : { trigger, choices };
  }, [trigger, commands, files]);
}

function commandChoices(commands: readonly SlashCommand[], query: string): readonly CompletionChoice[] {
  return matchCommands(commands, query, CHOICES).map(({ name, description, argumentHint }) => ({
    label: `/${name}`,
    insert: `/${name}`,
    hint: argumentHint,
    description,
    isFolder: false,
  }));
}

const none: readonly CompletionChoice[] = [];

function useFiles(query: string | null, cwd: string, machineId: MachineId | null): readonly CompletionChoice[] {
  const [found, setFound] = useState(none);
  useEffect(() => {
    if (query === null) {
      setFound(none);
      return;
    }
    let isCurrent = true;
    const ask = async () => {
      try {
        const { paths } = await call('files.complete', {
          cwd,
          query,
          limit: FILES,
          ...atMachine(machineId),
        });
        if (isCurrent) setFound(paths.map(fileChoice));
      } catch (error) {
        // Without completion the path can still be typed.
        console.warn('files could not be completed', error);
        if (isCurrent) setFound(none);
      }
    };
    const timer = setTimeout(() => void ask(), restMs);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [query, cwd, machineId]);
  return found;
}

function fileChoice({ path, isFolder }: { path: string; isFolder: boolean }): CompletionChoice {
  const shown = isFolder && !path.endsWith('/') ? `${path}/` : path;
  const slash = shown.lastIndexOf('/', shown.length - 2);
  return {
    label: shown.slice(slash + 1),
    insert: `@${shown}`,
    hint: '',
    description: slash < 0 ? '' : shown.slice(0, slash),
    isFolder,
  };
}
