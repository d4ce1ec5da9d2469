import type { Image } from '../../../src-shared/events.ts';

/** Claude takes pictures of these kinds, up to this size each. */
const MEDIA_TYPES: readonly Image['mediaType'][] = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];
export const ACCEPTED = MEDIA_TYPES.join(',');
export const MAX_IMAGE_BYTES = 5_000_000;
export const MAX_IMAGES = 20;

export type ImageProblem =
  | { readonly is: 'type'; readonly name: string }
  | { readonly is: 'size'; readonly name: string; readonly bytes: number }
  | { readonly is: 'count' }
  | { readonly is: 'unreadable'; readonly name: string };

export interface ReadImages {
  readonly images: readonly Image[];
  readonly problems: readonly ImageProblem[];
}

/** Reads files that were pasted, dropped or chosen; what cannot be taken is named with its reason. `held`: pictures there already. */
export async function readImages(files: readonly File[], held: number): Promise<ReadImages> {
  const images: Image[] = [];
  const problems: ImageProblem[] = [];
  for (const file of files) {
    const { name } = file;
    const mediaType = MEDIA_TYPES.find((known) => known === file.type);
    if (mediaType === undefined) problems.push({ is: 'type', name });
    else if (file.size > MAX_IMAGE_BYTES) problems.push({ is: 'size', name, bytes: file.size });
    else if (held + images.length >= MAX_IMAGES) {
      if (!problems.some((problem) => problem.is === 'count')) problems.push({ is: 'count' });
    } else {
      const base64 = await toBase64(file);
      if (base64 === null) problems.push({ is: 'unreadable', name });
      else images.push({ mediaType, base64, name: name.slice(0, 256) });
    }
  }
  return { images, problems };
}

async function toBase64(file: File): Promise<string | null> {
  try {
    const bytes = new Uint8Array(await file.arrayBuffer());
    let binary = '';
    // In pieces: a call takes only so many arguments.
    for (let at = 0; at < bytes.length; at += 32_768) binary += String.fromCharCode(...bytes.subarray(at, at + 32_768));
    return btoa(binary);
  } catch {
    return null;
  }
}
