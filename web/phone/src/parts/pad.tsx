import type { RefObject } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import SignaturePad from 'signature_pad'
import { t } from '../core/words'

/** Fewer points than this are a slip of the finger, not a name. */
const LEAST_POINTS = 12
const INK = '#0b1f33'
const PAPER = '#ffffff'

export interface Pad {
  clear(): void
  /** The signature as PNG; null when there is too little ink. */
  picture(): Promise<Blob | null>
}

/** A sheet of paper to sign on with the finger. */
export function PaperPad({ pad, signed, onSigned }: { pad: RefObject<Pad | null>; signed: boolean; onSigned: () => void }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    const element = canvas.current
    if (!element) return
    const made = new SignaturePad(element, { penColor: INK, backgroundColor: PAPER, minWidth: 1, maxWidth: 3 })
    made.addEventListener('endStroke', onSigned)
    pad.current = {
      clear: () => made.clear(),
      picture: () => {
        const points = made.toData().reduce((sum, stroke) => sum + stroke.points.length, 0)
        return new Promise((resolve) => (points < LEAST_POINTS ? resolve(null) : element.toBlob(resolve, 'image/png')))
      },
    }
    const fit = () => {
      const strokes = made.toData()
      const ratio = Math.max(devicePixelRatio, 1)
      element.width = element.offsetWidth * ratio
      element.height = element.offsetHeight * ratio
      element.getContext('2d')?.scale(ratio, ratio)
      made.fromData(strokes)
    }
    const watch = new ResizeObserver(fit)
    watch.observe(element)
    return () => {
      watch.disconnect()
      made.off()
    }
  }, [])
  return (
    <div class={signed ? 'paper' : 'paper empty-paper'} data-hint={t('sign_here')}>
      <canvas ref={canvas} aria-label={t('sign_here')} />
    </div>
  )
}
