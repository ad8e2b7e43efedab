/** What other panels ask of the map, and what they tell it; the map itself loads later. */

import { signal } from '@preact/signals'
import type { Uuid } from '../wire'

/** The place to move to; `nonce` lets the same place be asked for twice. */
export const flight = signal<{ lon: number; lat: number; nonce: number } | null>(null)
/** On a narrow screen the queue, or the map. */
export const narrowTab = signal<'queue' | 'map'>('queue')
/** Candidates joined to the selected ticket's site by lines. */
export const candidateIds = signal<readonly Uuid[]>([])

let nonce = 0

export function flyTo(place: { lon: number; lat: number }): void {
  flight.value = { lon: place.lon, lat: place.lat, nonce: ++nonce }
  narrowTab.value = 'map'
}
/** The ground is an imported region of OpenStreetMap, whose makers are to be named. */
export const isImported = signal(false)
