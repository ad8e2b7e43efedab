/** The live map. This module brings MapLibre with it: load it lazily. */

import 'maplibre-gl/dist/maplibre-gl.css'
import { effect, untracked, useSignalEffect } from '@preact/signals'
import { Map as LibreMap, Popup, setWorkerUrl, type GeoJSONSource, type MapMouseEvent } from 'maplibre-gl'
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url'
import type { GeoJSON } from 'geojson'
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { ageText } from '../../../shared/formats'
import { placed, placing } from '../forms/site_placer'
import { IconButton } from '../parts/basics'
import { go, ticketHash } from '../route'
import { catalogue, engineers, now, selected, selectedId, tickets } from '../state'
import type { BoardEngineer } from '../wire'
import { label, language, own, t } from '../words'
import { boundsOf, engineerFeatures, ticketFeatures, ties, withoutStrays } from './features'
import { addIcons } from './icons'
import { Legend } from './legend'
import { candidateIds, flight, isImported } from './map_state'
import { BASE_NAMES, baseStyle, BUILDINGS_ZOOM, FONTS, liveLayers, loadLayer, loadTiles, NOTHING, type BaseMap, type BaseName, type BaseTiles } from './style'

setWorkerUrl(workerUrl)

const LIVE_SOURCES = ['tickets', 'engineers', 'ties', 'placed'] as const

const colour = (token: string): string => getComputedStyle(document.documentElement).getPropertyValue(token).trim()
const darkQuery = matchMedia('(prefers-color-scheme: dark)')

export function MapView(): JSX.Element {
  const element = useRef<HTMLDivElement>(null)
  const [map, setMap] = useState<LibreMap | null>(null)
  const [failed, setFailed] = useState(false)

  useEffect(() => {
    let made: LibreMap
    try {
      made = makeMap(element.current!)
    } catch {
      // No WebGL: the lists hold everything the map shows.
      return setFailed(true)
    }
    made.once('style.load', () => setMap(made))
    return () => made.remove()
  }, [])

  return (
    <div class="map">
      <div ref={element} class="map-canvas" data-placing={placing.value !== null} />
      {failed && <p class="map-note">{t('map_failed')}</p>}
      {!map && !failed && <p class="map-note">{t('map_loading')}</p>}
      {placing.value && <p class="map-note" role="status">{t('placing')}</p>}
      {map && <Live map={map} />}
      <Legend />
      {isImported.value && <a class="map-credit" href="https://www.openstreetmap.org/copyright" target="_blank" rel="noopener">{t('map_credit')}</a>}
      {map && (
        <div class="map-buttons">
          <IconButton icon="plus" name={t('map_zoom_in')} onClick={() => map.zoomIn()} />
          <IconButton icon="minus" name={t('map_zoom_out')} onClick={() => map.zoomOut()} />
          <IconButton icon="fit" name={t('map_fit')} onClick={() => fitAll(map)} />
        </div>
      )}
    </div>
  )
}

function makeMap(container: HTMLElement): LibreMap {
  const base: BaseMap = {}
  let tiles: BaseTiles | null = null
  let removed = false
  let shownIn = language.peek()
  const map = new LibreMap({
    container,
    style: baseStyle(base, darkQuery.matches, language.peek()),
    center: [0, 20],
    zoom: 1,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    localIdeographFontFamily: FONTS,
    maxZoom: 18,
  })
  map.touchZoomRotate.disableRotation()
  const dress = (): void => {
    addIcons(map, colour)
    for (const source of LIVE_SOURCES) if (!map.getSource(source)) map.addSource(source, { type: 'geojson', data: NOTHING })
    for (const layer of liveLayers(colour)) if (!map.getLayer(layer.id)) map.addLayer(layer)
    for (const source of LIVE_SOURCES) untracked(() => feed(map, source))
  }
  map.once('style.load', () => {
    // The markers first: they are what the dispatcher waits for.
    dress()
    fetchBase('territories')
    void loadTiles((input, init) => fetch(input, init), location.origin).then((found) => {
      if (removed) return
      tiles = found
      isImported.value = found !== null
      if (found) {
        redress()
        if (!tickets.peek().size && !engineers.peek().length) map.fitBounds(found.bounds, { animate: false })
      } else {
        for (const name of BASE_NAMES) if (name === 'areas' || name === 'roads') fetchBase(name)
        map.on('zoomend', closer)
        closer()
      }
    })
  })
  const redress = (): void => {
    if (!map.isStyleLoaded()) return void map.once('idle', redress)
    map.setStyle(baseStyle(base, darkQuery.matches, language.peek(), tiles), { diff: false })
    map.once('style.load', dress)
  }
  darkQuery.addEventListener('change', redress)
  const stopLanguage = language.subscribe((chosen) => {
    if (chosen !== shownIn) redress()
    shownIn = chosen
  })
  const fetchBase = (name: BaseName): void => {
    void loadLayer((input, init) => fetch(input, init), name).then((data) => {
      if (!data) return
      base[name] = data
      void map.getSource<GeoJSONSource>(name)?.setData(data)
    })
  }
  const closer = (): void => {
    if (map.getZoom() < BUILDINGS_ZOOM) return
    map.off('zoomend', closer)
    fetchBase('buildings')
  }
  const resized = new ResizeObserver(() => map.resize())
  resized.observe(container)
  map.on('remove', () => {
    removed = true
    darkQuery.removeEventListener('change', redress)
    stopLanguage()
    resized.disconnect()
  })
  return map
}

/** What each live source shows; the signals a function reads are those it follows. */
const SHOWN: Record<(typeof LIVE_SOURCES)[number], () => GeoJSON> = {
  tickets: () => ticketFeatures(tickets.value.values(), selectedId.value),
  engineers: () => engineerFeatures(engineers.value, now.peek()),
  ties: () => ties(selected.value, engineers.value, candidateIds.value),
  placed: () => {
    const at = placed.value
    return at ? { type: 'Feature', geometry: { type: 'Point', coordinates: [at.lon, at.lat] }, properties: {} } : NOTHING
  },
}

function feed(map: LibreMap, name: (typeof LIVE_SOURCES)[number]): void {
  const data = SHOWN[name]()
  void map.getSource<GeoJSONSource>(name)?.setData(data)
}

function fitAll(map: LibreMap, animate = true): void {
  const points = [
    ...[...tickets.peek().values()].flatMap((ticket) => ticket.site ?? []),
    ...engineers.peek().flatMap((engineer) => engineer.position ?? []),
  ]
  const box = boundsOf(withoutStrays(points))
  const padding = Math.min(48, map.getContainer().clientWidth / 12)
  if (box) map.fitBounds(box, { padding, maxZoom: 14, animate })
}

/** Ties the signals to the map for as long as it stands. */
function Live({ map }: { map: LibreMap }): null {
  const fitted = useRef(false)
  useSignalEffect(() => feed(map, 'tickets'))
  useSignalEffect(() => feed(map, 'engineers'))
  useSignalEffect(() => feed(map, 'ties'))
  useSignalEffect(() => feed(map, 'placed'))
  useSignalEffect(() => {
    if (!fitted.current && (tickets.value.size || engineers.value.length)) {
      fitted.current = true
      fitAll(map, false)
    }
  })
  useSignalEffect(() => {
    const to = flight.value
    if (to) map.flyTo({ center: [to.lon, to.lat], zoom: Math.max(map.getZoom(), 14), duration: 600 })
  })
  useSignalEffect(() => {
    const id = selectedId.value
    const site = id ? tickets.peek().get(id)?.site : null
    if (site && !map.getBounds().contains([site.lon, site.lat])) map.easeTo({ center: [site.lon, site.lat], duration: 400 })
  })
  useSignalEffect(() => {
    map.getCanvas().setAttribute('aria-label', t('map_label'))
  })
  useEffect(() => listen(map), [map])
  return null
}

function listen(map: LibreMap): () => void {
  const popup = new Popup({ closeButton: false, closeOnClick: false, offset: 18, className: 'map-popup', maxWidth: '260px' })
  const ticketAt = (event: MapMouseEvent): string | null => String(map.queryRenderedFeatures(event.point, { layers: ['tickets'] })[0]?.properties['id'] ?? '') || null
  const engineerAt = (event: MapMouseEvent): BoardEngineer | null => {
    const id = map.queryRenderedFeatures(event.point, { layers: ['engineers'] })[0]?.properties['id'] as string | undefined
    return engineers.peek().find((one) => one.engineer_id === id) ?? null
  }
  const clicked = (event: MapMouseEvent): void => {
    if (placing.value) return placing.value({ lon: round(event.lngLat.lng), lat: round(event.lngLat.lat) })
    const ticketId = ticketAt(event)
    if (ticketId) return go(ticketHash(ticketId))
    const engineer = engineerAt(event)
    if (engineer?.ticket_id) go(ticketHash(engineer.ticket_id))
  }
  const moved = (event: MapMouseEvent): void => {
    const ticket = tickets.peek().get(ticketAt(event) ?? '')
    const engineer = ticket ? null : engineerAt(event)
    map.getCanvas().style.cursor = placing.value ? 'crosshair' : ticket || engineer ? 'pointer' : ''
    if (ticket?.site) {
      popup.setLngLat([ticket.site.lon, ticket.site.lat]).setDOMContent(lines(`${own(ticket.work_type.name)} · ${label('status', ticket.status)}`, ticket.description, ticket.address)).addTo(map)
    } else if (engineer?.position) {
      const age = engineer.position_at ? ageText(now.peek() - Date.parse(engineer.position_at), language.peek()) : t('position_none')
      const skills = Object.keys(engineer.skills).map((code) => catalogue.peek()?.skills.find((skill) => skill.code === code)).flatMap((skill) => (skill ? own(skill.name) : []))
      popup.setLngLat([engineer.position.lon, engineer.position.lat]).setDOMContent(lines(`${engineer.name} · ${label('engineer_status', engineer.status)}`, t('position_age', { age }), skills.join(' · '))).addTo(map)
    } else popup.remove()
  }
  map.on('click', clicked)
  map.on('mousemove', moved)
  const stopPlacing = effect(() => {
    map.getCanvas().style.cursor = placing.value ? 'crosshair' : ''
  })
  return () => {
    map.off('click', clicked)
    map.off('mousemove', moved)
    stopPlacing()
    popup.remove()
  }
}

const round = (degrees: number): number => Math.round(degrees * 1e6) / 1e6

/** Text only, never markup: names and descriptions come from people. */
function lines(...texts: string[]): HTMLElement {
  const whole = document.createElement('div')
  for (const [i, text] of texts.entries()) {
    if (!text) continue
    const line = document.createElement(i === 0 ? 'strong' : 'p')
    line.textContent = text
    whole.append(line)
  }
  return whole
}
