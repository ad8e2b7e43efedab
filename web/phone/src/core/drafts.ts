/** Half-written sheets survive the camera closing the page: kept for this tab until sent. */

import { useState } from 'preact/hooks'

export function useDraft<T>(key: string, empty: T): [T, (value: T) => void, () => void] {
  const [value, setValue] = useState<T>(() => {
    try {
      return (JSON.parse(sessionStorage.getItem(key) ?? 'null') as T | null) ?? empty
    } catch {
      return empty
    }
  })
  const set = (next: T) => {
    setValue(next)
    sessionStorage.setItem(key, JSON.stringify(next))
  }
  return [value, set, () => sessionStorage.removeItem(key)]
}
