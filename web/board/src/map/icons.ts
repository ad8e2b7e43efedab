/** The map's markers, drawn once on a canvas: tickets are drops, engineers are discs, so shape tells them apart without colour. */

import type { Map as LibreMap } from 'maplibre-gl'

const RATIO = 2
export const TICKET_STATUSES = ['open', 'offered', 'assigned', 'en_route', 'on_site', 'awaiting_acceptance', 'on_hold'] as const
export const ENGINEER_STATUSES = ['free', 'assigned', 'en_route', 'on_site', 'off'] as const

/** Discs drawn as rings: those without work in hand. */
export const HOLLOW: ReadonlySet<string> = new Set(['free', 'off'])

export type Colour = (token: string) => string

/** The colour an engineer's status has, as a token's name. */
export function engineerToken(status: string): string {
  return status === 'free' || status === 'off' ? `--engineer-${status}` : `--status-${status}`
}

export function addIcons(map: LibreMap, colour: Colour): void {
  for (const status of TICKET_STATUSES) {
    for (const mark of ['plain', 'urgent', 'attention'] as const) {
      put(map, `ticket-${status}-${mark}`, 30, 34, (c) => drawTicket(c, colour(`--status-${status}`), mark, colour))
    }
  }
  for (const status of ENGINEER_STATUSES) {
    put(map, `engineer-${status}`, 30, 30, (c) => drawEngineer(c, colour(engineerToken(status)), HOLLOW.has(status), colour))
  }
}

function put(map: LibreMap, name: string, width: number, height: number, draw: (c: CanvasRenderingContext2D) => void): void {
  const canvas = document.createElement('canvas')
  canvas.width = width * RATIO
  canvas.height = height * RATIO
  const context = canvas.getContext('2d')!
  context.scale(RATIO, RATIO)
  draw(context)
  const image = context.getImageData(0, 0, canvas.width, canvas.height)
  if (map.hasImage(name)) map.removeImage(name)
  map.addImage(name, image, { pixelRatio: RATIO })
}

/** A drop whose tip is the site, 15 from the left and 32 from the top. */
function drawTicket(c: CanvasRenderingContext2D, fill: string, mark: 'plain' | 'urgent' | 'attention', colour: Colour): void {
  c.beginPath()
  c.moveTo(15, 32)
  c.bezierCurveTo(11, 26, 6.5, 22, 6.5, 16)
  c.arc(15, 16, 8.5, Math.PI, 0)
  c.bezierCurveTo(23.5, 22, 19, 26, 15, 32)
  c.closePath()
  c.fillStyle = fill
  c.strokeStyle = colour('--surface')
  c.lineWidth = 2.5
  c.stroke()
  c.fill()
  c.fillStyle = colour('--surface')
  c.beginPath()
  c.arc(15, 16, 3, 0, Math.PI * 2)
  c.fill()
  if (mark === 'plain') return
  c.beginPath()
  c.arc(23, 8, 6, 0, Math.PI * 2)
  c.fillStyle = mark === 'urgent' ? colour('--danger') : colour('--warn')
  c.strokeStyle = colour('--surface')
  c.lineWidth = 1.5
  c.fill()
  c.stroke()
  c.fillStyle = colour('--surface')
  c.fillRect(22.1, 4.4, 1.8, 4.6)
  c.fillRect(22.1, 10, 1.8, 1.8)
}

function drawEngineer(c: CanvasRenderingContext2D, fill: string, hollow: boolean, colour: Colour): void {
  c.beginPath()
  c.arc(15, 15, hollow ? 12 : 12.5, 0, Math.PI * 2)
  c.fillStyle = hollow ? colour('--surface') : fill
  c.fill()
  c.lineWidth = hollow ? 3 : 2
  c.strokeStyle = hollow ? fill : colour('--surface')
  c.stroke()
}
