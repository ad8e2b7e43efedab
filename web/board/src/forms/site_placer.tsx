/** Where the work is: from the address finder, or a click on the map. */

import { signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { Icon } from '../parts/icons'
import { api, complain } from '../state'
import type { Place } from '../wire'
import { t } from '../words'
import type { PlacedSite } from './forms'

/** Set while a form waits for a click on the map; the map calls it with the place. */
export const placing = signal<((site: PlacedSite) => void) | null>(null)
/** The site a form holds, for the map to show. */
export const placed = signal<PlacedSite | null>(null)

const FIND_AFTER_MS = 300

/** Suggestions follow `address`; choosing one places the site and gives its full text. */
export function SitePlacer({ id, address, site, onPlace }: {
  id?: string
  address: string
  site: PlacedSite | null
  onPlace: (site: PlacedSite | null, text?: string) => void
}): JSX.Element {
  const [places, setPlaces] = useState<Place[] | null>(null)
  const [asked, setAsked] = useState(address)

  useEffect(() => {
    placed.value = site
    return () => {
      placed.value = null
      placing.value = null
    }
  }, [site])

  useEffect(() => {
    const text = address.trim()
    if (text === asked || text.length < 2) return setPlaces(null)
    const timer = setTimeout(() => {
      api.places(text).then((reply) => setPlaces(reply.places.slice(0, 6)), complain)
    }, FIND_AFTER_MS)
    return () => clearTimeout(timer)
  }, [address])

  function choose(place: Place): void {
    setAsked(place.text)
    setPlaces(null)
    onPlace({ lon: place.lon, lat: place.lat }, place.text)
  }

  return (
    <div class="site-placer" id={id}>
      {places && (
        <ul class="suggestions" aria-label={t('address')}>
          {places.map((place) => (
            <li key={`${place.text}${place.lon}`}>
              <button type="button" onClick={() => choose(place)}>
                <Icon name="pin" size={15} /> {place.text}
              </button>
            </li>
          ))}
          {!places.length && <li class="nothing">{t('places_none')}</li>}
        </ul>
      )}
      <div class="site-line">
        {site ? (
          <>
            <span class="placed"><Icon name="pin" size={16} /> {t('site_placed', { lon: site.lon.toFixed(5), lat: site.lat.toFixed(5) })}</span>
            <button type="button" class="chip" onClick={() => onPlace(null)}>{t('remove_site')}</button>
          </>
        ) : (
          <small>{t('site_missing_note')}</small>
        )}
        <button
          type="button"
          class="chip"
          aria-pressed={placing.value !== null}
          onClick={() => {
            placing.value = placing.value ? null : (at) => {
              placing.value = null
              onPlace(at)
            }
          }}
        >
          {placing.value ? t('placing') : t('place_on_map')}
        </button>
      </div>
    </div>
  )
}
