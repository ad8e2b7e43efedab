/** Tickets and engineers as GeoJSON for the map's layers. Pure. */

import type { Feature, FeatureCollection, LineString, Point } from 'geojson'
import { initials } from '../board_state'
import type { BoardEngineer, BoardTicket, Uuid } from '../wire'

export const STALE_MS = 15 * 60_000
const URGENCY = { urgent: 3, high: 2, normal: 1, low: 0 } as const

export interface TicketProperties {
  id: Uuid
  icon: string
  order: number
  selected: boolean
}

/** One point a ticket with a site; the icon names status, urgency and selection. */
export function ticketFeatures(tickets: Iterable<BoardTicket>, selected: Uuid | null): FeatureCollection<Point, TicketProperties> {
  const features: Feature<Point, TicketProperties>[] = []
  for (const ticket of tickets) {
    if (!ticket.site || ticket.status === 'closed' || ticket.status === 'cancelled') continue
    const chosen = ticket.ticket_id === selected
    const mark = ticket.attention ? 'attention' : ticket.priority === 'urgent' ? 'urgent' : 'plain'
    features.push({
      type: 'Feature',
      geometry: { type: 'Point', coordinates: [ticket.site.lon, ticket.site.lat] },
      properties: {
        id: ticket.ticket_id,
        icon: `ticket-${ticket.status}-${mark}`,
        order: (chosen ? 100 : 0) + (ticket.attention ? 10 : 0) + URGENCY[ticket.priority],
        selected: chosen,
      },
    })
  }
  return { type: 'FeatureCollection', features }
}

export interface EngineerProperties {
  id: Uuid
  icon: string
  initials: string
  /** Of the initials, pixels: two Chinese characters are wider than two letters. */
  size: number
  name: string
  order: number
  stale: boolean
}

const ORDER = { off: 0, free: 3, assigned: 2, en_route: 4, on_site: 5 } as const

/** One point an engineer with a position; `stale` when the position is older than fifteen minutes. */
export function engineerFeatures(engineers: readonly BoardEngineer[], now: number): FeatureCollection<Point, EngineerProperties> {
  const features: Feature<Point, EngineerProperties>[] = []
  for (const engineer of engineers) {
    if (!engineer.position) continue
    const stale = !engineer.position_at || now - Date.parse(engineer.position_at) > STALE_MS
    features.push({
      type: 'Feature',
      geometry: { type: 'Point', coordinates: [engineer.position.lon, engineer.position.lat] },
      properties: {
        id: engineer.engineer_id,
        icon: `engineer-${engineer.status}`,
        initials: initials(engineer.name),
        size: /\p{Script=Han}/u.test(initials(engineer.name)) ? 9.5 : 10.5,
        name: engineer.name,
        order: ORDER[engineer.status],
        stale,
      },
    })
  }
  return { type: 'FeatureCollection', features }
}

/** Lines from the selected ticket's site to its engineer, and to the candidates being looked at. */
export function ties(
  ticket: BoardTicket | null, engineers: readonly BoardEngineer[], candidates: readonly Uuid[],
): FeatureCollection<LineString, { kind: string }> {
  if (!ticket?.site) return { type: 'FeatureCollection', features: [] }
  const site = [ticket.site.lon, ticket.site.lat]
  const features = engineers
    .filter((one) => one.position && (one.engineer_id === ticket.engineer_id || candidates.includes(one.engineer_id)))
    .map((one): Feature<LineString, { kind: string }> => ({
      type: 'Feature',
      geometry: { type: 'LineString', coordinates: [[one.position!.lon, one.position!.lat], site] },
      properties: { kind: one.engineer_id === ticket.engineer_id ? 'assigned' : 'candidate' },
    }))
  return { type: 'FeatureCollection', features }
}

/** west, south, east, north of all points, or null when there is none. */
export function boundsOf(points: Iterable<{ lon: number; lat: number }>): [number, number, number, number] | null {
  let box: [number, number, number, number] | null = null
  for (const { lon, lat } of points) {
    box = box ? [Math.min(box[0], lon), Math.min(box[1], lat), Math.max(box[2], lon), Math.max(box[3], lat)] : [lon, lat, lon, lat]
  }
  return box
}

const STRAY_TIMES = 10

/** The points without the strays: at most one in fifty, rounded up, each ten times as far from the middle as most are. */
export function withoutStrays<T extends { lon: number; lat: number }>(points: T[]): T[] {
  const middle = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] ?? 0
  const lon = middle(points.map((point) => point.lon))
  const lat = middle(points.map((point) => point.lat))
  const away = ({ lon: x, lat: y }: T) => Math.hypot((x - lon) * Math.cos((lat * Math.PI) / 180), y - lat)
  const usual = middle(points.map(away))
  const strays = points.filter((point) => away(point) > STRAY_TIMES * usual)
  return strays.length <= Math.ceil(points.length / 50) ? points.filter((point) => !strays.includes(point)) : points
}
