import { Dialog as Radix } from 'radix-ui';
import { useTranslation } from 'react-i18next';
import type { PromptImage } from '../../../src-shared/conversation/conversation-items.ts';

const SHOWN: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);

/** Pictures of a prompt or a result as thumbnails; one opens large. */
export function Images({ images }: { images: readonly PromptImage[] }) {
  return (
    <ul className="flex flex-wrap gap-2">
      {images.map((image, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: pictures of a message do not change
        <li key={index}>
          <Thumbnail image={image} />
        </li>
      ))}
    </ul>
  );
}

/** The picture's bytes as an address; '' for a kind that is no picture we show. */
export function imageUrl(image: Pick<PromptImage, 'mediaType' | 'base64'>): string {
  return SHOWN.has(image.mediaType) ? `data:${image.mediaType};base64,${image.base64}` : '';
}

function Thumbnail({ image }: { image: PromptImage }) {
  const { t } = useTranslation('claude');
  const name = image.name ?? t('image.unnamed');
  const url = imageUrl(image);
  if (url === '') return <span className="text-dim">{name}</span>;
  return (
    <Radix.Root>
      <Radix.Trigger aria-label={t('image.open', { name })} className="block overflow-hidden rounded-md border border-line">
        <img src={url} alt={name} className="h-16 max-w-40 object-cover" />
      </Radix.Trigger>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 animate-appear bg-scrim" />
        <Radix.Content
          aria-describedby={undefined}
          className="fixed top-1/2 left-1/2 z-40 -translate-x-1/2 -translate-y-1/2 rounded-md border border-line bg-raised p-2 shadow-float"
        >
          <Radix.Title className="px-1 pb-2 text-11 text-dim">{name}</Radix.Title>
          <Radix.Close aria-label={t('image.close')} className="block">
            <img src={url} alt={name} className="max-h-[80vh] max-w-[88vw] object-contain" />
          </Radix.Close>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
