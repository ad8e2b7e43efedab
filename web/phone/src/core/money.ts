/** Money is whole minor units; a quantity is a decimal of at most three places, kept as text. */

const MINOR_DIGITS: Record<string, number> = { JPY: 0, KRW: 0 }

export function minorDigits(currency: string): number {
  return MINOR_DIGITS[currency] ?? 2
}

/** "12.5" → 1250 for CNY; null when it is no price or finer than the currency. No floating point on the way. */
export function parseMinor(text: string, currency: string): number | null {
  const digits = minorDigits(currency)
  const match = text.trim().replace(',', '.').match(/^(\d{1,7})(?:\.(\d+))?$/)
  if (!match) return null
  const fraction = match[2] ?? ''
  if (fraction.length > digits) return null
  return Number(match[1]! + fraction.padEnd(digits, '0'))
}

/** "1.5" → 1500 thousandths; null when it is no quantity above zero. */
export function parseQuantity(text: string): number | null {
  const match = text.trim().replace(',', '.').match(/^(\d{1,5})(?:\.(\d{1,3}))?$/)
  if (!match) return null
  const thousandths = Number(match[1]! + (match[2] ?? '').padEnd(3, '0'))
  return thousandths > 0 && thousandths <= 10_000_000 ? thousandths : null
}

/** One line's total in minor units, halves rounded up. */
export function lineTotal(quantityThousandths: number, unitPriceMinor: number): number {
  const product = BigInt(quantityThousandths) * BigInt(unitPriceMinor)
  return Number((product + 500n) / 1000n)
}
