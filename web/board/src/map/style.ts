/** A quiet city under the markers: areas, roads, buildings and territories, each empty until the server has sent it. */

import type { FeatureCollection } from 'geojson'
import type { LayerSpecification, StyleSpecification } from 'maplibre-gl'
import type { Language } from '../../../shared/words'
import type { Colour } from './icons'

export const BASE_NAMES = ['areas', 'roads', 'territories', 'buildings'] as const
export type BaseName = (typeof BASE_NAMES)[number]
export type BaseMap = Partial<Record<BaseName, FeatureCollection>>

const BASE_TIMEOUT_MS = 15_000
/** Buildings are the largest layer by far and show only from here on: they are fetched then. */
export const BUILDINGS_ZOOM = 14.5

/** One layer of the demo city; null when it is absent or fails, and the markers stand on plainer ground. */
export async function loadLayer(fetcher: typeof fetch, name: BaseName): Promise<FeatureCollection | null> {
  try {
    const reply = await fetcher(`/map/${name}.geojson`, { signal: AbortSignal.timeout(BASE_TIMEOUT_MS) })
    return reply.ok ? ((await reply.json()) as FeatureCollection) : null
  } catch {
    return null
  }
}

/** The imported region's own map as vector tiles, in the words of the GeoJSON layers. */
export interface BaseTiles {
  tiles: string[]
  minzoom: number
  maxzoom: number
  bounds: [number, number, number, number]
}

/** Null where no region is imported, or the server cannot say. */
export async function loadTiles(fetcher: typeof fetch, origin: string): Promise<BaseTiles | null> {
  try {
    const reply = await fetcher('/map/base.json', { signal: AbortSignal.timeout(BASE_TIMEOUT_MS) })
    if (!reply.ok) return null
    const told = (await reply.json()) as BaseTiles
    return { tiles: told.tiles.map((path) => origin + path), minzoom: told.minzoom, maxzoom: told.maxzoom, bounds: told.bounds }
  } catch {
    return null
  }
}

export const NOTHING: FeatureCollection = { type: 'FeatureCollection', features: [] }

export const FONTS = '"PingFang SC", "HarmonyOS Sans SC", "Noto Sans CJK SC", "Microsoft YaHei", system-ui, sans-serif'
const FONT = ['sans-serif']
const CLASS = ['get', 'c']
const isOne = (...classes: string[]): unknown => ['in', CLASS, ['literal', classes]]
const MAJOR = isOne('motorway', 'trunk', 'primary', 'motorway_link', 'trunk_link', 'primary_link')
const MIDDLE = isOne('secondary', 'tertiary', 'secondary_link', 'tertiary_link')
const SMALL = isOne('residential', 'unclassified', 'living_street', 'service', 'pedestrian')
const PATH = isOne('footway', 'path', 'track', 'cycleway', 'steps')
const STREAM = isOne('river', 'canal', 'stream')
const KIND = ['get', 'k']
const isKind = (...kinds: string[]): unknown => ['in', KIND, ['literal', kinds]]

const LIGHT = {
  ground: '#f2f2ee', water: '#c9dde8', green: '#dde9d5', farm: '#ecefdf', works: '#e9e9ec', town: '#efece6', sand: '#f3ecd8',
  building: '#e1dfd9', small: '#ffffff', middle: '#ffffff', major: '#f7e3b8', casing: '#dcd7c9', path: '#d5d2c6', rail: '#c3c5c9', text: '#566170', place: '#2c3644', edge: '#7f8fa8',
}
const DARK: typeof LIGHT = {
  ground: '#141920', water: '#1c2f40', green: '#17261f', farm: '#171f1e', works: '#1a1f27', town: '#181d24', sand: '#23221c',
  building: '#202730', small: '#252d38', middle: '#2d3744', major: '#3d4757', casing: '#10151b', path: '#222a33', rail: '#333c48', text: '#adb8c7', place: '#d5dde8', edge: '#4a5c75',
}

/** A road's width in pixels: `near` at zoom 16, thinner outward. */
const width = (near: number, more = 0): unknown => ['interpolate', ['exponential', 1.5], ['zoom'], 10, near / 7 + more / 2, 13, near / 3 + more, 16, near + more, 18, near * 2.2 + more]

/** The style without the markers, with what of `base` has come; areas, roads, buildings and places out of `tiles` where there are any. */
export function baseStyle(base: BaseMap, dark: boolean, language: Language, tiles: BaseTiles | null = null): StyleSpecification {
  const from = (name: BaseName): object => (tiles && name !== 'territories' ? { source: 'base', 'source-layer': name } : { source: name })
  const ink = dark ? DARK : LIGHT
  const name = ['coalesce', ['get', language === 'zh' ? 'n' : 'e'], ['get', 'n'], '']
  const text = { 'text-color': ink.text, 'text-halo-color': ink.ground, 'text-halo-width': 1.4 }
  const line = (id: string, filter: unknown, colour: string, pixels: unknown, more: object = {}): unknown => ({
    id, type: 'line', ...from('roads'), filter, layout: { 'line-cap': 'round', 'line-join': 'round' }, paint: { 'line-color': colour, 'line-width': pixels }, ...more,
  })
  const ground = [{ id: 'ground', type: 'background', paint: { 'background-color': ink.ground } }]
  const areas = [
    {
      id: 'areas', type: 'fill', ...from('areas'),
      paint: { 'fill-antialias': false, 'fill-color': ['match', ['get', 'k'], ['sea', 'water'], ink.water, ['park', 'wood'], ink.green, 'farm', ink.farm, 'industry', ink.works, ['homes', 'shops', 'school'], ink.town, 'beach', ink.sand, ink.ground] },
    },
  ]
  const buildings = [{ id: 'buildings', type: 'fill', ...from('buildings'), minzoom: BUILDINGS_ZOOM, paint: { 'fill-color': ink.building } }]
  const roads = [
    line('streams', STREAM, ink.water, ['interpolate', ['linear'], ['zoom'], 8, 0.6, 14, ['match', CLASS, 'river', 5, 'canal', 3, 1.2]]),
    line('ferries', isOne('ferry'), ink.rail, 1, { paint: { 'line-color': ink.rail, 'line-width': 1, 'line-dasharray': [4, 3] } }),
    line('paths', PATH, ink.path, 1, { minzoom: 14, layout: {}, paint: { 'line-color': ink.path, 'line-width': 1.2, 'line-dasharray': [3, 1.5] } }),
    line('rail', isOne('rail'), ink.rail, 1.2),
    line('small-casing', SMALL, ink.casing, width(7, 1.4), { minzoom: 14 }),
    line('small', SMALL, ink.small, width(7), { minzoom: 11 }),
    line('middle-casing', MIDDLE, ink.casing, width(10, 1.6), { minzoom: 12 }),
    line('major-casing', MAJOR, ink.casing, width(14, 1.6)),
    line('middle', MIDDLE, ink.middle, width(10)),
    line('major', MAJOR, ink.major, width(14)),
  ]
  const edges = [{ id: 'territories', type: 'line', source: 'territories', paint: { 'line-color': ink.edge, 'line-width': 1.2, 'line-dasharray': [4, 3], 'line-opacity': 0.7 } }]
  const names = [
    { id: 'road-names', type: 'symbol', ...from('roads'), minzoom: 13.5, filter: ['any', MAJOR, MIDDLE], layout: { 'symbol-placement': 'line', 'symbol-spacing': 380, 'text-field': name, 'text-font': FONT, 'text-size': 11 }, paint: text },
    { id: 'street-names', type: 'symbol', ...from('roads'), minzoom: 15, filter: SMALL, layout: { 'symbol-placement': 'line', 'symbol-spacing': 300, 'text-field': name, 'text-font': FONT, 'text-size': 10.5 }, paint: text },
    { id: 'area-names', type: 'symbol', ...from('areas'), minzoom: tiles ? 13 : 11, filter: isKind('sea', 'water', 'park'), layout: { 'text-field': name, 'text-font': FONT, 'text-size': 11 }, paint: text },
    { id: 'territory-names', type: 'symbol', source: 'territories', maxzoom: 13.5, layout: { 'text-field': name, 'text-font': FONT, 'text-size': 13, 'text-letter-spacing': 0.08 }, paint: text },
  ]
  const places = {
    id: 'places', type: 'symbol', source: 'base', 'source-layer': 'places', maxzoom: 16,
    filter: ['step', ['zoom'], isKind('city', 'town'), 10.5, isKind('city', 'town', 'suburb', 'village'), 13, true],
    layout: { 'text-field': name, 'text-font': FONT, 'text-size': ['match', KIND, 'city', 17, 'town', 15, ['suburb', 'village'], 13, 11.5], 'text-padding': 6, 'symbol-sort-key': ['match', KIND, 'city', 0, 'town', 1, ['suburb', 'village'], 2, 3] },
    paint: { ...text, 'text-color': ink.place },
  }
  return {
    version: 8,
    sources: {
      ...Object.fromEntries(BASE_NAMES.map((source) => [source, { type: 'geojson', data: base[source] ?? NOTHING, tolerance: 0.4 }])),
      ...(tiles ? { base: { type: 'vector', ...tiles } } : {}),
    },
    layers: [...ground, ...areas, ...buildings, ...roads, ...edges, ...names, ...(tiles ? [places] : [])] as LayerSpecification[],
  }
}

/** Who is at a site stands below the tip of its drop: neither hides the other. In pixels of a whole-size icon. */
const AT_SITE_PX = 14
const LABEL_PX = 10.5
const atSite = (there: number[], else_: number[] = [0, 0]): unknown => ['match', ['get', 'icon'], 'engineer-on_site', ['literal', there], ['literal', else_]]

/** The live layers over the city, bottom to top. */
export function liveLayers(colour: Colour): LayerSpecification[] {
  const layers = [
    { id: 'ties', type: 'line', source: 'ties', layout: { 'line-cap': 'round' }, paint: { 'line-color': colour('--accent'), 'line-width': ['match', ['get', 'kind'], 'assigned', 2.5, 1.5], 'line-opacity': ['match', ['get', 'kind'], 'assigned', 0.9, 0.55], 'line-dasharray': [2, 2] } },
    { id: 'placed', type: 'circle', source: 'placed', paint: { 'circle-radius': 9, 'circle-color': colour('--accent'), 'circle-stroke-width': 3, 'circle-stroke-color': colour('--surface') } },
    { id: 'halo', type: 'circle', source: 'tickets', filter: ['get', 'selected'], paint: { 'circle-radius': 24, 'circle-translate': [0, -16], 'circle-color': colour('--accent'), 'circle-opacity': 0.22, 'circle-stroke-color': colour('--accent'), 'circle-stroke-width': 2 } },
    { id: 'engineers', type: 'symbol', source: 'engineers', layout: { 'icon-image': ['get', 'icon'], 'icon-allow-overlap': true, 'icon-offset': atSite([0, AT_SITE_PX]), 'icon-size': ['interpolate', ['linear'], ['zoom'], 8, 0.3, 10.5, 0.7, 13, 1], 'symbol-sort-key': ['get', 'order'] }, paint: { 'icon-opacity': ['case', ['get', 'stale'], 0.4, 1] } },
    // Of labels that would cover one another the topmost disc's stays: the key of placing runs against the key of drawing.
    { id: 'engineer-initials', type: 'symbol', source: 'engineers', minzoom: 10.5, layout: { 'text-field': ['get', 'initials'], 'text-font': FONT, 'text-size': ['get', 'size'], 'text-padding': 1, 'text-offset': ['interpolate', ['linear'], ['zoom'], 10.5, atSite([0, (0.7 * AT_SITE_PX) / LABEL_PX]), 13, atSite([0, AT_SITE_PX / LABEL_PX])], 'symbol-sort-key': ['-', 0, ['get', 'order']] }, paint: { 'text-color': ['match', ['get', 'icon'], 'engineer-free', colour('--engineer-free'), 'engineer-off', colour('--ink-2'), ['case', ['get', 'stale'], colour('--ink'), colour('--surface')]] } },
    { id: 'tickets', type: 'symbol', source: 'tickets', layout: { 'icon-image': ['get', 'icon'], 'icon-allow-overlap': true, 'icon-ignore-placement': true, 'icon-anchor': 'bottom', 'icon-size': ['interpolate', ['linear'], ['zoom'], 8, 0.4, 10.5, 0.75, 13, 1], 'symbol-sort-key': ['get', 'order'] } },
  ]
  return layers as LayerSpecification[]
}
