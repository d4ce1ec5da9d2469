import { X } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { Image } from '../../../src-shared/events.ts';
import { Icon } from '../../ui/icon.tsx';
import { imageUrl } from '../conversation/images.tsx';

/** Pictures that go with the prompt; each can be taken off. */
export function AttachedImages({ images, onRemove }: { images: readonly Image[]; onRemove: (index: number) => void }) {
  const { t } = useTranslation('claude');
  if (images.length === 0) return null;
  return (
    <ul aria-label={t('image.attached')} className="flex flex-wrap gap-2 px-3 pt-3">
      {images.map((image, index) => {
        const name = image.name ?? t('image.unnamed');
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: the same picture may be attached twice
          <li key={index} className="relative">
            <img
              src={imageUrl({ mediaType: image.mediaType, base64: image.base64 })}
              alt={name}
              className="h-14 max-w-36 rounded-md border border-line object-cover"
            />
            <button
              type="button"
              aria-label={t('image.remove', { name })}
              onClick={() => onRemove(index)}
              className="absolute -top-1.5 -right-1.5 flex size-5 items-center justify-center rounded-full border border-line bg-raised text-dim shadow-float hover:text-text"
            >
              <Icon of={X} size={12} />
            </button>
          </li>
        );
      })}
    </ul>
  );
}
