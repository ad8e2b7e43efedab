import { describe, expect, test } from 'vitest'
import { boundsOf, engineerFeatures, ticketFeatures, ties, withoutStrays } from '../src/map/features'
import { baseStyle, loadTiles } from '../src/map/style'
import { engineer, ticket } from './builders'

describe('markers', () => {
  test('a ticket without a site, or ended, has none', () => {
    const shown = ticketFeatures([ticket(), ticket({ site: null }), ticket({ status: 'closed' })], null)
    expect(shown.features.length).toBe(1)
  })
  test('the selected ticket lies above the others, attention above the plain', () => {
    const order = (given: Parameters<typeof ticket>[0], selected: string | null) => ticketFeatures([ticket(given)], selected).features[0]!.properties.order
    expect(order({}, ticket().ticket_id)).toBeGreaterThan(order({ attention: 'urged', priority: 'urgent' }, null))
    expect(order({ attention: 'urged', priority: 'low' }, null)).toBeGreaterThan(order({ priority: 'urgent' }, null))
  })
  test('an old position fades', () => {
    const at = Date.parse('2026-11-22T08:00:00Z')
    expect(engineerFeatures([engineer()], at + 14 * 60_000).features[0]!.properties.stale).toBe(false)
    expect(engineerFeatures([engineer()], at + 16 * 60_000).features[0]!.properties.stale).toBe(true)
    expect(engineerFeatures([engineer({ position_at: null })], at).features[0]!.properties.stale).toBe(true)
  })
  test('lines join the site to its engineer and to those who may come', () => {
    const lines = ties(ticket({ engineer_id: 'ana' }), [engineer(), engineer({ engineer_id: 'ben' }), engineer({ engineer_id: 'eve', position: null })], ['ben', 'eve'])
    expect(lines.features.map((line) => line.properties.kind)).toEqual(['assigned', 'candidate'])
    expect(ties(ticket({ site: null }), [engineer()], ['ana']).features).toEqual([])
  })
  test('nothing to show has no bounds', () => {
    expect(boundsOf([])).toBeNull()
    expect(boundsOf([{ lon: 2, lat: 3 }, { lon: -1, lat: 8 }])).toEqual([-1, 3, 2, 8])
  })
  test('one phone far off does not shrink the city to a dot; a second city is no stray', () => {
    const city = Array.from({ length: 40 }, (_, i) => ({ lon: 121 + (i % 8) / 50, lat: 31 + i / 200 }))
    const far = (n: number) => Array.from({ length: n }, (_, i) => ({ lon: 104, lat: 30 + i / 100 }))
    expect(withoutStrays([...city, ...far(1)])).toEqual(city)
    expect(withoutStrays([...city, ...far(4)]).length).toBe(44)
    expect(withoutStrays(far(1))).toEqual(far(1))
    expect(withoutStrays([])).toEqual([])
  })
})

test('a layer the server lacks is empty, and every layer has its source', () => {
  const roads = { type: 'FeatureCollection' as const, features: [{ type: 'Feature' as const, properties: {}, geometry: { type: 'Point' as const, coordinates: [0, 0] } }] }
  const style = baseStyle({ roads }, false, 'zh')
  const size = (name: string) => (style.sources[name] as { data: typeof roads }).data.features.length
  expect([size('roads'), size('areas'), size('buildings')]).toEqual([1, 0, 0])
  expect(style.layers.filter((layer) => 'source' in layer && !(layer.source in style.sources))).toEqual([])
})

describe('an imported region', () => {
  const told = { tiles: ['/map/base/{z}/{x}/{y}.mvt?v=1'], minzoom: 6, maxzoom: 14, bounds: [24.9, 60.1, 25, 60.2] }
  const answering = (status: number, body: unknown) => async () => new Response(JSON.stringify(body), { status })
  test('is drawn out of its tiles, territories out of their own layer', async () => {
    const tiles = await loadTiles(answering(200, told), 'https://paidan.example')
    expect(tiles?.tiles).toEqual(['https://paidan.example/map/base/{z}/{x}/{y}.mvt?v=1'])
    const style = baseStyle({}, false, 'zh', tiles)
    const source = (id: string) => style.layers.find((layer) => layer.id === id) as { source: string; 'source-layer'?: string }
    expect([source('major').source, source('major')['source-layer']]).toEqual(['base', 'roads'])
    expect([source('areas')['source-layer'], source('buildings')['source-layer']]).toEqual(['areas', 'buildings'])
    expect(source('territories').source).toBe('territories')
    expect(style.layers.filter((layer) => 'source' in layer && !(layer.source in style.sources))).toEqual([])
  })
  test('that is not there leaves the plain layers', async () => {
    expect(await loadTiles(answering(404, {}), '')).toBeNull()
    expect(await loadTiles(async () => Promise.reject(new TypeError('away')), '')).toBeNull()
    expect(baseStyle({}, false, 'zh', null).sources.base).toBeUndefined()
  })
})
