/** What the phone expects the server to say about being at the site; the server decides (same rule: geo's geofence). */

import { distanceM } from './positions'
import type { PositionReading, Site } from './wire'

/** The most that a poor reading may widen the circle. */
const ACCURACY_CAP_M = 100

export type AtSite = { known: false } | { known: true; here: boolean; distance_m: number }

/** `radius_m`: the work type's circle; unknown without a reading or a site. */
export function atSite(reading: PositionReading | null, site: Site | null, radius_m: number): AtSite {
  if (!reading || !site) return { known: false }
  const away = distanceM(reading, site)
  return { known: true, here: away <= radius_m + Math.min(reading.accuracy_m, ACCURACY_CAP_M), distance_m: away }
}
