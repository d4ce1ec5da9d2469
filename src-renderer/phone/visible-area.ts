import { useEffect } from 'react';
import { PHONE, useMedia } from '../ui/media.ts';

/**
 * Keeps the page as high as what is seen of it. Some browsers resize the page when a keyboard comes up (the viewport's
 * `interactive-widget` asks for it); others lay the keyboard over it and tell only here.
 */
export function useVisibleArea(): void {
  const isPhone = useMedia(PHONE);
  useEffect(() => {
    const area = window.visualViewport;
    if (!isPhone || area === null) return;
    const root = document.documentElement;
    const take = () => {
      root.style.setProperty('--visible-height', `${area.height}px`);
      // Having scrolled to the field that was touched, iOS would leave the page's head out of sight.
      if (area.offsetTop > 0) window.scrollTo(0, 0);
    };
    take();
    area.addEventListener('resize', take);
    area.addEventListener('scroll', take);
    return () => {
      area.removeEventListener('resize', take);
      area.removeEventListener('scroll', take);
      root.style.removeProperty('--visible-height');
    };
  }, [isPhone]);
}
