/** Lists that the server gives page by page. */

import { api } from './state'

/** One page of a list, and the key of the next one. */
export interface PageOf<Row> {
  rows: Row[]
  next: string | null
}

export type Query = Record<string, string | null>

/** What a path answers; what `query` leaves empty is not asked for. */
export const get = <T>(path: string, query: Query = {}): Promise<T> => {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== null && entry[1] !== '')
  const text = new URLSearchParams(given).toString()
  return api.ask<T>('GET', text ? `${path}?${text}` : path)
}

/** A page of what a path answers under the name `list`. */
export async function pageOf<Row>(path: string, list: string, query: Query): Promise<PageOf<Row>> {
  const found = await get<Record<string, Row[]> & { next_page: string | null }>(path, query)
  return { rows: found[list]!, next: found.next_page }
}
