/** A quiet city under the markers: water, parks, roads and territories, each only when the server has it. */

import type { FeatureCollection } from 'geojson'
import type { LayerSpecification, StyleSpecification } from 'maplibre-gl'
import type { Colour } from './icons'

export const BASE_NAMES = ['water', 'parks', 'roads', 'territories'] as const
export type BaseName = (typeof BASE_NAMES)[number]
export type BaseMap = Partial<Record<BaseName, FeatureCollection>>

const BASE_TIMEOUT_MS = 15_000

/** The demo city's layers; one that is absent or fails is left out, and the markers stand on plain ground. */
export async function loadBase(fetcher: typeof fetch): Promise<BaseMap> {
  const found = await Promise.all(
    BASE_NAMES.map(async (name) => {
      try {
        const reply = await fetcher(`/map/${name}.geojson`, { signal: AbortSignal.timeout(BASE_TIMEOUT_MS) })
        return reply.ok ? ([name, (await reply.json()) as FeatureCollection] as const) : null
      } catch {
        return null
      }
    }),
  )
  return Object.fromEntries(found.filter((entry) => entry !== null))
}

export const FONTS = '"PingFang SC", "HarmonyOS Sans SC", "Noto Sans CJK SC", "Microsoft YaHei", system-ui, sans-serif'
const FONT = ['sans-serif']
const HIGHWAY = ['coalesce', ['get', 'highway'], ['get', 'class'], ['get', 'kind'], '']
const NAME = ['coalesce', ['get', 'name:zh'], ['get', 'name'], '']
const isMajor = ['in', HIGHWAY, ['literal', ['motorway', 'trunk', 'primary', 'motorway_link', 'trunk_link', 'primary_link']]]
const isMiddle = ['in', HIGHWAY, ['literal', ['secondary', 'tertiary', 'secondary_link', 'tertiary_link']]]

/** The style without the markers. `base` decides which layers exist. */
export function baseStyle(base: BaseMap, dark: boolean): StyleSpecification {
  const ink = dark
    ? { ground: '#151a20', water: '#1b2b3a', park: '#18251f', minor: '#232a33', middle: '#2c3541', major: '#3a4554', text: '#93a0b1', edge: '#3b4a5e' }
    : { ground: '#f3f3f0', water: '#cfe0ea', park: '#e1ebdb', minor: '#ffffff', middle: '#ffffff', major: '#f6e7c8', text: '#5d6877', edge: '#9aa9c0' }
  const roadWidth = (near: number): unknown => ['interpolate', ['exponential', 1.6], ['zoom'], 9, near / 9, 13, near / 2.6, 16, near * 2]
  const layers: unknown[] = [{ id: 'ground', type: 'background', paint: { 'background-color': ink.ground } }]
  if (base.parks) layers.push({ id: 'parks', type: 'fill', source: 'parks', paint: { 'fill-color': ink.park } })
  if (base.water) {
    layers.push(
      { id: 'water', type: 'fill', source: 'water', filter: ['==', ['geometry-type'], 'Polygon'], paint: { 'fill-color': ink.water } },
      { id: 'water-lines', type: 'line', source: 'water', filter: ['==', ['geometry-type'], 'LineString'], paint: { 'line-color': ink.water, 'line-width': 2 } },
    )
  }
  if (base.roads) {
    layers.push(
      { id: 'roads-minor', type: 'line', source: 'roads', minzoom: 11.5, filter: ['all', ['!', isMajor], ['!', isMiddle]], layout: { 'line-cap': 'round' }, paint: { 'line-color': ink.minor, 'line-width': roadWidth(2) } },
      { id: 'roads-middle', type: 'line', source: 'roads', filter: isMiddle, layout: { 'line-cap': 'round' }, paint: { 'line-color': ink.middle, 'line-width': roadWidth(4) } },
      { id: 'roads-major', type: 'line', source: 'roads', filter: isMajor, layout: { 'line-cap': 'round' }, paint: { 'line-color': ink.major, 'line-width': roadWidth(6) } },
    )
  }
  if (base.territories) {
    layers.push({ id: 'territories', type: 'line', source: 'territories', paint: { 'line-color': ink.edge, 'line-width': 1.2, 'line-dasharray': [3, 3], 'line-opacity': 0.8 } })
  }
  const text = { 'text-color': ink.text, 'text-halo-color': ink.ground, 'text-halo-width': 1.4 }
  if (base.roads) {
    layers.push({ id: 'road-names', type: 'symbol', source: 'roads', minzoom: 13, filter: ['any', isMajor, isMiddle], layout: { 'symbol-placement': 'line', 'text-field': NAME, 'text-font': FONT, 'text-size': 11 }, paint: text })
  }
  if (base.territories) {
    layers.push({ id: 'territory-names', type: 'symbol', source: 'territories', maxzoom: 14, layout: { 'text-field': NAME, 'text-font': FONT, 'text-size': 12, 'text-letter-spacing': 0.06 }, paint: text })
  }
  return {
    version: 8,
    sources: Object.fromEntries(Object.entries(base).map(([name, data]) => [name, { type: 'geojson', data, tolerance: 0.5 }])),
    layers: layers as LayerSpecification[],
  } satisfies StyleSpecification & { layers: LayerSpecification[] }
}

/** The live layers over the city, bottom to top. */
export function liveLayers(colour: Colour): LayerSpecification[] {
  const layers = [
    { id: 'ties', type: 'line', source: 'ties', layout: { 'line-cap': 'round' }, paint: { 'line-color': colour('--accent'), 'line-width': ['match', ['get', 'kind'], 'assigned', 2.5, 1.5], 'line-opacity': ['match', ['get', 'kind'], 'assigned', 0.9, 0.55], 'line-dasharray': [2, 2] } },
    { id: 'placed', type: 'circle', source: 'placed', paint: { 'circle-radius': 9, 'circle-color': colour('--accent'), 'circle-stroke-width': 3, 'circle-stroke-color': colour('--surface') } },
    { id: 'halo', type: 'circle', source: 'tickets', filter: ['get', 'selected'], paint: { 'circle-radius': 24, 'circle-translate': [0, -16], 'circle-color': colour('--accent'), 'circle-opacity': 0.22, 'circle-stroke-color': colour('--accent'), 'circle-stroke-width': 2 } },
    { id: 'engineers', type: 'symbol', source: 'engineers', layout: { 'icon-image': ['get', 'icon'], 'icon-allow-overlap': true, 'icon-size': ['interpolate', ['linear'], ['zoom'], 9, 0.6, 13, 0.95], 'symbol-sort-key': ['get', 'order'] }, paint: { 'icon-opacity': ['case', ['get', 'stale'], 0.45, 1] } },
    { id: 'engineer-initials', type: 'symbol', source: 'engineers', minzoom: 10.5, layout: { 'text-field': ['get', 'initials'], 'text-font': FONT, 'text-size': 10.5, 'text-allow-overlap': true, 'text-ignore-placement': true, 'symbol-sort-key': ['get', 'order'] }, paint: { 'text-color': ['match', ['get', 'icon'], 'engineer-off', colour('--ink-2'), colour('--surface')] } },
    { id: 'tickets', type: 'symbol', source: 'tickets', layout: { 'icon-image': ['get', 'icon'], 'icon-allow-overlap': true, 'icon-anchor': 'bottom', 'icon-size': ['interpolate', ['linear'], ['zoom'], 9, 0.6, 13, 1], 'symbol-sort-key': ['get', 'order'] } },
  ]
  return layers as LayerSpecification[]
}
