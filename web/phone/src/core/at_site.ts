/** What the phone expects the server to say about being at the site; the server decides (same rule: geo's geofence). */

import { distanceM } from './positions'
import type { PositionReading, Site } from './wire'

/** The most that a poor reading may widen the circle. */
const ACCURACY_CAP_M = 100

/** `distance_m` is null where the ticket has no site: then a reading is all that is asked. */
export type AtSite = { here: boolean; distance_m: number | null }

/** `radius_m`: the work type's circle. Null without a reading. */
export function atSite(reading: PositionReading | null, site: Site | null, radius_m: number): AtSite | null {
  if (!reading) return null
  if (!site) return { here: true, distance_m: null }
  const away = distanceM(reading, site)
  return { here: away <= radius_m + Math.min(reading.accuracy_m, ACCURACY_CAP_M), distance_m: away }
}
