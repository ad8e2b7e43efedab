import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { allWords } from '../core/words'

/** A part of the page fetched when first shown, with the words it needs; the service worker keeps it for offline use. `Meanwhile` stands in. */
export function lazy<P extends object>(load: () => Promise<ComponentType<P>>, Meanwhile: ComponentType<{ failed: boolean }>): ComponentType<P> {
  let loaded: ComponentType<P> | null = null
  return function Lazy(props: P) {
    const [, redraw] = useState(0)
    const [failed, setFailed] = useState(false)
    useEffect(() => {
      if (!loaded) Promise.all([load(), allWords()]).then(([component]) => ((loaded = component), redraw(1)), () => setFailed(true))
    }, [])
    const Inner = loaded
    return Inner ? <Inner {...props} /> : <Meanwhile failed={failed} />
  }
}
