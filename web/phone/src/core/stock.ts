/** The company's parts, with what this van holds, and its prices: kept for days without reception. */

import type { EngineerApi } from './api'
import type { PriceLine, Stock, StockLine } from './wire'

const PARTS = 'stock'
const PRICES = 'prices'

export const keptParts = (): StockLine[] => JSON.parse(localStorage.getItem(PARTS) ?? '[]') as StockLine[]
export const keptPrices = (): PriceLine[] => JSON.parse(localStorage.getItem(PRICES) ?? '[]') as PriceLine[]

export function keepStock(stock: Stock): Stock {
  localStorage.setItem(PARTS, JSON.stringify(stock.parts))
  localStorage.setItem(PRICES, JSON.stringify(stock.prices))
  return stock
}

/** At hand before reception goes, whether somebody opened the lists or not. */
export const bring = async (api: Pick<EngineerApi, 'stock'>): Promise<Stock> => keepStock(await api.stock())
