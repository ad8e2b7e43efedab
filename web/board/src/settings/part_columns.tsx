/** Columns of every table that says which part lies somewhere and how many. */

import { own } from '../words'
import type { Texts } from '../wire'
import type { Column } from './parts'

export const PART_COLUMN: Column<{ part: string; name: Texts }> = {
  name: 'price_part',
  cell: (one) => <><strong>{own(one.name)}</strong> <small><code>{one.part}</code></small></>,
}

export const QUANTITY_COLUMN: Column<{ quantity: string; unit: string }> = {
  name: 'part_quantity',
  cell: (one) => <b>{Number(one.quantity)} {one.unit}</b>,
  number: true,
}
