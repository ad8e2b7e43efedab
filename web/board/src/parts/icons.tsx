/** Line icons, 20 × 20, drawn in the colour of their text. */

import type { JSX } from 'preact'

const PATHS = {
  search: 'M9 15a6 6 0 1 0 0-12 6 6 0 0 0 0 12Zm4.5-1.5L17 17',
  plus: 'M10 4v12M4 10h12',
  close: 'M5 5l10 10M15 5L5 15',
  back: 'M12 4l-6 6 6 6',
  pin: 'M10 17.5s5.5-5 5.5-9.2a5.5 5.5 0 0 0-11 0c0 4.2 5.5 9.2 5.5 9.2Zm0-7.3a1.9 1.9 0 1 0 0-3.8 1.9 1.9 0 0 0 0 3.8Z',
  phone: 'M5 3h2.6l1.3 3.6-1.7 1.3a9.5 9.5 0 0 0 4.9 4.9l1.3-1.7L17 12.4V15a2 2 0 0 1-2.2 2A13 13 0 0 1 3 5.2 2 2 0 0 1 5 3Z',
  alert: 'M10 3.2 17.5 16h-15L10 3.2ZM10 8v4m0 2.2v.1',
  clock: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14Zm0-11v4l2.6 1.6',
  copy: 'M7 7h9v9H7zM4 13V4h9',
  map: 'M3 5l4.7-1.7 4.6 1.7L17 3.3V15l-4.7 1.7L7.7 15 3 16.7V5Zm4.7-1.7V15m4.6-10v11.7',
  list: 'M7 5h10M7 10h10M7 15h10M3.5 5v.1M3.5 10v.1M3.5 15v.1',
  people: 'M7.5 9.5a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6ZM2.5 16.5c0-2.9 2.2-4.6 5-4.6s5 1.7 5 4.6m.5-7.2a2.5 2.5 0 0 0 0-5m1.5 7.9c1.9.5 3 2 3 4.3',
  wrench: 'M12.4 3.3a4.3 4.3 0 0 0-4.9 5.8L3 13.6 6.4 17l4.5-4.5a4.3 4.3 0 0 0 5.8-4.9L14 10.2 9.8 6l2.6-2.7Z',
  key: 'M12.5 11a4 4 0 1 0-3.8-2.7L3 14v3h3v-2h2v-2h2l.9-.9c.5.2 1 .3 1.6.3Zm1.2-4.8v.1',
  tick: 'M4 10.5l4 4 8-9',
  fit: 'M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4',
  minus: 'M4 10h12',
  refresh: 'M16 10a6 6 0 1 1-1.8-4.3L16 7.4M16 3.4v4h-4',
  chevron: 'M5 8l5 5 5-5',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name, size = 18 }: { name: IconName; size?: number }): JSX.Element {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} fill="none" stroke="currentColor" stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  )
}
