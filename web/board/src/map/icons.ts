/** The map's markers: tickets are drops, engineers discs. Form says each status as well as colour does; the legend draws the same paths. */

import type { Map as LibreMap } from 'maplibre-gl'

const RATIO = 2
export const TICKET_STATUSES = ['open', 'offered', 'assigned', 'en_route', 'on_site', 'awaiting_acceptance', 'on_hold'] as const
export const ENGINEER_STATUSES = ['free', 'assigned', 'en_route', 'on_site', 'off'] as const

export const TICKET_BOX = { width: 30, height: 34 } as const
export const ENGINEER_BOX = { width: 32, height: 32 } as const

/** A drop whose tip is the site, 15 from the left and 33 from the top. */
export const DROP = 'M15 33C11 27 5.5 22.5 5.5 16a9.5 9.5 0 0 1 19 0C24.5 22.5 19 27 15 33Z'

/** What the drop holds: a hole, three dots, a dot, an arrow, a square, a tick, a pause. */
export const TICKET_GLYPHS: Record<(typeof TICKET_STATUSES)[number], string> = {
  open: 'M9.6 16a5.4 5.4 0 1 0 10.8 0a5.4 5.4 0 1 0-10.8 0Z',
  offered: 'M9 16a1.6 1.6 0 1 0 3.2 0a1.6 1.6 0 1 0-3.2 0ZM13.4 16a1.6 1.6 0 1 0 3.2 0a1.6 1.6 0 1 0-3.2 0ZM17.8 16a1.6 1.6 0 1 0 3.2 0a1.6 1.6 0 1 0-3.2 0Z',
  assigned: 'M12.4 16a2.6 2.6 0 1 0 5.2 0a2.6 2.6 0 1 0-5.2 0Z',
  en_route: 'M11.8 11.2L20.4 16L11.8 20.8Z',
  on_site: 'M11.2 12.2h7.6v7.6h-7.6Z',
  awaiting_acceptance: 'M10 15.9l1.7-1.7l2.3 2.4l4.6-5l1.8 1.6l-6.4 6.9Z',
  on_hold: 'M11.2 12h2.8v8h-2.8ZM16 12h2.8v8h-2.8Z',
}

const DISC = 'M4 16a12 12 0 1 0 24 0a12 12 0 1 0-24 0Z'
/** A ring has no work in hand; a prow is under way; a square stands at the site. */
export const ENGINEER_SHAPES: Record<(typeof ENGINEER_STATUSES)[number], { outline: string; hollow: boolean }> = {
  free: { outline: DISC, hollow: true },
  assigned: { outline: DISC, hollow: false },
  en_route: { outline: 'M16 4H29V16A13 12 0 1 1 16 4Z', hollow: false },
  on_site: { outline: 'M7 4.5h18a2.5 2.5 0 0 1 2.5 2.5v18a2.5 2.5 0 0 1-2.5 2.5H7A2.5 2.5 0 0 1 4.5 25V7A2.5 2.5 0 0 1 7 4.5Z', hollow: false },
  off: { outline: DISC, hollow: true },
}
/** Those off shift are drawn with a broken line. */
export const OFF_DASH: readonly [number, number] = [4, 3]

export type Colour = (token: string) => string

/** The colour an engineer's status has, as a token's name. */
export function engineerToken(status: string): string {
  return status === 'free' || status === 'off' ? `--engineer-${status}` : `--status-${status}`
}

export function addIcons(map: LibreMap, colour: Colour): void {
  for (const status of TICKET_STATUSES) {
    for (const mark of ['plain', 'urgent', 'attention'] as const) {
      put(map, `ticket-${status}-${mark}`, TICKET_BOX, (c) => drawTicket(c, status, mark, colour))
    }
  }
  for (const status of ENGINEER_STATUSES) put(map, `engineer-${status}`, ENGINEER_BOX, (c) => drawEngineer(c, status, colour))
}

function put(map: LibreMap, name: string, box: { width: number; height: number }, draw: (c: CanvasRenderingContext2D) => void): void {
  const canvas = document.createElement('canvas')
  canvas.width = box.width * RATIO
  canvas.height = box.height * RATIO
  const context = canvas.getContext('2d')!
  context.scale(RATIO, RATIO)
  draw(context)
  const image = context.getImageData(0, 0, canvas.width, canvas.height)
  if (map.hasImage(name)) map.removeImage(name)
  map.addImage(name, image, { pixelRatio: RATIO })
}

function drawTicket(c: CanvasRenderingContext2D, status: (typeof TICKET_STATUSES)[number], mark: 'plain' | 'urgent' | 'attention', colour: Colour): void {
  const drop = new Path2D(DROP)
  c.strokeStyle = colour('--surface')
  c.lineWidth = 2.5
  c.stroke(drop)
  c.fillStyle = colour(`--status-${status}`)
  c.fill(drop)
  c.fillStyle = colour('--surface')
  c.fill(new Path2D(TICKET_GLYPHS[status]))
  if (mark !== 'plain') drawMark(c, colour(mark === 'urgent' ? '--danger' : '--warn'), colour('--surface'))
}

/** An exclamation mark in the drop's upper right. */
function drawMark(c: CanvasRenderingContext2D, fill: string, surface: string): void {
  c.beginPath()
  c.arc(23.5, 7, 6, 0, Math.PI * 2)
  c.fillStyle = fill
  c.strokeStyle = surface
  c.lineWidth = 1.5
  c.fill()
  c.stroke()
  c.fillStyle = surface
  c.fillRect(22.6, 3.4, 1.8, 4.6)
  c.fillRect(22.6, 9, 1.8, 1.8)
}

function drawEngineer(c: CanvasRenderingContext2D, status: (typeof ENGINEER_STATUSES)[number], colour: Colour): void {
  const { outline, hollow } = ENGINEER_SHAPES[status]
  const shape = new Path2D(outline)
  const tint = colour(engineerToken(status))
  c.lineJoin = 'round'
  c.lineWidth = hollow ? 3 : 2.5
  c.strokeStyle = hollow ? tint : colour('--surface')
  c.fillStyle = hollow ? colour('--surface') : tint
  if (!hollow) c.stroke(shape)
  c.fill(shape)
  if (status === 'off') c.setLineDash([...OFF_DASH])
  if (hollow) c.stroke(shape)
}
