import { useCallback, useMemo, useState } from 'react';
import type { Image } from '../../../src-shared/events.ts';
import type { RunId } from '../../../src-shared/ids.ts';
import { type ImageProblem, readImages } from './images.ts';

/** Pictures attached to unsent prompts, for as long as the window lives: closing a pane loses none. */
const kept = new Map<RunId, readonly Image[]>();

export interface Attachments {
  readonly images: readonly Image[];
  readonly add: (files: readonly File[]) => Promise<void>;
  readonly remove: (index: number) => void;
  readonly clear: () => void;
}

export function useAttachments(runId: RunId, onProblem: (problem: ImageProblem) => void): Attachments {
  const [images, setImages] = useState<readonly Image[]>(() => kept.get(runId) ?? []);
  const change = useCallback(
    (next: readonly Image[]) => {
      if (next.length === 0) kept.delete(runId);
      else kept.set(runId, next);
      setImages(next);
    },
    [runId],
  );
  const add = useCallback(
    async (files: readonly File[]) => {
      const read = await readImages(files, (kept.get(runId) ?? []).length);
      if (read.images.length > 0) change([...(kept.get(runId) ?? []), ...read.images]);
      for (const problem of read.problems) onProblem(problem);
    },
    [runId, change, onProblem],
  );
  const remove = useCallback((index: number) => change(images.filter((_, at) => at !== index)), [images, change]);
  const clear = useCallback(() => change([]), [change]);
  return useMemo(() => ({ images, add, remove, clear }), [images, add, remove, clear]);
}
