const PATHS = {
  today: 'M4 5h16M4 12h16M4 19h10',
  offers: 'M6 8a6 6 0 0 1 12 0c0 7 3 8 3 8H3s3-1 3-8M10 20a2 2 0 0 0 4 0',
  pool: 'M12 3v4M12 17v4M3 12h4M17 12h4M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8Z',
  me: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4 21c0-4 4-6 8-6s8 2 8 6',
  back: 'M15 5l-7 7 7 7',
  close: 'M6 6l12 12M18 6L6 18',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  call: 'M6 3h4l1.5 5-2.5 1.7a12 12 0 0 0 5.3 5.3L16 12.500l5 1.500v4a3 3 0 0 1-3 3A15 15 0 0 1 3 6a3 3 0 0 1 3-3Z',
  navigate: 'M3 11l18-8-8 18-2-8-8-2Z',
  camera: 'M4 8h3l2-3h6l2 3h3a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V9a1 1 0 0 1 1-1ZM12 10.500a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7Z',
  up: 'M12 20V6M6 11l6-6 6 6',
  alert: 'M12 4L2.500 20h19L12 4ZM12 10v4M12 17h.01',
  check: 'M5 13l4.500 4.500L19 7',
  clock: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM12 7v5l3 2',
  pin: 'M12 21s7-6.500 7-12a7 7 0 1 0-14 0c0 5.500 7 12 7 12ZM12 6.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5Z',
  plus: 'M12 5v14M5 12h14',
  refresh: 'M20 11a8 8 0 1 0-2.300 6M20 5v6h-6',
  next: 'M9 5l7 7-7 7',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name, size = 22 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  )
}
