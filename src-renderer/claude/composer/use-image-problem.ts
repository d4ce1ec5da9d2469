import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import { showNotice } from '../../ui/toasts.tsx';
import { formatSize } from '../tools/output.tsx';
import { type ImageProblem, MAX_IMAGE_BYTES, MAX_IMAGES } from './images.ts';

/** Says why a picture was not taken. */
export function useImageProblem(): (problem: ImageProblem) => void {
  const { t, i18n } = useTranslation('claude');
  const { language } = i18n;
  return useCallback(
    (problem) => {
      switch (problem.is) {
        case 'type':
          return showNotice(t('image.wrongType', { name: problem.name }), { description: t('image.types') });
        case 'size': {
          const sizes = { size: formatSize(problem.bytes, language), most: formatSize(MAX_IMAGE_BYTES, language) };
          return showNotice(t('image.tooLarge', { name: problem.name, ...sizes }), { description: t('image.sizeHint') });
        }
        case 'count':
          return showNotice(t('image.tooMany', { count: MAX_IMAGES }));
        case 'unreadable':
          return showNotice(t('image.unreadable', { name: problem.name }));
      }
    },
    [t, language],
  );
}
