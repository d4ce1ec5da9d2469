import { describe, expect, it } from 'vitest';
import { MAX_IMAGE_BYTES, MAX_IMAGES, readImages } from './images.ts';

const png = (name: string, bytes = 4) => new File([new Uint8Array(bytes).fill(65)], name, { type: 'image/png' });

describe('pictures for a prompt', () => {
  it('are taken with name, kind and bytes', async () => {
    expect(await readImages([png('a.png')], 0)).toEqual({
      images: [{ mediaType: 'image/png', base64: 'QUFBQQ==', name: 'a.png' }],
      problems: [],
    });
  });

  it('are refused each for its own reason, and the others are taken', async () => {
    const files = [
      new File(['x'], 'notes.txt', { type: 'text/plain' }),
      new File(['<svg/>'], 'drawing.svg', { type: 'image/svg+xml' }),
      png('huge.png', MAX_IMAGE_BYTES + 1),
      png('fine.png'),
    ];
    const read = await readImages(files, 0);
    expect(read.images.map(({ name }) => name)).toEqual(['fine.png']);
    expect(read.problems).toEqual([
      { is: 'type', name: 'notes.txt' },
      { is: 'type', name: 'drawing.svg' },
      { is: 'size', name: 'huge.png', bytes: MAX_IMAGE_BYTES + 1 },
    ]);
  });

  it('are no more than fit into one message, counting those that are there', async () => {
    const read = await readImages([png('1.png'), png('2.png'), png('3.png')], MAX_IMAGES - 1);
    expect(read.images.map(({ name }) => name)).toEqual(['1.png']);
    expect(read.problems).toEqual([{ is: 'count' }]);
  });

  it('tells of a file that cannot be read', async () => {
    const broken = png('gone.png');
    broken.arrayBuffer = () => Promise.reject(new Error('gone'));
    expect((await readImages([broken], 0)).problems).toEqual([{ is: 'unreadable', name: 'gone.png' }]);
  });
});
